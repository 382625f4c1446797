"""Classes around classes: a device made of chips of another class takes that class's parameters beside its own."""

import inspect
import typing
from typing import Any, TypeVar

import torch

from analogff.device.beside import require_acting
from analogff.device.protocol import Device
from analogff.device.shared_inputs import SharedInputs

Wrapper = TypeVar("Wrapper", bound=Device)


def wrapping(wrapper: type[Wrapper], model: type[Device], purpose: str) -> type[Wrapper]:
    """Return the class of a wrapper's devices around chips of one class.

    Args:
        wrapper: Its constructor takes parameters of its own, and others by ``**parameters``; it finds the wrapped class
            as ``self.model``.
        model: The class to wrap.
        purpose: First line of the new class's docstring.
    """
    base: Any = wrapper

    class Around(base):
        __doc__ = f"{purpose}; see `{wrapper.__name__}`."

        def __init__(self, n_in, n_out, **told):
            super().__init__(n_in, n_out, **told)
            require_acting(Around.__init__, told)

    Around.model = model
    Around.__module__ = wrapper.__module__
    Around.__name__ = Around.__qualname__ = f"{wrapper.__name__}Of{model.__name__}"
    _declare(Around.__init__, wrapper, model)
    return Around


def answer(device: Device, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None) -> torch.Tensor:
    """Read a wrapped device; one without a bias port need not name one."""
    if isinstance(x, SharedInputs):
        return device.measure_marked(x, bias)
    return device.measure(x) if bias is None else device.measure(x, bias)


def _declare(constructor: Any, wrapper: type[Device], model: type[Device]) -> None:
    """Let a constructor say that it takes the parameters of two classes, as whoever reads a study file will ask."""
    ours, theirs = inspect.signature(wrapper.__init__).parameters, inspect.signature(model.__init__).parameters
    own = [p for p in ours.values() if p.kind != p.VAR_KEYWORD]
    kept = [p.replace(kind=p.KEYWORD_ONLY) if p.kind == p.POSITIONAL_OR_KEYWORD else p for p in theirs.values()]
    kept = [p for p in kept if p.name not in ours and p.name != "datasheet" and p.kind != p.VAR_POSITIONAL]
    constructor.__signature__ = inspect.Signature([*own, *kept])
    constructor.__annotations__ = _hints(model) | _hints(wrapper)


def _hints(model: type[Device]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(model.__init__, include_extras=True)
    except Exception:  # an annotation that cannot be evaluated says nothing
        return {}
