"""The matrix product over a bank of chips."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import torch

from analogff.device.shared_inputs import SharedInputs

_ROUND_BYTES = 64
Precision = Literal["fp32", "tf32", "bf16"]
_PRECISION: ContextVar[Precision] = ContextVar("precision", default="fp32")


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Form the products of a bank on a CUDA device so; sums are in single precision always, and a CPU ignores it.

    Args:
        precision: Of the factors: 24 bits (``fp32``), 11 bits (``tf32``) or 8 bits (``bf16``).
    """
    token, before = _PRECISION.set(precision), torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
        _PRECISION.reset(token)


def product(x: torch.Tensor | SharedInputs, weights: torch.Tensor) -> torch.Tensor:
    r"""Weighted sums of every chip.

    .. math:: a_{cbj} = \sum_i W_{cji} x_{cbi}

    On a CPU the chips are looped: each keeps its matrix in cache, and its sums do not depend on how many
    others are in the bank. What the variants of a marked input share is summed once.

    Shapes:
        ``x``: ``(chips, batch, n_in)``, ``weights``: ``(chips, n_out, n_in)``; returns ``(chips, batch, n_out)``.
    """
    if not isinstance(x, SharedInputs):
        return _product(x, weights.mT)
    lines = x.marks.shape[-1]
    if _differentiable(x.shared, weights) or x.shared.is_cuda:
        marks = torch.matmul(x.marks, weights[:, None, :, :lines].mT)
        return (marks + _at_once(x.shared, weights.mT).unsqueeze(1)).flatten(1, 2)
    chips, variants, batch, _ = x.marks.shape
    out = x.shared.new_empty(chips, variants, batch, weights.shape[1])
    common = x.shared.new_empty(batch, weights.shape[1])
    for chip in range(chips):
        multiply(x.shared[chip], weights[chip].mT, common)
        add_marks(x.marks[chip], weights[chip, :, :lines], common, out[chip])
    return out.flatten(1, 2)


def multiply(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor, plus: torch.Tensor | None = None) -> None:
    """Fill ``out`` with ``a b``, or ``a b + plus``, of matrices, the same whatever stands around them in memory.

    Some libraries sum in another order where a matrix does not start at a round address, as that of a chip in the
    middle of a bank may not, or where other numbers stand between its rows.
    """
    a, b = (matrix if _is_round(matrix) and _is_dense(matrix) else _copy(matrix) for matrix in (a, b))
    place = out if _is_round(out) else torch.empty_like(out)
    if plus is None:
        torch.mm(a, b, out=place)
    else:
        torch.addmm(plus, a, b, out=place)
    if place is not out:
        out.copy_(place)


def _is_round(matrix: torch.Tensor) -> bool:
    return matrix.data_ptr() % _ROUND_BYTES == 0


def _is_dense(matrix: torch.Tensor) -> bool:
    return matrix.is_contiguous() or matrix.mT.is_contiguous()


def _copy(matrix: torch.Tensor) -> torch.Tensor:
    """Return a dense copy, transposed in memory if the matrix is."""
    return matrix.clone() if _is_dense(matrix) else matrix.clone(memory_format=torch.contiguous_format)


def add_marks(marks: torch.Tensor, weights: torch.Tensor, common: torch.Tensor, out: torch.Tensor) -> None:
    """Add the sums of one chip's marked lines to those of the common ones, for each variant.

    Shapes:
        ``marks``: ``(variants, batch, k)``, ``weights``: ``(n_out, k)``, ``common``: ``(batch, n_out)``; fills
        ``out``, ``(variants, batch, n_out)``.
    """
    weights = weights.mT.contiguous()
    for variant in range(marks.shape[0]):
        multiply(marks[variant], weights, out[variant], plus=common)


def outer(errors: torch.Tensor, x: torch.Tensor | SharedInputs, out: torch.Tensor | None = None) -> torch.Tensor:
    r"""Sums of outer products over the batch, ``sum_b e_bj x_bi``, of every chip.

    Shapes:
        ``errors``: ``(chips, batch, n_out)``, ``x``: ``(chips, batch, n_in)``; returns ``(chips, n_out, n_in)``, in
        ``out`` if that is given.
    """
    if not isinstance(x, SharedInputs):
        return _product(errors.mT, x, out)
    chips, variants, batch, lines = x.marks.shape
    each = errors.view(chips, variants, batch, -1)
    sums = _product(each.sum(1).mT, x.shared, out)
    sums[..., :lines] = _product(errors.mT, x.marks.expand(chips, -1, -1, -1).reshape(chips, variants * batch, lines))
    return sums


def _product(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    if a.is_cuda or _differentiable(a, b):
        return _at_once(a, b)
    out = a.new_empty(a.shape[0], a.shape[1], b.shape[2]) if out is None else out
    for chip in range(a.shape[0]):
        multiply(a[chip], b[chip], out[chip])
    return out


def _at_once(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Multiply all chips in one launch, in the precision that `products_in` says."""
    if _PRECISION.get() != "bf16" or not a.is_cuda or _differentiable(a, b):
        return torch.matmul(a, b)
    chips = max(a.shape[0], b.shape[0])
    a, b = (m.bfloat16().expand(chips, -1, -1) for m in (a, b))
    return torch.bmm(a, b, out_dtype=torch.float32)


def _differentiable(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)
