"""The pass over the weights on a GPU, in Triton."""

# A kernel is written in Python's words, but not to its types; and Triton need not be installed.
# pyright: reportIndexIssue=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportMissingImports=false

import torch
import triton
import triton.language as tl

_BLOCK = 1024


@triton.jit
def _adam_step(gradient, mean, square, change, count, size, shrink, first, second, epsilon, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < count
    g = tl.load(gradient + i, mask=inside, other=0.0)
    m = first * tl.load(mean + i, mask=inside, other=0.0) + (1.0 - first) * g
    v = second * tl.load(square + i, mask=inside, other=0.0) + (1.0 - second) * g * g
    tl.store(mean + i, m, mask=inside)
    tl.store(square + i, v, mask=inside)
    tl.store(change + i, -size * m / (tl.sqrt_rn(v) * shrink + epsilon), mask=inside)


def adam_step(
    gradient: torch.Tensor,
    mean: torch.Tensor,
    square: torch.Tensor,
    change: torch.Tensor,
    size: float,
    shrink: float,
    first: float,
    second: float,
    epsilon: float,
) -> None:
    """Fill ``change`` with Adam's step, and bring the moments up to date; see `Adam`. All tensors are dense."""
    count = gradient.numel()
    _adam_step[(triton.cdiv(count, _BLOCK),)](
        gradient, mean, square, change, count, size, shrink, first, second, epsilon, _BLOCK, enable_fp_fusion=False
    )
