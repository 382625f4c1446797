"""Two cells a weight: a signed number as the difference of two conductances, first all plus, then all minus."""

import torch


def pair(weights: torch.Tensor) -> torch.Tensor:
    """Split weights ``(chips, n_out, n_in)`` into cells ``(chips, 2 n_out, n_in)``, one of each pair empty."""
    return torch.cat([weights.clamp(min=0), (-weights).clamp(min=0)], 1)


def difference(cells: torch.Tensor) -> torch.Tensor:
    """Return the weights that cells carry; undoes `pair`."""
    plus, minus = cells.chunk(2, 1)
    return plus - minus
