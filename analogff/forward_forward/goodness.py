"""Goodness: how strongly a layer answers."""

import abc
from typing import ClassVar

import torch
from typing_extensions import override

from analogff.device import derive_seed
from analogff.network import normalization


class Goodness(abc.ABC):
    """One number a sample from a layer's activity, and its derivative."""

    operations: ClassVar[int] = 2
    """Elementary operations for each activity: one in the sum of squares, one in the derivative."""

    @abc.abstractmethod
    def of(self, y: torch.Tensor, mean_squares: torch.Tensor) -> torch.Tensor:
        """Return the goodness of each sample, ``(chips, batch, n)`` to ``(chips, batch)``.

        ``mean_squares``, ``(chips, batch)``, are those of ``y``, which the normalization needs anyway.
        """

    @abc.abstractmethod
    def gradient(self, y: torch.Tensor, mean_squares: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        """Return the derivative of each goodness by activity, times its factor, ``(chips, batch)``."""

    @abc.abstractmethod
    def unit(self, n: int) -> float:
        """Return the derivative by an activity that is 1, among ``n`` whose mean square is 1 (cosine: its size)."""


class MeanSquare(Goodness):
    r"""The mean of squares.

    .. math:: G = \tfrac1n \sum_j y_j^2, \qquad \frac{\partial G}{\partial y_j} = \tfrac2n\, y_j
    """

    @override
    def of(self, y, mean_squares):
        return mean_squares

    @override
    def gradient(self, y, mean_squares, factors):
        return y * (factors * (2 / y.shape[-1])).unsqueeze(-1)

    @override
    def unit(self, n):
        return 2 / n


class SumSquare(Goodness):
    r"""Hinton's sum of squares, ``n`` times the mean.

    Reference:
        Hinton (2022), section 2.
    """

    @override
    def of(self, y, mean_squares):
        return mean_squares * y.shape[-1]

    @override
    def gradient(self, y, mean_squares, factors):
        return y * (factors * 2).unsqueeze(-1)

    @override
    def unit(self, n):
        return 2.0


class Cosine(Goodness):
    r"""How well the activity points along a random direction, fixed for each layer.

    .. math:: G = \frac{v \cdot y}{|y|}, \qquad
              \frac{\partial G}{\partial y_j} = \frac{1}{|y|} \left(v_j - G\, \frac{y_j}{|y|}\right),
              \qquad |v| = 1

    It does not grow with the activity, so that nothing of it is lost in a length normalization.

    Args:
        width: ``n``, the neurons of the layer.
        seed: Decides the direction, Gaussian before it is given its length.

    Reference:
        Momeni et al., Backpropagation-free training of deep physical neural networks (Science 2023), PhyLL.
    """

    operations = 5

    def __init__(self, width: int, seed: int):
        drawn = torch.randn(width, generator=torch.Generator().manual_seed(seed))
        self.direction = drawn / drawn.norm()

    @override
    def of(self, y, mean_squares):
        return (y * self.direction.to(y.device)).sum(-1) / _length(mean_squares, y.shape[-1])

    @override
    def gradient(self, y, mean_squares, factors):
        length = _length(mean_squares, y.shape[-1])
        goodness = (y * self.direction.to(y.device)).sum(-1)
        along = (factors / length).unsqueeze(-1) * self.direction.to(y.device)
        return along - y * (factors * goodness / length**3).unsqueeze(-1)

    @override
    def unit(self, n):
        return 1 / n


def _length(mean_squares: torch.Tensor, n: int) -> torch.Tensor:
    """Return the length of each vector of ``n`` numbers, which is a little more than 0 in silence."""
    return normalization.length_of(mean_squares) * n**0.5


GOODNESS: dict[str, Goodness] = {"mean": MeanSquare(), "sum": SumSquare()}
"""Those that are the same for every layer."""


def make_goodness(name: str, layer: int, width: int, seed: int) -> Goodness:
    """Return the goodness of one layer.

    Args:
        name: mean, sum or cosine.
        layer: Which layer, from 0.
        width: Its neurons.
        seed: The learning seed, which decides the direction of a cosine.
    """
    return Cosine(width, derive_seed(seed, "goodness", layer)) if name == "cosine" else GOODNESS[name]


def mean_square(y: torch.Tensor) -> torch.Tensor:
    """Return the mean of squares of each sample, ``(..., n)`` to ``(...)``."""
    return normalization.mean_square(y)
