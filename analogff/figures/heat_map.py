"""Test error over two swept parameters; cells whose runs diverged are marked."""

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.aggregate import intervals
from analogff.figures.drawing import Drawing
from analogff.figures.grids import Grid, Sides, draw_grids
from analogff.figures.lines import ERROR_LABEL
from analogff.figures.results import Missing, Results, at_most, points
from analogff.figures.style import wrapped
from analogff.study.results.lives import judged_when
from analogff.study.results.names import axis_label, file_name

_PANELS = 12


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each pair of axes and value of the others, with a panel for each rule variant."""
    if len(results.axes) < 2:
        raise Missing(
            f"heat_map: Expected two swept paths with several values each. Got {len(results.axes)}. Add paths to the "
            "table [sweep] of the study."
        )
    last = results.ends
    for first, second in itertools.combinations(results.axes, 2):
        x, y = (second, first) if results.numeric(second) or not results.numeric(first) else (first, second)
        others = [axis for axis in results.axes if axis not in (x, y)]
        for suffix, part in points(last, others):
            table = intervals(part, ["variant", *others, x, y])
            when = judged_when(results.manifest)
            caption = f"Test error {when} over {_plain(x)} and {_plain(y)}, a panel for each rule."
            name = file_name(f"heat_map_{x.replace('.', '_')}_{y.replace('.', '_')}", suffix)
            yield Drawing(name, partial(_draw, results, table, x, y, suffix), table, caption)


def _draw(results: Results, table: pd.DataFrame, x: str, y: str, title: str) -> Figure:
    columns, rows = _values(results, table, x), _values(results, table, y)
    if not results.numeric(y):
        rows = rows[::-1]  # names are read from above
    named = Sides(
        x=results.axis(x).label or axis_label(x),
        y=results.axis(y).label or axis_label(y),
        columns=list(map(_cell, columns)),
        rows=list(map(_cell, rows)),
    )
    variants = [v for v in results.variants if (table["variant"] == v).any()]
    shown = at_most(variants, _PANELS, "rules of a heat map")
    grids = [_grid(table[table["variant"] == v], v, (x, columns), (y, rows)) for v in shown]
    figure = draw_grids(grids, named, ERROR_LABEL, results.axis("error"))
    if title:
        figure.suptitle(wrapped(title))
    return figure


def _grid(table: pd.DataFrame, title: str, x: tuple[str, list], y: tuple[str, list]) -> Grid:
    cells = {name: table.pivot(index=y[0], columns=x[0], values=name).reindex(y[1]) for name in ("mean", "diverged")}
    values, lost = (cells[name].reindex(columns=x[1]).to_numpy(dtype=float) for name in cells)
    return Grid(title=title, values=values, lost=np.nan_to_num(lost))


def _values(results: Results, table: pd.DataFrame, axis: str) -> list[Any]:
    if results.numeric(axis):
        return sorted(table[axis].dropna().unique())
    there = {*table[axis]}
    return [value for value in results.frame[axis].dropna().unique() if value in there]


def _cell(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _plain(axis: str) -> str:
    return axis_label(axis).partition(" / ")[0]
