"""Parameters of chips side by side: a number for all, or a tensor with one each."""

from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Le, Lt

from analogff.device import ContractError, PerChip

NonNegative = Annotated[PerChip, Ge(0)]
"""A spread, a noise, a step: never below zero."""
Positive = Annotated[PerChip, Gt(0)]
"""A scale."""
Bits = Annotated[int | torch.Tensor, Ge(0), Le(24)]
"""A resolution; 0 is continuous."""
Share = Annotated[PerChip, Ge(0), Lt(1)]
"""A fraction that cannot be the whole."""
Kelvin = Annotated[PerChip, Gt(0), Le(500)]
"""A temperature at which the laws of semiconductors hold; near zero only as a limit."""


def per_chip(name: str, value: Any, chips: int) -> torch.Tensor:
    """Spread a parameter over the chips, so that it broadcasts against signals and weights.

    Returns:
        float32 ``(chips, 1, 1)``.

    Raises:
        ContractError: If a tensor has another number of chips, or a number is not one.
    """
    tensor = torch.as_tensor(value, dtype=torch.float32).detach().cpu()
    if tensor.numel() not in (1, chips) or tensor.isnan().any():
        raise ContractError(
            f"Expected {name} as one number, or a tensor with one for each of {chips} chips. Got {value!r}. "
            "Give a tensor of shape (chips,)."
        )
    return tensor.reshape(-1, 1, 1).repeat(chips // tensor.numel(), 1, 1)


def printed_bits(bits: int | torch.Tensor) -> PerChip | None:
    """Return a resolution as a datasheet prints it: None for a continuous converter."""
    return bits if isinstance(bits, torch.Tensor) else bits or None
