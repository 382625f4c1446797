"""The read path of a chip, chosen from its numbers."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from analogff.device import product
from hardware_models.array.periphery import TRAP_READS, Periphery
from hardware_models.array.stages.array import NoiseOfSums, Product, Traps, columns
from hardware_models.array.stages.cells import cells
from hardware_models.array.stages.convert import OfOutputs, OfPartialSums, convert
from hardware_models.array.stages.drive import drive
from hardware_models.array.stages.neuron import Curve, Limits, ReadNoise, neuron
from hardware_models.array.stages.sense import Amplifier, AtOnce, Bias, BitSerial, PartialSums, WeightNoise
from hardware_models.array.stages.stage import CellEffect, Chips, Linear, Signal, Stage, linearized, through
from hardware_models.effects.tiles import tiles

EFFECTS = (
    *("adc_gain_error", "adc_offset_lsb", "adc_inl_lsb", "adc_noise_lsb", "dac_gain_error", "dac_inl_lsb"),
    *("stuck_low", "stuck_high", "wire_ohm", "dead_rows", "crosstalk", "dead_columns", "telegraph_noise"),
    *("neuron_flicker", "inhibition", "supply_droop", "neuron_seconds", "hysteresis"),
)
"""Numbers of a `Periphery` that are off at 0."""


class OwnStages(NamedTuple):
    """Stages of a device beyond those of its periphery."""

    sums: tuple[Stage, ...] = ()
    """What happens to the sums of an array before they meet a bias; the same in every read."""
    neurons: tuple[Stage, ...] = ()
    """What neurons do beyond their curve; none where neurons are digital."""


@dataclasses.dataclass(frozen=True)
class ReadPath:
    """The stages of a chip."""

    cells: tuple[CellEffect, ...]
    """What makes weights act otherwise than they are written."""
    once: tuple[Stage, ...]
    """Stages that answer alike to every bias, in every read."""
    each: tuple[Stage, ...]
    """Those that follow, once for each bias."""

    def read(self, chips: Chips, x: torch.Tensor, biases: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
        """Return the outputs that inputs ``(chips, batch, n_in)`` meet, read once for each bias."""
        chips = self._acting(chips)
        reads = chips.circuit.reads
        signal = through(self.once, Signal(chips, x, reads))
        starts = [dict(first_row=reads + n * x.shape[1], bias=bias) for n, bias in enumerate(biases)]
        return [through(self.each, dataclasses.replace(signal, **start)).value for start in starts]

    def linearize(self, chips: Chips) -> Linear:
        """Return the small-signal response of what is on the path beside the curve."""
        chips = self._acting(chips)
        one = torch.ones_like(chips.circuit.gain)
        response = Linear(chips.circuit.weights, one, torch.zeros_like(one), one)
        response = linearized((*self.once, *self.each), response, chips)
        weights, mixing = response.weights, response.mixing
        weights = weights if response.cell_gain is None else weights * response.cell_gain
        return response.replaced(weights=weights if mixing is None else product(mixing, weights.mT.contiguous()))

    def _acting(self, chips: Chips) -> Chips:
        for effect in self.cells:
            chips = effect.act(chips)
        return chips


def paths(periphery: Periphery, numbers: Mapping[str, torch.Tensor], n_in: int, own: OwnStages) -> dict[int, ReadPath]:
    """Return the read path of each chip that has an effect.

    Args:
        periphery: Of all chips.
        numbers: Its numbers, each ``(chips, 1, 1)``, and what was drawn by them.
        n_in: Input lines.
        own: Those that the device adds.
    """
    on = zip(*((numbers[name].flatten() > 0).tolist() for name in EFFECTS), strict=True)
    active = [frozenset(name for name, is_on in zip(EFFECTS, chip, strict=True) if is_on) for chip in on]
    return {c: path(periphery, a, n_in, own) for c, a in enumerate(active) if a or periphery.digital}


def path(periphery: Periphery, active: frozenset[str], n_in: int, own: OwnStages) -> ReadPath:
    """Return the read path of one chip.

    Args:
        periphery: Its own.
        active: Its effects that are on.
        n_in: Input lines.
        own: As above.
    """
    lines = tuple(tiles(n_in, periphery.rows_per_tile))
    acting, first = cells(active, lines), drive(active)
    sums = (Product(), *columns(active), *own.sums)
    if periphery.digital:
        sums = (_partial_sums(periphery, active, lines, sums),)
    else:
        first = (*first, NoiseOfSums())
    if "telegraph_noise" in active:
        sums = (Traps(periphery.trap_reads or TRAP_READS, sums),)
    if periphery.digital:
        return ReadPath(acting, first, (*sums, Bias(), Curve(), Limits()))
    last = (*own.neurons, *neuron(active), ReadNoise(), convert(active, OfOutputs()))
    each = (Bias(), WeightNoise(), Amplifier(), Curve(), *last)
    if "telegraph_noise" in active:
        return ReadPath(acting, first, (*sums, *each))
    return ReadPath(acting, (*first, *sums), each)


def _partial_sums(
    periphery: Periphery, active: frozenset[str], lines: tuple[slice, ...], sums: tuple[Stage, ...]
) -> PartialSums:
    """Return the stage of sums that are converted in parts."""
    share = len(lines) ** -0.5
    rounds = BitSerial(periphery.serial_bits, periphery.signed_inputs) if periphery.bit_serial else AtOnce()
    conversion = (*sums, WeightNoise(), Amplifier(), ReadNoise(share), convert(active, OfPartialSums(share)))
    return PartialSums(lines, rounds, (NoiseOfSums(), *conversion))
