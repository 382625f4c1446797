"""The state of an object, collected from the names that its class declares.

A class declares ``state_names``: attributes that are tensors, numbers, texts, generators, parts with a state of their
own, None, or lists and dictionaries of these. Names that base classes declare are collected too. A class whose state
needs more than that has ``state_dict`` and ``load_state_dict`` as in torch.
"""

from collections.abc import Mapping
from typing import Any

import torch


def state_of(thing: object) -> dict[str, Any]:
    """Return the state of an object as tensors and plain data, loadable with ``weights_only=True``.

    Its tensors are those of the object, not copies.
    """
    return {name: _saved(getattr(thing, name)) for name in _names(thing)}


def restore(thing: object, state: Mapping[str, Any]) -> None:
    """Restore what `state_of` gave; tensors of the same shape stay in their places."""
    for name in _names(thing):
        now = getattr(thing, name)
        restored = _restored(now, state[name])
        if isinstance(now, (list, dict)):  # in its place, since others may hold it
            now.clear()
            now.extend(restored) if isinstance(now, list) else now.update(restored)
        elif restored is not now:
            setattr(thing, name, restored)


def _names(thing: object) -> list[str]:
    """Return what the classes of an object declare, base classes first."""
    if not hasattr(type(thing), "state_names"):
        raise TypeError(
            f"Expected {type(thing).__name__} to declare its state. Got no state_names. Write state_names = (...), "
            "the names of attributes that change while it learns."
        )
    declared = [vars(model).get("state_names", ()) for model in reversed(type(thing).__mro__)]
    return list(dict.fromkeys(name for names in declared for name in names))


def _saved(value: Any) -> Any:
    if value is None or isinstance(value, (torch.Tensor, bool, int, float, str)):
        return value
    if isinstance(value, torch.Generator):
        return value.get_state()
    if isinstance(value, (list, tuple)):
        return [_saved(part) for part in value]
    if isinstance(value, dict):
        return {key: _saved(part) for key, part in value.items()}
    return value.state_dict() if hasattr(value, "state_dict") else state_of(value)


def _restored(now: Any, saved: Any) -> Any:
    """Return the value of an attribute after a restore: the present object wherever that can be."""
    if isinstance(now, torch.Generator):
        now.set_state(saved)
        return now
    if isinstance(now, (list, tuple)):
        return type(now)(_restored(part, of_part) for part, of_part in zip(now, saved, strict=True))
    if isinstance(now, dict):
        return {key: _restored(now.get(key), of_part) for key, of_part in saved.items()}
    if isinstance(saved, torch.Tensor):
        fits = isinstance(now, torch.Tensor) and now.shape == saved.shape
        return now.copy_(saved) if fits else saved.clone()
    if isinstance(saved, dict):
        now.load_state_dict(saved) if hasattr(now, "load_state_dict") else restore(now, saved)
        return now
    return saved
