"""Chips of a bank that are read or written together."""

import torch

from analogff.device import SharedInputs

_CACHED_NUMBERS = 2**17


def signal_of(x: torch.Tensor | SharedInputs, chips: slice) -> torch.Tensor | SharedInputs:
    """Return the inputs of some chips; those that all share as they are."""
    if isinstance(x, SharedInputs):
        return SharedInputs(_some(x.shared, chips), _some(x.marks, chips))
    return _some(x, chips)


def bias_of(bias: torch.Tensor, chips: slice) -> torch.Tensor:
    """Return the bias of some chips, where each has its own."""
    return _some(bias, chips) if bias.dim() == 3 else bias


def _some(tensor: torch.Tensor, chips: slice) -> torch.Tensor:
    return tensor if tensor.shape[0] == 1 else tensor[chips]


def chip_groups(x: torch.Tensor) -> list[slice]:
    """Return the chips to write together: each by itself on a CPU, all in one launch elsewhere."""
    return [slice(None)] if x.is_cuda else [slice(c, c + 1) for c in range(x.shape[0])]


def cached_groups(x: torch.Tensor) -> list[slice]:
    """Return the chips to write together where only sums and products are formed, which round alike everywhere.

    As many as the cache of a CPU holds; all in one launch elsewhere.
    """
    if x.is_cuda:
        return [slice(None)]
    together = max(1, _CACHED_NUMBERS * x.shape[0] // max(1, x.numel()))
    return [slice(c, c + together) for c in range(0, x.shape[0], together)]
