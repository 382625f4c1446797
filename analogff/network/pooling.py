"""Pooling of a layer's map, and the widths of layers that are pooled."""

import dataclasses
import functools
from typing import Literal

import torch

from analogff.system import Work, work

PoolKind = Literal["max", "average"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pooling:
    r"""Digital pooling of squares of a map, each channel by itself.

    .. math:: x_{pc} = \max_{q \in S_p} y_{qc} \qquad \text{or} \qquad x_{pc} = \frac1{|S|} \sum_{q \in S_p} y_{qc}

    It stands between a layer and the normalization of the next one, and is exactly known. An error goes back to the
    greatest activity of its square, to the first of equal ones, or in equal shares to all.

    Shapes:
        ``y``: ``(chips, batch, height width channels)``, the channels of a point together; the pooled map likewise. A
        side of one point is left alone.
    """

    channels: int
    """Numbers of a point."""
    height: int
    """Points from top to bottom."""
    width: int
    """Points from left to right."""
    size: int
    """Side of a square, which divides the sides of the map."""
    kind: PoolKind = "max"
    """What becomes of a square."""

    @property
    def square(self) -> tuple[int, int]:
        """Height and width of a square."""
        return min(self.size, self.height), min(self.size, self.width)

    @property
    def map(self) -> tuple[int, int]:
        """Height and width of the pooled map."""
        down, across = self.square
        return self.height // down, self.width // across

    @property
    def n_in(self) -> int:
        """Numbers of the map."""
        return self.channels * self.height * self.width

    @property
    def n_out(self) -> int:
        """Numbers of the pooled map."""
        down, across = self.square
        return self.n_in // (down * across)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        """Return the pooled map."""
        parts = self._parts(y)
        if self.kind == "max":
            pooled = functools.reduce(torch.maximum, parts)
        else:
            pooled = functools.reduce(torch.add, parts) / len(parts)
        return pooled.flatten(2)

    def backward(self, error: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Carry an error, the derivative by ``forward(y)``, back to ``y``."""
        back = torch.zeros_like(y)
        errors, targets = error.unflatten(-1, (*self.map, self.channels)), self._parts(back)
        if self.kind == "average":
            for target in targets:
                target += errors / len(targets)
            return back
        best = self.forward(y).unflatten(-1, (*self.map, self.channels))
        free = torch.ones_like(best, dtype=torch.bool)
        for target, part in zip(targets, self._parts(y), strict=True):
            wins = free & (part == best)
            target += torch.where(wins, errors, 0.0)
            free &= ~wins
        return back

    def work(self, vectors: int) -> Work:
        """Return the digital work of `forward`: a comparison or a sum for each number."""
        numbers = work.elementwise(vectors * self.n_in, operations=1, operands=1, results=0)
        return numbers + work.elementwise(vectors * self.n_out, operations=0, operands=0)

    def backward_work(self, vectors: int) -> Work:
        """Return that of `backward`, which takes each number of the map, its square's best, and an error."""
        numbers = work.elementwise(vectors * self.n_in, operations=1, operands=1)
        return numbers + work.elementwise(vectors * self.n_out, operations=0, operands=2, results=0)

    def _parts(self, y: torch.Tensor) -> list[torch.Tensor]:
        """Return views of the numbers at each place of a square, ``(chips, batch, down, across, channels)``."""
        points, (down, across) = y.unflatten(-1, (self.height, self.width, self.channels)), self.square
        return [points[:, :, i::down, j::across] for i in range(down) for j in range(across)]


class Width(int):
    """The outputs of a convolution."""

    heard: int
    """What the next layer hears of them."""
    channels: int
    """Outputs of its array."""

    def __new__(cls, outputs: int, *, heard: int, channels: int):
        """Make the width of a layer."""
        width = super().__new__(cls, outputs)
        width.heard, width.channels = heard, channels
        return width


def heard(width: int) -> int:
    """Return how many numbers of a layer with so many outputs the next one hears.

    Example:
        >>> heard(16), heard(Width(16, heard=4, channels=1))
        (16, 4)
    """
    return width.heard if isinstance(width, Width) else width


def kinds_of_neurons(width: int) -> int:
    """Return how many different neurons a layer with so many outputs has: the channels of a convolution, or all.

    Example:
        >>> kinds_of_neurons(16), kinds_of_neurons(Width(16, heard=4, channels=1))
        (16, 1)
    """
    return width.channels if isinstance(width, Width) else width
