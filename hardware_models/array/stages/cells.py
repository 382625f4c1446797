"""How weights act that are stuck, behind wires, or in dead columns."""

import dataclasses

import torch
from typing_extensions import override

from hardware_models.array.stages.stage import CellEffect
from hardware_models.effects import defects, wires


class StuckCells(CellEffect):
    """Cells at an end of their range, whatever is written."""

    @override
    def act(self, chips):
        low, high, end = chips["cell_is_low"], chips["cell_is_high"], chips["weight_end"]
        stuck = defects.Stuck(low, high, torch.zeros_like(low))
        return chips.with_circuit(weights=defects.held(chips.circuit.weights, stuck, -end, end, torch.zeros_like(end)))


@dataclasses.dataclass(frozen=True)
class Wires(CellEffect):
    """Wires with a resistance, in each tile its own."""

    tiles: tuple[slice, ...]
    """Their input lines."""

    @override
    def act(self, chips):
        parts = [chips.circuit.weights[..., lines].contiguous() for lines in self.tiles]
        wired = [wires.wired(w, chips["wire_ohm"], chips["siemens"]) for w in parts]
        return chips.with_circuit(weights=torch.cat(wired, 2))


class QuietDeadColumns(CellEffect):
    """Dead columns show no noise of their cells."""

    @override
    def act(self, chips):
        circuit = chips.circuit
        variance = circuit.variance
        if variance is None:
            variance = circuit.weight_noise.square().expand_as(circuit.weights)
        return chips.with_circuit(variance=variance.masked_fill(chips["column_is_dead"].mT, 0))


def cells(active: frozenset[str], tiles: tuple[slice, ...]) -> tuple[CellEffect, ...]:
    """Return what makes the weights of a chip act otherwise.

    Args:
        active: Names of its numbers that are above zero.
        tiles: Input lines of each tile.
    """
    effects: list[CellEffect] = []
    if active & {"stuck_low", "stuck_high"}:
        effects.append(StuckCells())
    if "wire_ohm" in active:
        effects.append(Wires(tiles))
    if "dead_columns" in active:
        effects.append(QuietDeadColumns())
    return tuple(effects)
