"""Goodness: how strongly a layer answers."""

import torch

from analogff import normalise


def mean_square(y: torch.Tensor) -> torch.Tensor:
    r"""Return the goodness of each sample, the mean of squares.

    .. math:: G = \tfrac1n \sum_j y_j^2, \qquad \frac{\partial G}{\partial W_{ji}} = \tfrac2n\, y_j f'(a_j)\, x_i

    Hinton's sum of squares with threshold ``n`` is this one with threshold 1 and a loss scale of ``n``.

    Shapes:
        ``(..., n)`` to ``(...)``.
    """
    return normalise.mean_square(y)
