"""A fixed transform of second order: what a fit of measured input-output pairs uses."""

import torch

from analogff.device import product


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
    own = torch.arange(len(coefficients))
    return torch.cat([coefficients[own, 1 + own, None], _second_derivatives(coefficients)[own, own]], -1)


def pulled_back(u: torch.Tensor, errors: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    r"""Return errors of all inputs from those of the outputs.

    .. math:: \delta_i = \sum_k \epsilon_k \left(B_{ki} + \sum_j (Q_{kij} + Q_{kji}) u_j\right)

    Shapes:
        ``u``, ``errors`` and what is returned: ``(chips, reads, n)``.

    Args:
        u: Inputs.
        errors: Of each output.
        coefficients: As in `own_slopes`.
    """
    n, chips = len(coefficients), len(u)
    linear = coefficients[:, 1 : 1 + n].mT.contiguous().expand(chips, -1, -1)
    second = _second_derivatives(coefficients).flatten(1).mT.contiguous().expand(chips, -1, -1)
    by_pairs = product(errors, second).unflatten(-1, (n, n))
    return product(errors, linear) + (by_pairs * u.unsqueeze(-2)).sum(-1)


def _second_derivatives(coefficients: torch.Tensor) -> torch.Tensor:
    """Return those of each output by two inputs, ``(n, n, n)``."""
    n = len(coefficients)
    first, second = _pairs(n)
    products = coefficients.new_zeros(n, n, n)
    products[:, first, second] = coefficients[:, 1 + n :]
    return products + products.mT  # a square counts twice in its derivative


def _pairs(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = torch.triu_indices(n, n)
    return first, second
