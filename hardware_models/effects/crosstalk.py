"""Crosstalk: part of a column's sum that shows in its neighbors."""

import torch


def mix(sums: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    r"""Add a fraction of each neighbor's sum to a column's own.

    .. math:: a'_j = a_j + c\, (a_{j-1} + a_{j+1})

    The columns at both ends have one neighbor. Modes along the columns are stretched by
    :math:`1 + 2 c \cos(k \pi / (n + 1))`, so the power of any signal changes by a factor between ``(1 - 2c)^2`` and
    ``(1 + 2c)^2``; that of columns that do not correlate by ``1 + 2 c^2 (n - 1) / n``.

    Shapes:
        ``sums``: ``(chips, batch, n_out)``; ``share`` broadcasts.

    Args:
        sums: Of each column by itself.
        share: ``c``, from 0 (none: the sums, exactly) to below 1/2 (where the sums could no longer be told apart).

    Reference:
        Capacitive or resistive coupling of neighboring lines, to first order; no one circuit.
    """
    mixed = sums.clone()
    mixed[..., 1:] += share * sums[..., :-1]
    mixed[..., :-1] += share * sums[..., 1:]
    return mixed
