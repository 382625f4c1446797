"""Descriptions of devices and rules, from their docstrings and annotations."""

import dataclasses
import enum
import inspect
import re
import typing
from typing import Annotated, Any

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from analogff.catalog.parameters import Parameter, parameters_of
from analogff.rules import Rule

_SECTION = re.compile(r"^(Args|Units|Reference|Raises|Shapes|Returns|Example):\n((?:(?:    .*)?\n?)*)", re.MULTILINE)
_ARGUMENT = re.compile(r"^(\w+): ", re.MULTILINE)
_LARGEST = 2**53  # bounds whole numbers that a float still holds, and tells a reader nothing
_LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


@dataclasses.dataclass(frozen=True)
class Line:
    """Description of a parameter."""

    name: str
    """Name of the argument."""
    default: str
    """Its default; ``required`` without one."""
    limits: str
    """Allowed values."""
    meaning: str
    """Meaning, from the docstring, with the unit; options keep their backquotes."""


@dataclasses.dataclass(frozen=True)
class Description:
    """Description of a class."""

    summary: str
    """The first line of its docstring."""
    about: str
    """The rest of it up to the arguments, equation included, in reStructuredText."""
    units: str
    """Units of its signals; empty if not documented."""
    parameters: tuple[Line, ...]
    """In the order of the constructor."""
    source: str
    """Its reference; empty if it names none."""
    searched: str = ""
    """What a table ``[tune]`` searches of a rule with default options; empty for none."""


def describe(model: type) -> Description:
    """Read a device class's docstring and constructor."""
    known, _ = parameters_of(model)
    hints = _hints(model)
    meanings = _meanings(_sections(model).get("Args", ""))
    return _described(
        model, [_line(parameter, hints.get(name), meanings.get(name, "")) for name, parameter in known.items()]
    )


def describe_rule(model: type[Rule]) -> Description:
    """Read a rule's docstring and the fields of its options: its own first, then those that every rule has."""
    common = Rule.Options.model_fields
    lines = sorted(describe_fields(model.Options), key=lambda line: line.name in common)
    return dataclasses.replace(_described(model, lines), searched=_searched(model))


def describe_fields(model: type[BaseModel]) -> list[Line]:
    """Return a line for each field of a model."""
    return [_option(name, field) for name, field in model.model_fields.items()]


def _searched(model: type[Rule]) -> str:
    if any(field.is_required() for field in model.Options.model_fields.values()):
        return ""  # what is searched may depend on them
    space = model.search_space(model.Options())
    return ", ".join(f"`{name}` ({values})" for name, values in space.items())


def _described(model: type, lines: list[Line]) -> Description:
    sections = _sections(model)
    summary, _, rest = _SECTION.sub("", _text(model)).strip().partition("\n")
    return Description(
        summary=summary,
        about=rest.strip("\n"),
        units=_joined(sections.get("Units", "")),
        parameters=tuple(lines),
        source=_joined(sections.get("Reference", "")),
    )


def _text(model: type) -> str:
    return inspect.cleandoc(model.__doc__ or "It says nothing about itself.") + "\n"


def _sections(model: type) -> dict[str, str]:
    return {name: inspect.cleandoc(body) for name, body in _SECTION.findall(_text(model))}


def plain(text: str) -> str:
    """Return reStructuredText without its markup, for a terminal."""
    return text.replace(".. math::", "").replace(":math:", "").replace("`", "").strip("\n")


def _meanings(arguments: str) -> dict[str, str]:
    parts = _ARGUMENT.split(arguments)
    return {name: _joined(text) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _line(parameter: Parameter, hint: Any, meaning: str) -> Line:
    default = "required" if parameter.default is inspect.Parameter.empty else str(parameter.default)
    return Line(parameter.name, default, _limits(hint), meaning.replace("`", ""))


def _option(name: str, field: FieldInfo) -> Line:
    value = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    default = "required" if field.is_required() else "not set" if value is None else str(value)
    limits = _limits(Annotated[(field.annotation, field, *field.metadata)])  # type: ignore[valid-type]
    return Line(name, default, limits, _joined(field.description or ""))


def _limits(hint: Any) -> str:
    """Return in words the limits of an annotation such as ``Annotated[float | Tensor, Ge(0)]``."""
    given = []
    parts = _parts(hint)
    inside = [limit for part in parts if isinstance(part, FieldInfo) for limit in part.metadata]
    for part in [*parts, *inside]:
        if isinstance(part, annotated_types.BaseMetadata):
            limits = {word: getattr(part, name) for name, word in _LIMITS.items() if hasattr(part, name)}
            given += [f"{word} {limit:g}" for word, limit in limits.items() if limit != _LARGEST]
        if typing.get_origin(part) is typing.Literal:
            given.append("one of " + ", ".join(map(str, typing.get_args(part))))
        if isinstance(part, type) and issubclass(part, enum.Enum):
            given.append("one of " + ", ".join(str(choice.value) for choice in part))
    return ", ".join(sorted(dict.fromkeys(given), key=lambda words: words.startswith("one of")))


def _parts(hint: Any) -> list[Any]:
    """Return the parts of an annotation, at all depths."""
    inside = [] if typing.get_origin(hint) is typing.Literal else typing.get_args(hint)
    return [hint, *(part for each in inside for part in _parts(each))]


def _hints(model: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(model.__init__, include_extras=True)
    except Exception:  # an annotation that cannot be evaluated has no limits
        return {}


def _joined(text: str) -> str:
    return " ".join(text.split())
