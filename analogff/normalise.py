"""Digital length normalisation, between the layers and before the first."""

import torch

from analogff.device import Marked

_FLOOR = 1e-12  # keeps a silent layer silent instead of undefined


def length_normalise(y: torch.Tensor) -> torch.Tensor:
    r"""Scale each vector to mean square 1, so that its length, which is its goodness, is not passed on.

    .. math:: \hat y = y / \sqrt{\tfrac1n \sum_j y_j^2}

    Shapes:
        ``(..., n)`` to the same.

    Reference:
        Hinton, The Forward-Forward Algorithm (2022), section 2 (no mean removed).
    """
    return y / root_mean_square(y)


def normalise_marked(x: Marked) -> Marked:
    """As `length_normalise`, for variants whose marks are equally long, as one-hot labels are."""
    squares = x.shared.square().sum(-1, keepdim=True) + x.marks[:1, 0].square().sum(-1, keepdim=True)
    length = length_of(squares / x.shared.shape[-1])
    return Marked(x.shared / length, x.marks / length.unsqueeze(1))


def root_mean_square(y: torch.Tensor) -> torch.Tensor:
    """Return the length that `length_normalise` divides by, ``(..., 1)``."""
    return length_of(mean_square(y).unsqueeze(-1))


def mean_square(y: torch.Tensor) -> torch.Tensor:
    """Return the mean of squares of each vector, ``(..., n)`` to ``(...)``."""
    return torch.linalg.vector_norm(y, dim=-1).square() / y.shape[-1]


def length_of(mean_squares: torch.Tensor) -> torch.Tensor:
    """Return the length that belongs to a mean of squares.

    One that overflows is NaN: dividing by infinity would pass a diverged layer off as a silent one.
    """
    length = (mean_squares + _FLOOR).sqrt()
    return length.masked_fill(length.isinf(), torch.nan)


def normalise_backward(error: torch.Tensor, normalised: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    r"""Carry an error back through the normalisation, which is digital and so exactly known.

    .. math:: \frac{\partial L}{\partial y} = \frac1r \left(e - \hat y \, \tfrac1n \sum_j e_j \hat y_j\right)
    """
    return (error - normalised * (error * normalised).mean(-1, keepdim=True)) / length
