"""Goodness: how strongly a layer answers."""

import abc

import torch

from analogff import normalise


class Goodness(abc.ABC):
    """One number a sample from a layer's activity, and its derivative."""

    @abc.abstractmethod
    def of(self, y: torch.Tensor, mean_squares: torch.Tensor) -> torch.Tensor:
        """Return the goodness of each sample, ``(chips, batch, n)`` to ``(chips, batch)``.

        ``mean_squares``, ``(chips, batch)``, are those of ``y``, which the normalisation needs anyway.
        """

    @abc.abstractmethod
    def gradient(self, y: torch.Tensor, mean_squares: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        """Return the derivative of each goodness by activity, times its factor, ``(chips, batch)``."""


class MeanSquare(Goodness):
    r"""The mean of squares.

    .. math:: G = \tfrac1n \sum_j y_j^2, \qquad \frac{\partial G}{\partial y_j} = \tfrac2n\, y_j
    """

    def of(self, y, mean_squares):  # noqa: D102
        return mean_squares

    def gradient(self, y, mean_squares, factors):  # noqa: D102
        return y * (factors * (2 / y.shape[-1])).unsqueeze(-1)


class SumSquare(Goodness):
    r"""Hinton's sum of squares, ``n`` times the mean.

    Reference:
        Hinton (2022), section 2.
    """

    def of(self, y, mean_squares):  # noqa: D102
        return mean_squares * y.shape[-1]

    def gradient(self, y, mean_squares, factors):  # noqa: D102
        return y * (factors * 2).unsqueeze(-1)


GOODNESS: dict[str, Goodness] = {"mean": MeanSquare(), "sum": SumSquare()}


def mean_square(y: torch.Tensor) -> torch.Tensor:
    """Return the mean of squares of each sample, ``(..., n)`` to ``(...)``."""
    return normalise.mean_square(y)
