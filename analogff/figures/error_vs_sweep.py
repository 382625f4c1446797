"""Test error against a swept parameter, after the last epoch."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.aggregate import intervals
from analogff.figures.curves import draw_panels
from analogff.figures.drawing import Drawing
from analogff.figures.results import Results, arrange
from analogff.figures.scales import scale_values
from analogff.study.labels import axis_label, file_name

_LETTER_INCHES = 0.05
"""Of a label beside a tick."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each axis with numbers on it, or if there is none for the first axis.

    The other axes make panels and files.
    """
    last = results.frame[results.frame["last"]]
    for x in list(filter(results.numeric, results.axes)) or results.axes[:1]:
        others = [axis for axis in results.axes if axis != x]
        for suffix, panels in arrange(results, last, others):
            tables = [(p.title, intervals(p.frame, ["variant", *others, x])) for p in panels]
            by_number = results.numeric(x)
            figure = _over_numbers(tables, x, results) if by_number else _over_names(tables, x, results)
            whole = pd.concat([table for _, table in tables], ignore_index=True)
            yield Drawing(file_name(f"error_vs_{x.replace('.', '_')}", suffix), figure, whole)


def _over_numbers(tables: list[tuple[str, pd.DataFrame]], x: str, results: Results) -> Figure:
    figure = draw_panels(tables, x, results.variants, axis_label(x))
    values = pd.concat([table[x] for _, table in tables]).drop_duplicates().sort_values()
    scale_values(figure.axes[0], values.to_numpy(dtype=float))
    return figure


def _over_names(tables: list[tuple[str, pd.DataFrame]], x: str, results: Results) -> Figure:
    """Draw names side by side, each with its variants next to each other."""
    names = list(results.frame[x].unique())
    step = 0.7 / len(results.variants)
    offsets = {v: step * (n - (len(results.variants) - 1) / 2) for n, v in enumerate(results.variants)}
    placed = [
        (title, table.assign(at=table[x].map(names.index) + table["variant"].map(offsets))) for title, table in tables
    ]
    figure = draw_panels(placed, "at", results.variants, axis_label(x), joined=False)
    _write_names(figure, list(map(str, names)))
    return figure


def _write_names(figure: Figure, names: list[str]) -> None:
    """Write short names as they are, many of them slanted, and names of several parts upright, a part a line."""
    turned: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if len(names) > 3 else {}
    lines = [name.split(", ") for name in names]
    if turned and max(map(len, lines)) > 1:
        turned = {"rotation": 90}
        figure.set_figheight(
            figure.get_figheight() + _LETTER_INCHES * max(len(line) for name in lines for line in name)
        )
    for axes in figure.axes:
        axes.set_xticks(range(len(names)), ["\n".join(name) for name in lines], **turned)
