"""Crosstalk: part of a column's sum appears in its neighbors."""

import torch


def mix(sums: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    r"""Add a fraction of each neighbor's sum to a column's own.

    .. math:: a'_j = a_j + c\, (a_{j-1} + a_{j+1})

    The columns at both ends have one neighbor. Modes along the columns are stretched by
    :math:`1 + 2 c \cos(k \pi / (n + 1))`, so the power of a signal changes by a factor between ``(1 - 2c)^2`` and ``(1
    + 2c)^2``. For uncorrelated columns the factor is ``1 + 2 c^2 (n - 1) / n``.

    Shapes:
        ``sums``: ``(chips, batch, n_out)``; ``share`` broadcasts.

    Args:
        sums: Sums of the columns without crosstalk.
        share: ``c``, from 0 (returns the sums exactly) to below 1/2 (where the map becomes singular).

    Reference:
        Capacitive or resistive coupling of neighboring lines, to first order; not a specific circuit.
    """
    mixed = sums.clone()
    mixed[..., 1:] += share * sums[..., :-1]
    mixed[..., :-1] += share * sums[..., 1:]
    return mixed
