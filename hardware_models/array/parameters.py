"""Parameters of chips side by side: a number for all, or a tensor with one each."""

import enum
import operator
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Le, Lt

from analogff.device import ContractError, PerChip

NonNegative = Annotated[PerChip, Ge(0)]
"""A spread, a noise, a step: never below zero."""
LogSpread = Annotated[PerChip, Ge(0), Le(3)]
"""A spread of logarithms; at 3 two thirds of all copies lie within a factor of 20, and at 50 many are infinite."""
Positive = Annotated[PerChip, Gt(0)]
"""A scale."""
Bits = Annotated[int | torch.Tensor, Ge(0), Le(24)]
"""A resolution; 0 is continuous."""
Share = Annotated[PerChip, Ge(0), Lt(1)]
"""A fraction that cannot be the whole."""
Kelvin = Annotated[PerChip, Gt(0), Le(500)]
"""A temperature at which the laws of semiconductors hold; near zero only as a limit."""


_LIMITS = {
    Ge: (operator.ge, "ge", "of at least"),
    Gt: (operator.gt, "gt", "above"),
    Le: (operator.le, "le", "of at most"),
    Lt: (operator.lt, "lt", "below"),
}


def require_allowed(given: Mapping[str, Any], hints: Mapping[str, Any]) -> None:
    """Refuse parameters that are not what a constructor's annotations say: finite numbers inside their limits.

    A study file is read by the same annotations; this is for who makes a device by hand.

    Args:
        given: Values by their names.
        hints: Annotations, by the same names and others.

    Raises:
        ContractError: At the first that is not allowed.
    """
    for name, value in given.items():
        parts = _parts(hints.get(name))
        choices = [c for part in parts if typing.get_origin(part) is typing.Literal for c in typing.get_args(part)]
        choices += [c for part in parts if isinstance(part, enum.EnumType) for c in part]
        if choices and not any(value is c or isinstance(value, str) and value == c for c in choices):
            if value is not None or type(None) not in parts:
                named = ", ".join(map(str, choices))
                raise ContractError(f"Expected {name} to be one of {named}. Got {value!r}. Name one of them.")
        if float in parts or int in parts:
            _require_numbers(name, value, parts)


def require_as_many(n_in: int, n_out: int, what: str) -> None:
    """Refuse a fixed transform with other outputs than inputs.

    Args:
        n_in: Inputs.
        n_out: Outputs.
        what: What they are, in words that follow them.

    Raises:
        ContractError: If so.
    """
    if n_in != n_out:
        raise ContractError(
            f"Expected as many outputs as inputs{what}. Got n_in={n_in}, n_out={n_out}. Put weights in front of it by "
            "analogff.device.fabricate."
        )


def _require_numbers(name: str, value: Any, parts: list[Any]) -> None:
    """Refuse what is no number, not finite, or beyond a limit."""
    if value is None and type(None) in parts:
        return
    try:
        numbers = torch.as_tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        numbers = torch.tensor(torch.nan)
    if not numbers.isfinite().all():
        raise ContractError(f"Expected {name} as a finite number. Got {value!r}. Give a number, or leave it out.")
    for part in parts:
        if type(part) in _LIMITS:
            holds, bound, words = _LIMITS[type(part)]
            limit = getattr(part, bound)
            if not holds(numbers, limit).all():
                raise ContractError(
                    f"Expected {name} {words} {limit:g}. Got {value!r}. Give one that the model allows."
                )


def _parts(hint: Any) -> list[Any]:
    """Return the types, limits and choices that an annotation consists of."""
    if typing.get_origin(hint) in (Annotated, typing.Union, types.UnionType):
        return [part for inside in typing.get_args(hint) for part in _parts(inside)]
    return [hint]


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


def require_defined(asked: torch.Tensor, what: str) -> None:
    """Refuse a write that cells which count in whole states could not keep: they have none for what is undefined.

    On a GPU, which the look would hold up, nothing is refused; the seal marks such chips.

    Raises:
        ContractError: If a number is NaN or infinite.
    """
    if not asked.is_cuda and not asked.isfinite().all():
        raise ContractError(
            f"Expected finite {what}, since a cell has no state for others. Got {int((~asked.isfinite()).sum())} of "
            f"{asked.numel()} that are NaN or infinite. Lower the learning rate, or leave such writes out."
        )


def printed_bits(bits: int | torch.Tensor) -> PerChip | None:
    """Return a resolution as a datasheet prints it: None for a continuous converter."""
    return bits if isinstance(bits, torch.Tensor) else bits or None
