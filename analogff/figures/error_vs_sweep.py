"""Test error against a swept parameter, after the last epoch."""

import textwrap
from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.aggregate import intervals
from analogff.figures.drawing import Drawing
from analogff.figures.lines import Tables, draw_panels
from analogff.figures.results import PANELS, Missing, Results, arrange
from analogff.figures.scales import choose_axis, scale_values, write_names
from analogff.figures.style import panel_columns, points_of, scaled
from analogff.study.results.lives import judged_when
from analogff.study.results.names import axis_label, file_name

_LETTER = 0.515
"""Width of a letter of a tick label in units of its size."""
_SLANTED = 24
"""Greatest length of a slanted name."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each axis, with numbers or names on it; the other axes make panels and files.

    If numbers of other axes would need more than one file, names are drawn at the first of each number.
    """
    if not results.axes:
        raise Missing(
            "error_vs_sweep: Expected a swept path with several values. Got none. Add a [sweep] table to the study."
        )
    last = results.ends
    for x in sorted(results.axes, key=lambda axis: not results.numeric(axis)):
        others, frame, at = [axis for axis in results.axes if axis != x], last, []
        by, by_number = ["variant", *others, x], results.numeric(x)
        if not by_number and len(last[list(filter(results.numeric, others))].drop_duplicates()) > PANELS:
            frame, at = results.at_first_numbers(last)
            others = [axis for axis in others if not results.numeric(axis)]
        for suffix, panels in arrange(results, frame, others):
            tables = [(", ".join(filter(None, [p.title, *at])), intervals(p.frame, by)) for p in panels]
            make = partial(_over_numbers if by_number else _over_names, tables, x, results, suffix)
            whole = pd.concat([table for _, table in tables], ignore_index=True)
            caption = f"Test error {judged_when(results.manifest)} against {axis_label(x).partition(' / ')[0]}."
            yield Drawing(file_name(f"error_vs_{x.replace('.', '_')}", suffix, *at), make, whole, caption)


def _over_numbers(tables: Tables, x: str, results: Results, title: str) -> Figure:
    figure = draw_panels(tables, x, results.looks, axis_label(x), choice=results.axis("error"), title=title)
    values = pd.concat([table[x] for _, table in tables]).drop_duplicates().sort_values()
    scale_values(figure.axes[0], values.to_numpy(dtype=float))
    choose_axis(figure.axes, results.axis(x))
    return figure


def _over_names(tables: Tables, x: str, results: Results, title: str) -> Figure:
    """Draw names side by side, with adjacent variants."""
    names = list(results.frame[x].unique())
    step = 0.7 / len(results.variants)
    offsets = {v: step * (n - (len(results.variants) - 1) / 2) for n, v in enumerate(results.variants)}
    placed = [
        (own, table.assign(at=table[x].map(names.index) + table["variant"].map(offsets))) for own, table in tables
    ]
    label = results.axis(x).label or axis_label(x)
    choice = results.axis("error")
    figure = draw_panels(placed, "at", results.looks, label, joined=False, choice=choice, title=title)
    _write_names(figure, list(map(str, names)))
    return figure


def _write_names(figure: Figure, names: list[str]) -> None:
    """Label ticks with names, one part a line: horizontal if they fit, else slanted, or vertical if long."""
    lines = ["\n".join(map(wrapped_tightly, name.split(", "))) for name in names]
    longest = max(len(line) for name in lines for line in name.split("\n"))
    room = figure.get_figwidth() - scaled(0.6)
    columns = panel_columns(len(figure.axes))
    letter = _LETTER * points_of("xtick.labelsize") / 72
    if longest * letter * len(names) * columns <= 0.9 * room:
        turned: dict[str, Any] = {}
    elif longest <= _SLANTED and not any("\n" in name for name in lines):
        turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    else:
        turned = {"rotation": 90}
    share = {None: 0.0, 30: 0.5, 90: 1.0}[turned.get("rotation")]  # share of a label's length in the height
    figure.set_figheight(figure.get_figheight() + share * letter * longest)
    for axes in figure.axes:
        write_names(axes.xaxis, lines, **turned)


def wrapped_tightly(part: str) -> str:
    """Break a tick label into lines."""
    return "\n".join(textwrap.wrap(part, _SLANTED, break_on_hyphens=False)) if len(part) > _SLANTED else part
