"""Lines that act on others: a random sparse mixing."""

import torch


def mixing_matrix(
    normal: torch.Tensor, uniform: torch.Tensor, strength: torch.Tensor, density: torch.Tensor
) -> torch.Tensor:
    r"""Return a matrix that leaves each line as it is, and adds a few others to it.

    .. math:: M = 1 + \beta S, \quad S_{jj} = 0, \quad \sum_k S_{jk}^2 = 1

    A line without any other to listen to has a row of zeros in ``S``.

    Shapes:
        ``normal``, ``uniform`` and the answer: ``(chips, lines, lines)``; the others ``(chips, 1, 1)``.

    Args:
        normal: Standard normals, which decide signs and relative strengths.
        uniform: Numbers from 0 to 1, which decide who listens to whom.
        strength: ``beta``, root mean square of what a line takes from others over what it takes from itself, where
            signals are alike and independent.
        density: Share of the other lines that a line listens to, on average.
    """
    itself = torch.eye(normal.shape[-1], dtype=torch.bool, device=normal.device)
    weights = (normal * (uniform < density)).masked_fill(itself, 0.0)
    length = torch.linalg.vector_norm(weights.double(), dim=-1, keepdim=True)
    rows = (weights / length.clamp(min=1e-30)).to(normal.dtype)
    return itself + strength * rows
