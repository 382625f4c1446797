"""Paths into a study file: set one, and enumerate combinations of several."""

import collections
import contextlib
import copy
import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

from analogff.study.read.document import Document
from analogff.study.read.validation import Validator
from analogff.study.settings import FIELDS
from analogff.support.mistakes import Mistake, shown, unknown_name

Axes = dict[str, list[Any]]
"""Swept paths, each with its values as TOML has them."""
_NOT_SWEPT = {
    "name": "It labels the study.",
    "question": "It labels the study.",
    "sweep": "A sweep has no sweep.",
    "tune": "One table [tune] serves all points.",
    "figure": "It changes no run.",
    "chips": "Write chips = [0, 1, ...] at the top: every chip is run at every point.",
    "seeds": "Write seeds = [0, 1, ...] at the top: every seed is run at every point.",
    "controls": "Write controls = true at the top: every point gets them.",
    "rule": "Write several [[rule]] tables: every rule is run at every point.",
}


class PathError(ValueError):
    """A path that does not exist in a file.

    Args:
        mistake: The path, with what is expected.
    """

    def __init__(self, mistake: Mistake):
        super().__init__(str(mistake))
        self.mistake = mistake


def assign(document: Document, path: str, value: object, validator: Validator) -> None:
    """Set a path of a document, in place.

    ``device.read_noise`` goes to every device and ``device.1.read_noise`` to one; ``rule.learning_rate`` goes to every
    rule that has the option and ``rule.0.learning_rate`` to one; ``sweep.<path>`` sets an axis.

    Raises:
        PathError: If the file has no such path.
    """
    head, *rest = path.split(".")
    if head not in FIELDS:
        raise PathError(unknown_name(path, "a field of a study", head, FIELDS))
    tables = document.get(head)
    if head == "sweep" and rest:
        document.setdefault("sweep", {})[".".join(rest)] = value
    elif head == "device" and rest and isinstance(tables, list) and not rest[0].isdecimal():
        for index in range(len(tables)):
            _walk(document, [head, str(index), *rest], path, value)
    elif head == "rule" and len(rest) == 1 and isinstance(tables, list):
        for index in _rules_with(tables, rest[0], path, validator):
            _walk(document, [head, str(index), *rest], path, value)
    else:
        _walk(document, [head, *rest], path, value)


def touches(document: Document, path: str, rule: int, validator: Validator) -> bool:
    """Return whether setting a path affects one of the rules."""
    head, *rest = path.split(".")
    if head != "rule":
        return True
    if rest[0].isdecimal():
        return int(rest[0]) == rule
    return rest[0] in validator.options_of(document["rule"][rule])


def read_axes(document: Document, validator: Validator) -> tuple[Axes, list[Mistake]]:
    """Return the axes of the ``[sweep]`` table by path, and the mistakes in it."""
    table = document.get("sweep", {})
    if not isinstance(table, dict):
        return {}, [Mistake("sweep", "a table of paths and lists", shown(table), 'Write "device.mismatch" = [...].')]
    axes, mistakes = {}, []
    for path, values in _flat(table):
        mistake = _axis_mistake(document, path, values, validator)
        if path in axes:
            mistake = Mistake(f"sweep.{path}", "one list of values", "two, with quotes and without", "Remove one.")
        if mistake:
            mistakes.append(mistake)
        else:
            axes[path] = values
    return axes, mistakes


def swept_over(document: Document, path: str, value: object, validator: Validator) -> Mistake | None:
    """Return the mistake of setting a path that axes of the sweep set at every point."""
    table = document.get("sweep")
    if path.split(".")[0] == "sweep" or not isinstance(table, dict):
        return None
    tried, mark = copy.deepcopy(document), "\0 set"
    assign(tried, path, mark, validator)
    for axis, values in _flat(table):
        with contextlib.suppress(PathError):  # reported when the axes are read
            assign(tried, axis, values, validator)
        if not _holds(tried, mark):
            advice = f"Write --set 'sweep.{path}=[{shown(value)}]'." if axis == path else f"Remove it, or sweep.{axis}."
            return Mistake(path, "a path that is not swept", f"one that sweep.{axis} sets at every point", advice)
    return None


