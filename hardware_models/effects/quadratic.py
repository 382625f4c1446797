"""A fixed transform of second order: what a fit of measured input-output pairs uses."""

import torch


def features(u: torch.Tensor) -> torch.Tensor:
    """Return 1, all inputs ``(..., n)``, and all products of two of them, ``(..., 1 + n + n (n + 1) / 2)``."""
    first, second = _pairs(u.shape[-1])
    return torch.cat([torch.ones_like(u[..., :1]), u, u[..., first] * u[..., second]], -1)


def own_slopes(coefficients: torch.Tensor) -> torch.Tensor:
    """Return what the derivative of each output by the input of the same index is made of.

    Args:
        coefficients: Of `features` in each output, ``(n, features)``.

    Returns:
        Coefficients of 1 and of all inputs, ``(n, 1 + n)``.
    """
    n = len(coefficients)
    first, second = _pairs(n)
    products = coefficients.new_zeros(n, n, n)
    products[:, first, second] = coefficients[:, 1 + n :]
    both = products + products.mT  # a square counts twice in its derivative
    own = torch.arange(n)
    return torch.cat([coefficients[own, 1 + own, None], both[own, own]], -1)


def _pairs(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = torch.triu_indices(n, n)
    return first, second
