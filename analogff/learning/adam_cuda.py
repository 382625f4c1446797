"""The pass over the weights on a GPU, in Triton."""

# A kernel is written in Python's words, but not to its types; and Triton need not be installed.
# pyright: reportIndexIssue=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportMissingImports=false

import torch
import triton
import triton.language as tl

_BLOCK = 1024


@triton.jit
def _adam_step(
    gradient, mean, square, change, asked, share, numbers, count, cells, first, second, epsilon, BLOCK: tl.constexpr
):
    """As `Adam.apply`; ``asked`` and ``share`` may be None."""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < count
    size, shrink = tl.load(numbers), tl.load(numbers + 1)
    g = tl.load(gradient + i, mask=inside, other=0.0)
    m = first * tl.load(mean + i, mask=inside, other=0.0) + (1.0 - first) * g
    v = second * tl.load(square + i, mask=inside, other=0.0) + (1.0 - second) * g * g
    tl.store(mean + i, m, mask=inside)
    tl.store(square + i, v, mask=inside)
    wanted = -size * m / (tl.sqrt_rn(v) * shrink + epsilon)
    if asked is not None:
        before = tl.load(asked + i, mask=inside, other=0.0)
        wanted -= tl.load(numbers + 2) * before
    if share is not None:
        wanted *= tl.load(share + i // cells, mask=inside, other=0.0)
    if asked is not None:
        tl.store(asked + i, before + wanted, mask=inside)
    tl.store(change + i, wanted, mask=inside)


def adam_step(
    gradient: torch.Tensor,
    mean: torch.Tensor,
    square: torch.Tensor,
    change: torch.Tensor,
    asked: torch.Tensor | None,
    share: torch.Tensor | None,
    numbers: torch.Tensor,
    first: float,
    second: float,
    epsilon: float,
) -> None:
    """Fill ``change`` with Adam's step, and bring the registers up to date; see `Adam`. All tensors are dense."""
    count, cells = gradient.numel(), gradient[0].numel()
    share = None if share is None else share.contiguous()
    registers = (gradient, mean, square, change, asked, share, numbers)
    grid = (triton.cdiv(count, _BLOCK),)
    _adam_step[grid](*registers, count, cells, first, second, epsilon, _BLOCK, enable_fp_fusion=False)
