"""Reusable scratch memory: fresh pages cost as much as writing to them."""

import math
import threading

import torch

_kept = threading.local()


def scratch(name: str, shape: tuple[int, ...] | torch.Size, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Return uninitialized memory of a shape, valid until the next call with the same name.

    Each thread has its own, as large as the largest request.
    """
    size, kept = math.prod(shape), vars(_kept)
    if name not in kept or kept[name].numel() < size or kept[name].dtype != dtype:
        kept[name] = torch.empty(size, dtype=dtype)
    return kept[name][:size].view(shape)
