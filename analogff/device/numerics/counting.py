"""Counting what was asked of the cells, and what the lines carried."""

from collections.abc import Callable

import torch

from analogff.device.numerics.gpu import has_triton
from analogff.device.shared_inputs import SharedInputs

Clip = Callable[[torch.Tensor], torch.Tensor]
"""Returns what lines carry of inputs; see `Datasheet.clipped`."""


def cells_asked(change: torch.Tensor) -> torch.Tensor:
    """Return how many cells of each chip are to change, ``(chips, n_out, n_in)`` to ``(chips,)``."""
    if has_triton(change.device):
        from analogff.device.numerics.counting_cuda import count_changes as on_gpu

        return on_gpu(change)
    if change.device.type != "cpu":
        return torch.count_nonzero(change, (1, 2))
    from analogff.device.numerics.counting_cpu import count_changes  # here, since it takes a second to import

    return torch.from_numpy(count_changes(change.flatten(1).numpy()))


def mean_squares(x: torch.Tensor | SharedInputs, clip: Clip, loads: torch.Tensor | None = None) -> torch.Tensor:
    """Return the mean square of what the lines carry, summed over input vectors, ``(chips,)`` in double precision.

    Args:
        x: Inputs, ``(chips, batch, n_in)``.
        clip: What the lines carry.
        loads: Weight of each line in the mean, ``(n_in,)``; None for equal ones.
    """
    roots = None if loads is None else loads.sqrt()
    if isinstance(x, SharedInputs):
        variants, lines = x.marks.shape[1], x.marks.shape[-1]
        first, rest = (None, None) if roots is None else (roots[:lines], roots[lines:])
        marks = _squares(x.marks.flatten(1, 2), clip, first)
        total = variants * _squares(x.shared[..., lines:], clip, rest) + marks
    else:
        total = _squares(x, clip, roots)
    return total / x.shape[2]


def _squares(x: torch.Tensor, clip: Clip, roots: torch.Tensor | None) -> torch.Tensor:
    """Return the weighted sum of the squares of each chip's numbers; what all chips share is summed once."""
    seen = clip(x[:1] if x.stride(0) == 0 else x)
    if roots is not None:
        seen = seen * roots
    return torch.linalg.vector_norm(seen, dim=-1).double().square().sum(-1).expand(x.shape[0])
