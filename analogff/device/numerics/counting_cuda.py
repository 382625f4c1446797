"""Passes over the weights on a GPU, in Triton."""

# A kernel is written in Python's words, but not to its types; and Triton need not be installed.
# pyright: reportIndexIssue=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportMissingImports=false

import torch
import triton
import triton.language as tl

_BLOCK = 4096


@triton.jit
def _count_changes(change, total, cells, BLOCK: tl.constexpr):
    chip = tl.program_id(1).to(tl.int64)
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(change + chip * cells + i, mask=i < cells, other=0.0)
    tl.atomic_add(total + chip, tl.sum((value != 0).to(tl.int32)).to(tl.int64))


def count_changes(change: torch.Tensor) -> torch.Tensor:
    """Return how many of each chip's numbers are not zero, ``(chips, n_out, n_in)`` to ``(chips,)``; a NaN is not."""
    chips, cells = change.shape[0], change[0].numel()
    total = torch.zeros(chips, dtype=torch.int64, device=change.device)
    _count_changes[(triton.cdiv(cells, _BLOCK), chips)](change.contiguous(), total, cells, _BLOCK)
    return total
