"""Differential pairs: a weight is the difference of two conductances; all plus cells come before the minus cells."""

import torch


def pair(weights: torch.Tensor) -> torch.Tensor:
    """Split weights ``(chips, n_out, n_in)`` into cells ``(chips, 2 n_out, n_in)``, one of each pair empty."""
    return torch.cat([weights.clamp(min=0), (-weights).clamp(min=0)], 1)


def difference(cells: torch.Tensor) -> torch.Tensor:
    """Return the weights of cells; the inverse of `pair`."""
    plus, minus = cells.chunk(2, 1)
    return plus - minus
