"""From the lines to weighted sums: the product, traps in the cells, and columns that couple or are dead."""

import dataclasses

import torch
from typing_extensions import override

from analogff.device import product
from hardware_models import kernels
from hardware_models.array.stages.stage import Signal, Stage, linearized, through
from hardware_models.effects import crosstalk, defects, telegraph
from hardware_models.kernels.reference.read import noise_of_sums
from hardware_models.kernels.streams import Stream


class NoiseOfSums(Stage):
    """Standard deviation of the weighted sums by the noise of the weights; the signal itself stays."""

    @override
    def apply(self, signal):
        return dataclasses.replace(signal, sigma=noise_of_sums(signal.chips.circuit, signal.value))


class Product(Stage):
    """Weighted sums."""

    @override
    def apply(self, signal):
        return signal.replaced(product(signal.value, signal.chips.circuit.weights))


class Crosstalk(Stage):
    """Columns that couple to their neighbors."""

    @override
    def apply(self, signal):
        return signal.replaced(crosstalk.mix(signal.value, signal.chips["crosstalk"]))

    @override
    def linearize(self, response, chips):
        return response.replaced(weights=crosstalk.mix(response.weights.mT, chips["crosstalk"]).mT)


class DeadColumns(Crosstalk):
    """Columns that couple, some of which are not sensed."""

    @override
    def apply(self, signal):
        mixed = super().apply(signal)
        return mixed.replaced(defects.silenced(mixed.value, signal.chips["column_is_dead"]))

    @override
    def linearize(self, response, chips):
        mixed = super().linearize(response, chips)
        return mixed.replaced(weights=defects.silenced(mixed.weights.mT, chips["column_is_dead"]).mT)


@dataclasses.dataclass(frozen=True)
class Traps(Stage):
    """Weights that jump between reads; sums are formed interval by interval."""

    reads: int
    """For which a trap keeps its state."""
    sums: tuple[Stage, ...]
    """Stages that form sums with the weights of one interval."""

    @override
    def apply(self, signal):
        parts = [
            through(self.sums, self._during(interval, signal)).value
            for interval in telegraph.spells(int(signal.first_row), signal.value.shape[1], self.reads)
        ]
        return signal.replaced(parts[0] if len(parts) == 1 else torch.cat(parts, 1))

    @override
    def linearize(self, response, chips):
        return linearized(self.sums, response, chips)

    def _during(self, interval: slice, signal: Signal) -> Signal:
        """Return the lines during an interval, and the weights that they meet."""
        chips, first = signal.chips, signal.first_row + interval.start
        weights, jump = chips.circuit.weights, chips["telegraph_noise"]
        row, count = telegraph.block_rows(first, 1, self.reads)
        drawn = kernels.uniform(chips.circuit.seeds, row, count, weights[0].numel(), Stream.TELEGRAPH)
        occupancy = torch.full_like(jump, 0.5)
        state = telegraph.telegraph(drawn, first, 1, self.reads, chips["trap_phase"], occupancy).view_as(weights)
        return dataclasses.replace(
            signal,
            chips=chips.with_circuit(weights=weights * (1 + jump * state)),
            value=signal.value[:, interval].contiguous(),
            first_row=first,
        )


def columns(active: frozenset[str]) -> tuple[Stage, ...]:
    """Return the stages of columns that couple or are dead; the argument is that of `cells.cells`."""
    if "dead_columns" in active:
        return (DeadColumns(),)
    return (Crosstalk(),) if "crosstalk" in active else ()
