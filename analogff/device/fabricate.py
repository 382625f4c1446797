"""From a class and seeds to chips."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from analogff.device.bank import Bank
from analogff.device.digital import BehindWeights
from analogff.device.errors import ContractError
from analogff.device.numerics.precision import single_precision
from analogff.device.protocol import Device, has_weights
from analogff.device.seeds import derive_seed
from analogff.support.messages import in_words


@single_precision()
def fabricate(
    model: type[Device],
    n_in: int,
    n_out: int,
    *,
    seeds: Sequence[int],
    parameters: dict[str, Any] | None = None,
) -> Device:
    """Make one chip a seed, side by side, whether or not the class has a chip axis of its own.

    Args:
        model: The class.
        n_in: Input lines of the layer.
        n_out: Output lines of the layer.
        seeds: One integer a chip.
        parameters: Further arguments of the class; a tensor of shape ``(chips,)`` gives each chip its own.

    Returns:
        A banked device. A fixed black box (a class that does not override ``pulse``) comes behind digital
        weights, built with ``n_in = n_out =`` the layer's width.

    Raises:
        ContractError: If the class cannot be made so.

    Example:
        >>> from analogff.device import Device, fabricate
        >>> class Square(Device):
        ...     def measure(self, x):
        ...         return x**2
        >>> fabricate(Square, 4, 2, seeds=[0, 1]).measure(torch.ones(2, 5, 4)).shape
        torch.Size([2, 5, 2])
    """
    parameters = parameters or {}
    if has_weights(model):
        return _build(model, n_in, n_out, seeds, parameters)
    box = _build(model, n_out, n_out, [derive_seed(s, "box") for s in seeds], parameters)
    return BehindWeights(n_in, seed=seeds, box=box)


def _build(model: type[Device], n_in: int, n_out: int, seeds: Sequence[int], parameters: dict[str, Any]) -> Device:
    _check_class(model, parameters)
    if model.banked:
        return _checked(model(n_in, n_out, seed=list(seeds), **parameters))
    return Bank([_chip(model, n_in, n_out, c, s, _of_chip(parameters, c)) for c, s in enumerate(seeds)])


def _chip(model: type[Device], n_in: int, n_out: int, number: int, seed: int, parameters: dict[str, Any]) -> Device:
    try:
        return _checked(model(n_in, n_out, seed=seed, **parameters))
    except ContractError:
        raise
    except Exception as error:
        if number == 0:
            raise
        raise ContractError(
            f"Expected chip {number + 1} of {model.__name__} to be made beside others, as a study makes one for each "
            f"layer and seed. Got {in_words(error)}. If it is an instrument that can be opened once, let all chips "
            "share the connection: open it in a function with functools.cache "
            "(docs/guides/add-a-device.md, An instrument)."
        ) from error


def _check_class(model: type[Device], parameters: dict[str, Any]) -> None:
    """Refuse what Python would refuse in words that point to this file."""
    if missing := sorted(getattr(model, "__abstractmethods__", ())):
        raise ContractError(
            f"Expected {model.__name__} to have a method {missing[0]}. Got a class without it. Write "
            f"`def {missing[0]}{inspect.signature(getattr(Device, missing[0]))}`."
        )
    signature = inspect.signature(model.__init__)
    try:
        signature.bind(None, 1, 1, seed=0, **parameters)
    except TypeError as error:
        raise ContractError(
            f"Expected {model.__name__} to be made as {model.__name__}(n_in, n_out, seed=...). Got a constructor that "
            f"takes {signature}: {error}. Begin it as `def __init__(self, n_in, n_out, *, seed, ...)`."
        ) from None


def _checked(device: Device) -> Device:
    if not hasattr(device, "datasheet"):
        name = type(device).__name__
        raise ContractError(
            f"Expected {name} to be a Device once it is made. Got an __init__ that leaves out what every device has. "
            "Begin it with `super().__init__(n_in, n_out, seed=seed)`."
        )
    return device


def _of_chip(parameters: dict[str, Any], chip: int) -> dict[str, Any]:
    return {k: v[chip].item() if isinstance(v, torch.Tensor) else v for k, v in parameters.items()}