def _holds(tables: Any, mark: str) -> bool:
    parts = tables.values() if isinstance(tables, dict) else tables if isinstance(tables, list) else ()
    return tables == mark or any(_holds(part, mark) for part in parts)


def count_runs(document: Document, axes: Axes, copies: int, validator: Validator) -> int:
    """Return the number of runs without making any; ``copies`` is chips times learning seeds."""
    return copies * sum(
        math.prod(len(values) for path, values in axes.items() if touches(document, path, rule, validator))
        for rule in range(len(document["rule"]))
    )


def combinations(
    document: Document, axes: Axes, rule: int, validator: Validator
) -> Iterator[tuple[Document, Document]]:
    """Yield each point for a rule: the swept values (None if they do not affect it) and the document."""
    touched = {path: values for path, values in axes.items() if touches(document, path, rule, validator)}
    first = first_point(document, axes, validator)
    heads = {path.split(".")[0] for path in touched} & first.keys()  # the rest is the same for all points
    for values in itertools.product(*touched.values()):
        chosen = dict(zip(touched, values, strict=True))
        point = first | {head: copy.deepcopy(first[head]) for head in heads}
        for path, value in chosen.items():
            assign(point, path, value, validator)
        yield {path: chosen.get(path) for path in axes}, point


def first_point(document: Document, axes: Axes, validator: Validator) -> Document:
    """Return the document with every axis at its first value."""
    point = copy.deepcopy({key: value for key, value in document.items() if key != "sweep"})
    for path, values in axes.items():
        assign(point, path, copy.deepcopy(values[0]), validator)
    return point


def _flat(table: Document, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Accept ``device.read_noise = [...]`` without quotes, which TOML nests."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _axis_mistake(document: Document, path: str, values: object, validator: Validator) -> Mistake | None:
    place = f"sweep.{path}"
    if path.split(".")[0] in _NOT_SWEPT and ("." not in path or not path.startswith("rule.")):
        return Mistake(place, "a path that can be swept", shown(path), _NOT_SWEPT[path.split(".")[0]])
    if not isinstance(values, list) or not values:
        return Mistake(place, "a list with at least one value", shown(values), "Write [first, second, ...].")
    written = [json.dumps(value, default=str, sort_keys=True) for value in values]
    times = collections.Counter(written)
    twice = [value for value, text in zip(values, written, strict=True) if times[text] > 1]
    if twice:
        return Mistake(place, "different values", f"{shown(twice[0])} more than once", "Remove one.")
    try:
        assign(copy.deepcopy(document), path, values[0], validator)
    except PathError as error:
        m = error.mistake
        return Mistake(place, m.expected, m.got, m.advice)
    return None


def _rules_with(tables: list[Any], option: str, path: str, validator: Validator) -> list[int]:
    known = [validator.options_of(table) for table in tables]
    having = [index for index, options in enumerate(known) if option in options]
    if not having:
        names = sorted({name for options in known for name in options})
        raise PathError(unknown_name(path, "an option of a rule of this study", option, names))
    return having


def _walk(document: Document, parts: list[str], path: str, value: object) -> None:
    here: Any = document
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(here, list):
            if not (part.isdecimal() and int(part) < len(here)):
                expected = f"an index from 0 to {len(here) - 1} after {'.'.join(parts[:depth])}"
                raise PathError(Mistake(path, expected, shown(part), "Count the tables or values from 0."))
            key: Any = int(part)
        elif isinstance(here, dict) and not part.isdecimal():
            key = part
            if not last:
                here.setdefault(key, {})
        else:
            expected = f"nothing after {'.'.join(parts[:depth])}, which has no such part"
            raise PathError(Mistake(path, expected, shown(part), "Remove it."))
        if last:
            here[key] = value
        here = here[key]
