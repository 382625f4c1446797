"""What a stage of the read path is, and what it is given."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Self

import torch

from hardware_models import kernels
from hardware_models.kernels.circuit import Circuit
from hardware_models.kernels.streams import Stream, of_conversion


@dataclasses.dataclass(frozen=True)
class Chips:
    """Chips that are read together, as they stand."""

    circuit: Circuit
    """Theirs alone."""
    buffers: Mapping[str, torch.Tensor]
    """All buffers of the device that they belong to."""
    which: slice
    """Their place in it."""

    def __getitem__(self, name: str) -> torch.Tensor:
        """Return these chips' part of a buffer; a view, since what neurons remember is written into it."""
        return self.buffers[name][self.which]

    def with_circuit(self, **parts: torch.Tensor | None) -> Self:
        """Return the chips with some parts of their circuit replaced."""
        return dataclasses.replace(self, circuit=self.circuit._replace(**parts))


@dataclasses.dataclass(frozen=True)
class Signal:
    """A signal between two stages."""

    chips: Chips
    """Whose it is."""
    value: torch.Tensor
    """``(chips, batch, lines)``."""
    first_row: torch.Tensor
    """Input vectors read before, ``(chips,)``; addresses noise."""
    bias: torch.Tensor | None = None
    """Added to the weighted sums."""
    sigma: torch.Tensor = torch.zeros(())
    """Standard deviation of the weighted sums; known behind the drive, 0 before."""
    tile: int = 0
    """Whose amplifiers and converters are next."""
    conversion: int = 0
    """Number of the conversion among those of one read; addresses noise."""

    def replaced(self, value: torch.Tensor) -> Self:
        """Return the signal with another value."""
        return dataclasses.replace(self, value=value)

    def add_noise(self, sigma: torch.Tensor, stream: Stream) -> Self:
        """Add noise in place."""
        address = of_conversion(stream, self.conversion)
        kernels.add_normal_(self.value, sigma, self.chips.circuit.seeds, self.first_row, address)
        return self


@dataclasses.dataclass(frozen=True)
class Linear:
    r"""Small-signal response of a chip before its curve, :math:`g (W x + b) + o`, and after it."""

    weights: torch.Tensor
    """``W``, ``(chips, n_out, n_in)``."""
    gain: torch.Tensor
    """``g``, ``(chips, tiles, n_out)``."""
    offset: torch.Tensor
    """``o``, ``(chips, tiles, n_out)``."""
    after: torch.Tensor
    """Gain of what follows the curve or the amplifier, ``(chips, tiles, n_out)``."""
    shift: torch.Tensor | float = 0.0
    """Offset of what follows them."""
    cell_gain: torch.Tensor | None = None
    """Gain behind each cell where sums are converted in parts, ``(chips, n_out, n_in)``."""
    mixing: torch.Tensor | None = None
    """What sums are mixed by once they are formed, ``(chips, n_out, n_out)``; not yet in the weights."""

    def replaced(self, **parts: torch.Tensor | float | None) -> Self:
        """Return the response with some parts replaced."""
        return dataclasses.replace(self, **parts)


class Stage(abc.ABC):
    """One step of a signal through a chip. A stage holds no tensor: what a chip knows is in its buffers."""

    @abc.abstractmethod
    def apply(self, signal: Signal) -> Signal:
        """Return the signal after this stage. A value may be changed in place between `Bias` and the end only."""

    def linearize(self, response: Linear, chips: Chips) -> Linear:
        """Return the small-signal response with this stage, without steps, limits and noise.

        Stages are asked from the last to the first. How neurons couple, and hysteresis, depends on all signals of a
        read, or of those before, and is left out: each neuron alone, moving one way.

        Args:
            response: That of the stages after this one.
            chips: As they stand.
        """
        return response


class CellEffect(abc.ABC):
    """What makes weights act otherwise than they are written, in every read alike."""

    @abc.abstractmethod
    def act(self, chips: Chips) -> Chips:
        """Return the chips with the weights, or their noise, as they act."""


def through(stages: tuple[Stage, ...], signal: Signal) -> Signal:
    """Return the signal after these stages."""
    for stage in stages:
        signal = stage.apply(signal)
    return signal


def linearized(stages: tuple[Stage, ...], response: Linear, chips: Chips) -> Linear:
    """Return the small-signal response with these stages."""
    for stage in reversed(stages):
        response = stage.linearize(response, chips)
    return response
