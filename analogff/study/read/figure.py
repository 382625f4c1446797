"""The table ``[figure]``: what figures show, in which order and how it is named. It changes no run."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from analogff.study.case import Case
from analogff.study.read.document import Document
from analogff.study.results.names import BOUND, variant_labels
from analogff.study.task import column_value
from analogff.support.messages import did_you_mean
from analogff.support.mistakes import Mistake, StudyError, from_pydantic, shown

QUANTITIES = ("error", "epoch", "reads", "joules", "seconds", "age", "images", "event", "cosine", "parameters")
QUANTITIES += ("step", "norm_ratio", "snr")
"""Names of axes that every study has; swept paths come on top."""


def _color(value: object) -> object:
    from matplotlib.colors import is_color_like

    if isinstance(value, str) and not is_color_like(value):
        raise PydanticCustomError("color", 'a color, such as "#0072B2" or "black"')
    return value


def _limits(value: object) -> object:
    if not isinstance(value, list):
        return value
    if len(value) != 2 or not all(isinstance(end, (int, float)) for end in value) or not value[0] < value[1]:
        raise PydanticCustomError("limits", "two numbers, the lower one first")
    return float(value[0]), float(value[1])


class AxisChoice(BaseModel):
    """How one quantity is shown on its axis."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    scale: Literal["linear", "log"] | None = None
    """Scale of the axis; chosen by the numbers by default."""
    limits: Annotated[tuple[float, float], BeforeValidator(_limits)] | None = None
    """Ends of the axis; chosen by the numbers by default. Intervals that go on beyond them are marked."""
    label: str | None = None
    """Label of the axis, with its unit."""


class FigureChoice(BaseModel):
    """What figures show. Changes no run: `analogff plot` and `analogff run` draw anew."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    style: Literal["default", "ieee", "nature", "neurips", "icml", "poster"] = "default"
    """Widths and letters that a journal or conference asks for."""
    columns: Annotated[int, Field(ge=1, le=2)] = 1
    """Columns of the page that a figure spans."""
    lines: tuple[str, ...] = ()
    """Labels of the rules that are shown, in this order; all by default."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Other names for them in figures, by label. The mark of a bound or a control stays."""
    colors: dict[str, Annotated[str, BeforeValidator(_color)]] = Field(default_factory=dict)
    """Colors by label."""
    axes: dict[str, AxisChoice] = Field(default_factory=dict)
    """Scale, limits and label by quantity: `error`, `epoch`, `reads`, `joules`, `seconds`, `age`, `images`, `event`,
    `cosine`, `parameters`, `step`, `norm_ratio`, `snr` or a swept path."""


def read_figure(document: Document) -> list[Mistake]:
    """Return the mistakes in the table of a study that need no labels."""
    table = document.get("figure")
    if table is None:
        return []
    if not isinstance(table, dict):
        return [Mistake("figure", "a table", shown(table), 'Write [figure] and lines = ["..."].')]
    axes = table.get("axes", {})
    if not isinstance(axes, dict):
        return [Mistake("figure.axes", "a table for each quantity", shown(axes), "Write [figure.axes.error].")]
    plain = {name: value for name, value in table.items() if name != "axes"}
    mistakes = _mistakes(FigureChoice, plain, "figure", "a field of [figure]")
    for name, axis in _flat(axes):
        mistakes += _mistakes(AxisChoice, axis, f"figure.axes.{name}", "a field of an axis")
    return mistakes


def choice_of(table: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> FigureChoice:
    """Return a table that was read before, with changes; an inner table is changed name by name.

    Raises:
        StudyError: If a change has a mistake.
    """
    merged = _merged(table, changes or {})
    if mistakes := read_figure({"figure": merged}):
        raise StudyError(mistakes)
    merged["axes"] = dict(_flat(merged.get("axes", {})))
    return FigureChoice.model_validate_json(json.dumps(merged, default=str))


def _merged(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(table)
    for name, value in changes.items():
        inner = merged.get(name)
        merged[name] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _flat(axes: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each axis by its whole name, which has dots that may have been read as tables."""
    for name, value in axes.items():
        inner = isinstance(value, dict) and value and all(isinstance(part, dict) for part in value.values())
        if inner:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _mistakes(model: type[BaseModel], table: object, path: str, what: str) -> list[Mistake]:
    if not isinstance(table, dict):
        return [Mistake(path, "a table", shown(table), 'Write scale = "log", for example, below it.')]
    try:
        model.model_validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as error:
        return from_pydantic(error, path, what, model.model_fields)
    return []


def unknown_names(choice: FigureChoice, variants: Sequence[str], axes: Iterable[str]) -> list[Mistake]:
    """Return a mistake for each name that no rule or axis of a study has."""
    known = [*variants, *(v.removesuffix(BOUND).rstrip() for v in variants)]
    mistakes = [
        Mistake(f"figure.{field}", f"one of {', '.join(map(shown, variants))}", shown(name), _near(name, known))
        for field, names in (("lines", choice.lines), ("labels", choice.labels), ("colors", choice.colors))
        for name in names
        if name not in known
    ]
    there = [*QUANTITIES, *axes]
    mistakes += [
        Mistake("figure.axes", f"one of {', '.join(there)}", shown(name), _near(name, there))
        for name in choice.axes
        if name not in there
    ]
    twice = [name for n, name in enumerate(choice.lines) if name in choice.lines[:n]]
    return mistakes + [Mistake("figure.lines", "each line once", f"{shown(n)} twice", "Remove one.") for n in twice]


def misnamed(document: Document, cases: Sequence[Case], axes: Iterable[str]) -> list[Mistake]:
    """Return a mistake for each name of the table that no case of the study has."""
    if "figure" not in document:
        return []
    rows = {id(case): {k: column_value(v) for k, v in case.labels.items()} for case in cases}
    axes = list(axes)
    labels = variant_labels(pd.DataFrame(list(rows.values())), axes)
    return unknown_names(choice_of(document["figure"]), list(labels.unique()), axes)


def _near(name: str, names: Iterable[str]) -> str:
    return did_you_mean(name, names, "Take one of them.")
