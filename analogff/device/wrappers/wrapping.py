"""Classes around classes: a device made of chips of another class takes that class's parameters beside its own."""

import functools
import inspect
import operator
import typing
from typing import Any, TypeVar

import torch

from analogff.device.beside import require_acting
from analogff.device.protocol import Device
from analogff.device.shared_inputs import SharedInputs

Wrapper = TypeVar("Wrapper", bound=Device)


def wrapping(
    wrapper: type[Wrapper], model: type[Device], purpose: str, *, options_of: type | None = None
) -> type[Wrapper]:
    """Return the class of a wrapper's devices around chips of one class.

    Args:
        wrapper: Its constructor takes parameters of its own, and others by ``**parameters``; it finds the wrapped class
            as ``self.model``.
        model: The class to wrap.
        purpose: First line of the new class's docstring.
        options_of: Takes options of the wrapper beside its constructor, and gives the new class its name.
    """
    base: Any = wrapper
    own = wrapper if options_of is None else options_of

    class Around(base):
        __doc__ = f"{purpose}; see `{own.__name__}`."

        def __init__(self, n_in, n_out, **given):
            super().__init__(n_in, n_out, **given)
            require_acting(Around.__init__, given)

    Around.model = model
    Around.__module__ = own.__module__
    Around.__name__ = Around.__qualname__ = f"{own.__name__}Of{model.__name__}"
    _declare(Around.__init__, *dict.fromkeys((wrapper, own, model)))
    return Around


def answer(device: Device, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None) -> torch.Tensor:
    """Read a wrapped device; one without a bias port need not name one."""
    if isinstance(x, SharedInputs):
        return device.measure_marked(x, bias)
    return device.measure(x) if bias is None else device.measure(x, bias)


def _declare(constructor: Any, *classes: type) -> None:
    """Let a constructor say that it takes the parameters of several classes, as whoever reads a study file will ask."""
    found: dict[str, inspect.Parameter] = {}
    for n, taker in enumerate(classes):
        for p in inspect.signature(taker.__init__).parameters.values():
            open_ended = p.kind == p.VAR_KEYWORD and taker is not classes[-1]
            if p.name in (*found, "datasheet") or open_ended or p.kind == p.VAR_POSITIONAL:
                continue
            found[p.name] = p.replace(kind=p.KEYWORD_ONLY) if n and p.kind == p.POSITIONAL_OR_KEYWORD else p
    constructor.__signature__ = inspect.Signature([*found.values()])
    constructor.__annotations__ = functools.reduce(operator.or_, map(_hints, reversed(classes)))


def _hints(model: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(model.__init__, include_extras=True)
    except Exception:  # an annotation that cannot be evaluated says nothing
        return {}
