"""The forward pass: a signal on its way through layers, however they are read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import torch

from analogff.device import SharedInputs
from analogff.network.normalization import mean_square

Signal = torch.Tensor | SharedInputs
"""What a layer is read with, ``(chips, batch, n_in)``."""


class Answer(Protocol):
    """A reading that shows more than the activity, such as slopes."""

    @property
    def y(self) -> torch.Tensor:
        """The activity, ``(chips, batch, n_out)``."""
        ...


R = TypeVar("R", bound=torch.Tensor | Answer)


class Passed(Generic[R]):
    """One layer that a signal has passed.

    Args:
        layer: Which one, from 0.
        x: What it was read with.
        reading: What it showed: its activity, or that among other things.
    """

    def __init__(self, layer: int, x: Signal, reading: R):
        self.layer = layer
        self.x = x
        self.reading = reading

    @property
    def y(self) -> torch.Tensor:
        """The activity, ``(chips, batch, n_out)``."""
        return self.reading if isinstance(self.reading, torch.Tensor) else self.reading.y

    @functools.cached_property
    def mean_squares(self) -> torch.Tensor:
        """The mean square of each activity vector, ``(chips, batch)``."""
        return mean_square(self.y)


Read = Callable[[Any], R]
"""A way to read one layer: `Sealed.measure`, a slope, a backward view."""
Onward = Callable[[Passed], Signal]
"""From a layer that was passed to what the next one is read with."""


def forward(reads: Sequence[Read[R]], x: Signal, onward: Onward) -> Iterator[Passed[R]]:
    """Send a signal through layers; yields each as it is passed.

    The next layer is read when the next item is asked for. So a caller may let a layer learn as soon as it was read,
    stop on the way, or keep a signal waiting.

    Args:
        reads: How each layer is read, in the order of the signal.
        x: Inputs of the first one.
        onward: What becomes of an activity on the way; not asked after the last layer.
    """
    for n, read in enumerate(reads):
        passed = Passed(n, x, read(x))
        yield passed
        if n + 1 < len(reads):
            x = onward(passed)
