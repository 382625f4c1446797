"""Parameters of a device that act only beside others."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch

from analogff.device.errors import ContractError


class Beside:
    """Mark, in an ``Annotated`` type, of a parameter that does nothing unless one of some others is told.

    Told alone, with another value than its default, it is refused. Where one of the others is told, be it 0, or is a
    number above 0 by default, it is accepted: a sweep may start from none.

    Args:
        names: Of the others.

    Example:
        >>> from typing import Annotated
        >>> idle({"reads": 8}, {"reads": Annotated[int, Beside("noise")]}, {"reads": 4, "noise": 0.0})
        {'reads': ('noise',)}
    """

    def __init__(self, *names: str):
        self.names = names


def idle(given: Mapping[str, Any], hints: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the told parameters that do nothing, each with the names of which one should be told too.

    Args:
        given: Values by their names.
        hints: Annotations, by the same names and others.
        defaults: Likewise.
    """
    found = {}
    for name, value in given.items():
        for mark in getattr(hints.get(name), "__metadata__", ()):
            if isinstance(mark, Beside) and not _same(value, defaults.get(name)):
                if not any(other in given or _on(defaults.get(other)) for other in mark.names):
                    found[name] = mark.names
    return found


def require_acting(constructor: Callable, given: Mapping[str, Any]) -> None:
    """Refuse parameters that do nothing.

    Args:
        constructor: Whose annotations and defaults hold.
        given: What it is called with.

    Raises:
        ContractError: At the first such parameter.
    """
    defaults = {name: p.default for name, p in inspect.signature(constructor).parameters.items()}
    for name, others in idle(given, constructor.__annotations__, defaults).items():
        raise ContractError(
            f"Expected {' or '.join(others)} beside {name}, which does nothing alone. Got {name} = {given[name]!s} "
            f"alone. Add {' or '.join(others)}, or leave {name} out."
        )


def _same(value: Any, default: Any) -> bool:
    return value is default or not isinstance(value, torch.Tensor) and value == default


def _on(default: Any) -> bool:
    return isinstance(default, (int, float)) and default > 0
