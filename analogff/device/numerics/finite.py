"""Whether what is handed to a chip are numbers that a converter could make."""

import math
from collections.abc import Iterable
from typing import Any

import torch

from analogff.device.errors import ContractError
from analogff.device.shared_inputs import SharedInputs


def is_finite(values: torch.Tensor) -> bool:
    """Tell whether no value is NaN or infinite; one pass over a CPU's memory."""
    if values.dim() > 1 and values.stride(0) == 0:  # one batch for all chips
        values = values[:1]
    return math.isfinite(values.sum().item()) or bool(values.isfinite().all())  # a sum may overflow, so look again


def parts_of(x: torch.Tensor | SharedInputs) -> tuple[torch.Tensor, ...]:
    """Return the tensors that inputs are made of."""
    return (x.shared, x.marks) if isinstance(x, SharedInputs) else (x,)


def chips_not_finite(parts: Iterable[torch.Tensor], chips: int) -> torch.Tensor:
    """Tell which chips are handed a value that is NaN or infinite, ``(chips,)``, without waiting for a GPU."""
    # the greatest magnitude in one pass, and no sum that may overflow
    rows = [p.flatten(1) if p.dim() > 2 else p.reshape(1, -1) for p in parts if p.numel()]  # less is for all chips
    greatest = [torch.linalg.vector_norm(row, math.inf, 1) for row in rows]
    return ~torch.stack([g.expand(chips) for g in greatest]).isfinite().all(0)


def numbers_only(signals: Any, diverged: torch.Tensor | None, chips: int, what: str, name: str) -> Any:
    """Return signals that a converter could make, 0 for chips whose are not finite, which are marked.

    On a GPU, which a look would hold up, they are marked only.

    Args:
        signals: Inputs, a bias or a write.
        diverged: Where chips are marked, ``(chips,)``, in place; None to refuse them.
        chips: How many there are.
        what: What the signals are, in words.
        name: Name of the layer.

    Raises:
        ContractError: If they are not finite and must be.
    """
    parts = parts_of(signals)
    if parts[0].device.type != "cpu":
        if diverged is not None:
            diverged |= chips_not_finite(parts, chips)
        return signals
    if all(map(is_finite, parts)):
        return signals
    if diverged is None:
        bad, total = sum(int((~p.isfinite()).sum()) for p in parts), sum(p.numel() for p in parts)
        raise ContractError(
            f"Expected {what} of {name} to be finite. Got {bad} of {total} values that are NaN or infinite. "
            "Look for a division by 0 or an overflow in what made them, or lower the learning rate."
        )
    lost = chips_not_finite(parts, chips)
    diverged |= lost
    return without(signals, lost)


def without(x: torch.Tensor | SharedInputs, chips: torch.Tensor) -> torch.Tensor | SharedInputs:
    """Return inputs that are 0 for some chips, ``(chips,)``."""
    if isinstance(x, SharedInputs):
        return SharedInputs(zeroed(x.shared, chips), zeroed(x.marks, chips))
    return zeroed(x, chips)


def zeroed(values: torch.Tensor, chips: torch.Tensor) -> torch.Tensor:
    """Return a copy that is 0 for some chips, ``(chips,)``."""
    return torch.where(chips.view(-1, *[1] * max(values.dim() - 1, 2)), 0, values)
