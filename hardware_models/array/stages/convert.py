"""From outputs, or partial sums, to what is read: output converters."""

import abc
import dataclasses

import torch
from typing_extensions import override

from hardware_models.array.stages.stage import Chips, Signal, Stage
from hardware_models.effects import converters
from hardware_models.effects.quantize import quantize
from hardware_models.effects.tiles import signed_range
from hardware_models.kernels.streams import Stream


class Range(abc.ABC):
    """Which signals converters take."""

    @abc.abstractmethod
    def of(self, chips: Chips) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both ends."""


class OfOutputs(Range):
    """That of neurons."""

    @override
    def of(self, chips):
        return chips.circuit.output_min, chips.circuit.output_max


@dataclasses.dataclass(frozen=True)
class OfPartialSums(Range):
    """That of a tile's sums, of either sign."""

    share: float
    """What a tile has of the range of whole sums."""

    @override
    def of(self, chips):
        return signed_range(chips["sum_max"] * self.share, chips.circuit.adc_bits)


@dataclasses.dataclass(frozen=True)
class Adc(Stage):
    """Output converters without errors."""

    range: Range

    @override
    def apply(self, signal):
        return signal.replaced(quantize(signal.value, *self.range.of(signal.chips), signal.chips.circuit.adc_bits))


@dataclasses.dataclass(frozen=True)
class FaultyAdc(Adc):
    """Output converters with gain, offset and noise of their own."""

    @override
    def apply(self, signal):
        return super().apply(self._disturbed(signal))

    @override
    def linearize(self, response, chips):
        shift = chips["adc_offset"] * self._step(chips)
        return response.replaced(after=response.after * chips["adc_gain"], shift=shift)

    def _disturbed(self, signal: Signal) -> Signal:
        """Return the signals as converters see them."""
        chips, tile, step = signal.chips, slice(signal.tile, signal.tile + 1), self._step(signal.chips)
        v = signal.value * chips["adc_gain"][:, tile] + chips["adc_offset"][:, tile] * step
        return signal.replaced(v).add_noise(chips["adc_noise_lsb"] * step, Stream.ADC_NOISE)

    def _step(self, chips: Chips) -> torch.Tensor:
        """Return a converter's LSB; 0 of a continuous one."""
        (low, high), bits = self.range.of(chips), chips.circuit.adc_bits
        return torch.where(bits > 0, (high - low) / (2.0**bits - 1).clamp(min=1), 0.0)


@dataclasses.dataclass(frozen=True)
class UnequalAdc(FaultyAdc):
    """Such converters whose steps differ, too."""

    @override
    def apply(self, signal):
        chips, step, columns = signal.chips, self._step(signal.chips), signal.value.shape[-1]
        low, _ = self.range.of(chips)
        thresholds = chips["adc_thresholds"][:, signal.tile * columns : (signal.tile + 1) * columns]
        codes = converters.codes((self._disturbed(signal).value - low) / step, thresholds)
        return signal.replaced(low + codes * step)


def convert(active: frozenset[str], over: Range) -> Stage:
    """Return the converters of a chip.

    Args:
        active: Names of its numbers that are above zero.
        over: Their range.
    """
    if "adc_inl_lsb" in active:
        return UnequalAdc(over)
    return (FaultyAdc if active & {"adc_gain_error", "adc_offset_lsb", "adc_noise_lsb"} else Adc)(over)
