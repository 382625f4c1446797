"""Constructors that take the fields of a dataclass as arguments of their own."""

import ast
import dataclasses
import functools
import inspect
import textwrap
import typing
from collections.abc import Callable, Collection
from typing import Any

from analogff.device import require_acting
from hardware_models.array.parameters import require_allowed


def takes_fields(
    fields: type, argument: str, defaults: dict[str, Any], without: Collection[str] = ()
) -> Callable[[type], Any]:
    """Return a class decorator that spreads one argument of a constructor, a dataclass, over its fields.

    Whoever calls the constructor, or reads its signature, type hints or the class's docstring, finds the fields in
    place of the argument. Values outside of what the annotations allow are refused (`parameters.require_allowed`), and
    so are those that do nothing (`Beside`).

    Args:
        fields: The dataclass; every field has a default.
        argument: Which keyword argument.
        defaults: What differs from the defaults of the fields.
        without: Fields that the constructor does not take; they stay as they are by default.

    Raises:
        TypeError: If there is a default for what is no field.
    """
    numbers = {field.name: defaults.get(field.name, field.default) for field in dataclasses.fields(fields)}
    taken = {name: default for name, default in numbers.items() if name not in without}
    if strange := set(defaults) - set(numbers):
        raise TypeError(f"Expected fields of {fields.__name__}. Got {', '.join(sorted(strange))}. Correct the names.")

    def wrap(model: Any) -> Any:
        own = model.__init__
        hints = typing.get_type_hints(fields, include_extras=True) | typing.get_type_hints(own, include_extras=True)

        @functools.wraps(own)
        def constructor(self: Any, *sizes: Any, **given: Any) -> None:
            require_allowed(given, hints)
            require_acting(constructor, given)
            around = numbers | {name: given.pop(name) for name in taken if name in given}
            own(self, *sizes, **{argument: fields(**around)}, **given)

        _declare(constructor, own, argument, taken, hints)
        model.__init__ = constructor
        model.__doc__ = _documented(model.__doc__ or "", fields, taken)
        return model

    return wrap


def _declare(constructor: Any, own: Any, argument: str, numbers: dict[str, Any], hints: dict[str, Any]) -> None:
    """Let a constructor say that it takes the fields in place of the argument."""
    kept = [p for p in inspect.signature(own).parameters.values() if p.name != argument]
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [inspect.Parameter(name, kind, default=value, annotation=hints[name]) for name, value in numbers.items()]
    constructor.__signature__ = inspect.Signature([*kept, *added])
    constructor.__annotations__ = {name: hint for name, hint in hints.items() if name != argument}
    constructor.__kwdefaults__ = {p.name: p.default for p in [*kept, *added] if p.default is not p.empty}


def _documented(docstring: str, fields: type, names: Collection[str]) -> str:
    """Add the fields to the ``Args`` of a docstring."""
    before, start, after = inspect.cleandoc(docstring).partition("\nArgs:\n")
    own, end, rest = after.partition("\n\n")
    lines = [f"    {name}: {text}" for name, text in _texts(fields).items() if name in names]
    return before + start + "\n".join([own.rstrip("\n"), *lines]) + end + rest if start else docstring


@functools.cache
def _texts(fields: type) -> dict[str, str]:
    """Return what stands under each field; nothing where there is no source to read."""
    try:
        source = inspect.getsource(fields)
    except OSError:
        return {}
    body = ast.parse(textwrap.dedent(source)).body[0].body  # type: ignore[attr-defined]
    pairs = [(a, b) for a, b in zip(body, body[1:], strict=False) if isinstance(a, ast.AnnAssign)]
    texts = {ast.unparse(a.target): ast.literal_eval(b.value) for a, b in pairs if isinstance(b, ast.Expr)}
    return {name: " ".join(inspect.cleandoc(text).split("\n")) for name, text in texts.items()}
