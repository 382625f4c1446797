"""Test error of each chip after the last epoch, as box plots: how much chips of one kind differ."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analogff.figures.drawing import Drawing
from analogff.figures.lines import ERROR_LABEL
from analogff.figures.results import Missing, Results, arrange
from analogff.figures.scales import ErrorScale
from analogff.figures.style import (
    Look,
    entitle,
    entitle_all,
    letter,
    new_figure,
    panel_columns,
    points_of,
    scaled,
    wrapped,
)
from analogff.study.results.lives import judged_when
from analogff.study.results.names import file_name

_BOXED = 5
"""Least number of chips of which quartiles are drawn."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure at the first value of each number, with a panel for each named value (a family, a model)."""
    last = results.ends
    if last["chip"].nunique() < 3:
        raise Missing(
            f"error_over_chips: Expected at least 3 chips. Got {last['chip'].nunique()}. Write chips = 5, for example."
        )
    rows, at = results.at_first_numbers(last)
    named = [axis for axis in results.axes if not results.numeric(axis) and rows[axis].notna().any()]
    for suffix, panels in arrange(results, rows, named):
        titles = [", ".join(filter(None, [p.title, *at])) for p in panels]
        tables = [per_chip(p.frame, ["variant", *named]) for p in panels]
        whole = pd.concat(tables, ignore_index=True)
        caption = (
            f"Test error of each chip {judged_when(results.manifest)}. Points are chips; boxes show the quartiles and "
            "the median, whiskers the least and the greatest."
        )
        make = partial(_draw, results, list(zip(titles, tables, strict=True)), suffix)
        yield Drawing(file_name("error_over_chips", suffix, *at), make, whole, caption)


def per_chip(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the error of each chip, the mean over its learning seeds, and its number of diverged runs."""
    groups = frame.groupby([*by, "chip"], sort=False, observed=True)
    return groups.agg(test_error=("test_error", "mean"), diverged=("diverged", "sum")).reset_index()


def _draw(results: Results, panels: Sequence[tuple[str, pd.DataFrame]], above: str) -> Figure:
    columns = panel_columns(len(panels))
    shown = [v for v in results.variants if any((table["variant"] == v).any() for _, table in panels)]
    names = [wrapped(v, len(panels)) for v in shown]
    heights = np.array([0.24 + 0.15 * (1 + name.count("\n")) for name in names])
    rows = -(-len(panels) // columns)
    figure = new_figure(scaled(rows * (heights.sum() + 0.45) + 0.2))
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for spare in grid[len(panels) :]:
        spare.remove()
    grid = list(grid[: len(panels)])
    letter(grid)
    bottoms = heights.cumsum()
    for axes, (title, table) in zip(grid, panels, strict=True):
        entitle(axes, title, len(panels))
        for variant, name, bottom in zip(shown, names, bottoms, strict=True):
            _draw_row(axes, table[table["variant"] == variant], name, bottom, results.looks[variant])
    _scale(figure, grid, panels, results, heights.sum())
    entitle_all(figure, above)
    return figure


def _scale(
    figure: Figure, grid: list[Axes], panels: Sequence[tuple[str, pd.DataFrame]], results: Results, height: float
) -> None:
    errors = pd.concat([table for _, table in panels])["test_error"].to_numpy(dtype=float)
    scale = ErrorScale.of(errors, errors, errors, results.axis("error"))
    grid[0].set(ylim=(height, 0), yticks=[])
    if scale:
        scale.apply(grid[0], "x")
    for axes in grid:
        axes.grid(visible=False)
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
    columns = panel_columns(len(grid))
    for axes in grid[-columns:]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(results.axis("error").label or ERROR_LABEL)


def _draw_row(axes: Axes, table: pd.DataFrame, name: str, bottom: float, look: Look) -> None:
    """Draw the chips of one variant, below its name."""
    errors = table["test_error"].dropna().to_numpy(dtype=float)
    lost = int((table["diverged"] > 0).sum())
    said = f"{name} ({lost} diverged)" if lost else name
    points = points_of("legend.fontsize")
    axes.text(0.01, bottom - 0.25, said, va="bottom", fontsize=points, transform=axes.get_yaxis_transform())
    if len(errors) >= _BOXED:
        lines = {"color": look.color, "linewidth": scaled(0.9)}
        axes.boxplot(
            errors,
            orientation="horizontal",
            positions=[bottom - 0.14],
            widths=0.15,
            whis=(0, 100),
            manage_ticks=False,
            showfliers=False,
            boxprops=lines,
            whiskerprops=lines,
            capprops=lines,
            medianprops=lines | {"linewidth": scaled(1.8)},
        )
    style = look.line() | {"linestyle": "none", "alpha": 0.7}
    axes.plot(errors, np.full(len(errors), bottom - 0.14), **style)
