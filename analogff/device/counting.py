"""Counting what was asked of the cells."""

import torch

from analogff.device.gpu import has_triton


def cells_asked(change: torch.Tensor) -> torch.Tensor:
    """Return how many cells of each chip are to change, ``(chips, n_out, n_in)`` to ``(chips,)``."""
    if has_triton(change.device):
        from analogff.device.triton_kernels import count_changes as on_gpu

        return on_gpu(change)
    if change.device.type != "cpu":
        return torch.count_nonzero(change, (1, 2))
    from analogff.device.kernels import count_changes  # here, since it takes a second to import

    return torch.from_numpy(count_changes(change.flatten(1).numpy()))
