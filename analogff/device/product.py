"""The matrix product over a bank of chips."""

import torch


def product(x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    r"""Weighted sums of every chip.

    .. math:: a_{cbj} = \sum_i W_{cji} x_{cbi}

    On a CPU the chips are looped: each keeps its matrix in cache, and its sums do not depend on how many
    others are in the bank.

    Shapes:
        ``x``: ``(chips, batch, n_in)``, ``weights``: ``(chips, n_out, n_in)``; returns ``(chips, batch, n_out)``.
    """
    return _product(x, weights.mT)


def outer(errors: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    r"""Sums of outer products over the batch, ``sum_b e_bj x_bi``, of every chip.

    Shapes:
        ``errors``: ``(chips, batch, n_out)``, ``x``: ``(chips, batch, n_in)``; returns ``(chips, n_out, n_in)``.
    """
    return _product(errors.mT, x)


def _product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    if a.is_cuda or torch.is_grad_enabled() and (a.requires_grad or b.requires_grad):
        return torch.matmul(a, b)
    out = a.new_empty(a.shape[0], a.shape[1], b.shape[2])
    for chip in range(a.shape[0]):
        torch.mm(a[chip], b[chip], out=out[chip])
    return out
