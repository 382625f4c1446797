"""From weighted sums to what neurons are given: bias, noise of the weights, amplifiers, sums in parts."""

import abc
import dataclasses
from collections.abc import Iterator

import torch
from typing_extensions import override

from hardware_models.array.periphery import SERIAL_BITS
from hardware_models.array.stages.stage import Chips, Linear, Signal, Stage, linearized, through
from hardware_models.effects.tiles import serial
from hardware_models.kernels.streams import Stream


class Bias(Stage):
    """What is added to the sums at the bias port; always a new tensor."""

    @override
    def apply(self, signal):
        value, bias = signal.value, signal.bias
        return signal.replaced(value.clone() if bias is None else value + bias)


class WeightNoise(Stage):
    """Noise of the weights, as it shows in the sums."""

    @override
    def apply(self, signal):
        return signal.add_noise(signal.sigma, Stream.WEIGHT_READ)


class Amplifier(Stage):
    """Gains and offsets of neurons, or of the amplifiers behind the columns of a tile."""

    @override
    def apply(self, signal):
        circuit, tile = signal.chips.circuit, slice(signal.tile, signal.tile + 1)
        signal.value.mul_(circuit.gain[:, tile]).add_(circuit.offset[:, tile])
        return signal

    @override
    def linearize(self, response, chips):
        return response.replaced(gain=chips.circuit.gain, offset=chips.circuit.offset)


class Rounds(abc.ABC):
    """How inputs are sent into an array."""

    @abc.abstractmethod
    def of(self, lines: torch.Tensor, chips: Chips) -> Iterator[tuple[torch.Tensor, float]]:
        """Yield the signals of each round, and what their sums count for."""


class AtOnce(Rounds):
    """Amplitudes, in one round."""

    @override
    def of(self, lines, chips):
        yield lines, 1.0


@dataclasses.dataclass(frozen=True)
class BitSerial(Rounds):
    """Bits, one after another; a line carries its full scale or nothing."""

    bits: int
    """Bits of an input."""
    signed: bool
    """Whether inputs are of both signs, in two's complement: the last bit counts negatively."""

    @override
    def of(self, lines, chips):
        circuit, last = chips.circuit, self.bits - 1
        full, steps = (-circuit.input_min, 2.0**last) if self.signed else (circuit.input_max, 2.0**self.bits - 1)
        for bit in range(self.bits):
            sign = -1.0 if self.signed and bit == last else 1.0
            yield serial(lines, full / steps, bit) * full, sign * 2.0**bit / steps


@dataclasses.dataclass(frozen=True)
class PartialSums(Stage):
    """Sums that are converted tile by tile and round by round, and added as numbers."""

    tiles: tuple[slice, ...]
    """Input lines of each tile."""
    rounds: Rounds
    """How inputs are sent."""
    conversion: tuple[Stage, ...]
    """From the lines of a tile to converted sums."""

    @override
    def apply(self, signal):
        total = torch.zeros((), device=signal.value.device)
        for tile, lines in enumerate(self.tiles):
            chips = _of_lines(signal.chips, lines)
            for n, (signals, worth) in enumerate(self.rounds.of(signal.value[..., lines], chips)):
                number = tile * SERIAL_BITS + n
                part = Signal(chips, signals.contiguous(), signal.first_row, tile=tile, conversion=number)
                total = total + worth * through(self.conversion, part).value
        return signal.replaced(total)

    @override
    def linearize(self, response, chips):
        inner = linearized(self.conversion, response, chips)
        gain, offset = inner.gain * inner.after, inner.offset * inner.after + inner.shift
        of_lines = [gain[:, t, :, None].expand(-1, -1, rows.stop - rows.start) for t, rows in enumerate(self.tiles)]
        one = torch.ones_like(gain[:, :1])
        return Linear(inner.weights, one, offset.sum(1, keepdim=True), one, cell_gain=torch.cat(of_lines, 2))


def _of_lines(chips: Chips, lines: slice) -> Chips:
    """Return chips with the weights of one tile only."""
    weights, variance = chips.circuit.weights, chips.circuit.variance
    return chips.with_circuit(
        weights=weights[..., lines].contiguous(),
        variance=None if variance is None else variance[..., lines].contiguous(),
    )
