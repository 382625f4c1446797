"""All that a rule remembers, found by looking into it and not by asking it."""

import types
import typing
from enum import Enum

import torch
from pydantic import BaseModel, ValidationError

from analogff.device import Device, Ledger, Sealed
from analogff.network import Network

ELSEWHERE = (Device, Ledger, Sealed, Network, BaseModel, Enum, type, types.FunctionType, types.MethodType)
"""What is restored by itself, what is given again, and what remembers nothing."""


def memory_of(thing):
    """Return ``{path: tensor, number or text}`` of everything that hangs on an object."""
    found = {}
    _look(thing, "", found, set())
    return found


def _look(thing, path, found, seen):
    if isinstance(thing, torch.Generator):
        found[path] = thing.get_state()
    elif thing is None or isinstance(thing, (torch.Tensor, bool, int, float, str)):
        found[path] = thing.clone() if isinstance(thing, torch.Tensor) else thing
    elif isinstance(thing, ELSEWHERE) or id(thing) in seen:
        return
    else:
        seen.add(id(thing))
        for name, part in _parts(thing):
            _look(part, f"{path}.{name}", found, seen)


def _parts(thing):
    if isinstance(thing, dict):
        return list(thing.items())
    if isinstance(thing, (list, tuple)):
        return list(enumerate(thing))
    return list(getattr(thing, "__dict__", {}).items())


def differences(one, other):
    """Return the paths at which two objects do not remember bitwise the same."""
    one, other = memory_of(one), memory_of(other)
    return [path for path in {**one, **other} if not _same(one.get(path, ...), other.get(path, ...))]


def _same(one, other):
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and torch.equal(one.nan_to_num(), other.nan_to_num())
    return type(one) is type(other) and one == other


def choices(options):
    """Return the defaults of a rule's options, and every other choice of each option, one at a time.

    A number that is off at 0 is switched on. What an option cannot be beside the others' defaults is taken beside the
    first other choice that allows it.
    """
    fields = options.model_fields.items()
    every = [{name: value} for name, field in fields for value in _others(field.annotation, field.default)]
    allowed = [
        next((told for told in [one, *(one | other for other in every)] if _fits(options, told)), None) for one in every
    ]
    return [{}, *(told for told in allowed if told)]


def _fits(options, told):
    try:
        return options(**told)
    except ValidationError:
        return None


def _others(hint, default):
    if hint is bool:
        return [not default]
    parts = [hint, *typing.get_args(hint)]
    words = [word for part in parts if typing.get_origin(part) is typing.Literal for word in typing.get_args(part)]
    switched = [type(default)(1) if isinstance(default, int) else 0.1] if default in (0, 0.0) else []
    return [word for word in words if word != default] + switched
