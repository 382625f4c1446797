"""Devices and rules as Python gives them."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from analogff import catalog
from analogff.device import Device
from analogff.learning.rule import Rule
from analogff.support.mistakes import Mistake, StudyError, shown
from analogff.support.plain import plain

Named = str | type[Device] | type[Rule] | Mapping[str, Any]
"""A device or a rule: its name, its class, or a table with ``model`` or ``name`` and its parameters or options."""

_ADVICE = {"model": 'Name one, such as "reram".', "name": 'Name one, such as "forward-forward".'}


def tables(given: Named | Sequence[Named], key: str) -> Any:
    """Return a table as a study file has it, or a list of them.

    Args:
        given: A name or class, which makes a table by itself, a table, or a list of these.
        key: ``model`` of a device, ``name`` of a rule.
    """
    if isinstance(given, (list, tuple)):
        return [tables(part, key) for part in given]
    if isinstance(given, Mapping):
        return {str(k): reference(v, key) if k == key else plain(v) for k, v in given.items()}
    return {key: reference(given, key)}


def reference(given: Any, key: str) -> Any:
    """Return the text that names a class: its registered name, or ``package.module:Class``.

    Raises:
        StudyError: If it has none, such as a class made within a function.
    """
    what = "device" if key == "model" else "rule"
    if isinstance(given, str):
        return given
    if not isinstance(given, type):
        raise StudyError([Mistake(what, f"a name, a class, or a table with {key}", shown(given), _ADVICE[key])])
    text = f"{given.__module__}:{given.__qualname__}"
    group = catalog.DEVICES if key == "model" else catalog.RULES
    registered = next((entry.name for entry in catalog.registered(group) if entry.value == text), None)
    if registered is None and getattr(sys.modules.get(given.__module__), given.__qualname__, None) is not given:
        expected = "a class that its module holds by its name"
        advice = "Define it outside of functions and classes."
        raise StudyError([Mistake(what, expected, text, advice)])
    return registered or text
