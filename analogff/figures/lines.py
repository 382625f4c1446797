"""Lines with intervals over chips, common to the error figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWNBASE

from analogff.figures.scales import ErrorScale
from analogff.figures.style import Look, label_outside, legend_below, looks, make_figure, wrapped

_MANY = 12
"""Number of points from which intervals are bands; bars would overlap."""
_INTERVAL = ("mean", "low", "high")
_POINTING_DOWN: dict[str, Any] = {"linestyle": "none", "marker": CARETDOWNBASE, "markersize": 4, "zorder": 6}
ERROR_LABEL = "test error / %"


def draw_panels(
    tables: Sequence[tuple[str, pd.DataFrame]],
    x: str,
    variants: Sequence[str],
    label: str,
    *,
    joined: bool = True,
    error: str = ERROR_LABEL,
) -> Figure:
    """Draw one panel for each table, one line for each variant, and the legend below.

    Args:
        tables: Titles, and tables with the columns ``variant, mean, low, high, diverged`` and the one of x.
        x: The column to plot against.
        variants: All variants of the study, so that each keeps its style.
        label: Label of the x axis.
        joined: Whether to join points by lines.
        error: Label of the y axis.
    """
    look = looks(variants)
    shown = [v for v in variants if any((table["variant"] == v).any() for _, table in tables)]
    diverged = any(table["diverged"].any() for _, table in tables)
    scale = ErrorScale.of(*(_numbers(pd.concat([table for _, table in tables]), name) for name in _INTERVAL))
    cut = scale is not None and any(_cut(scale, table).any() for _, table in tables)
    handles = [Line2D([], [], label=wrapped(v), **look[v].line()) for v in shown]
    handles += [_diverged_handle()] * diverged + [_cut_handle()] * cut
    columns = 1 if max(map(len, shown)) > 30 else 2
    lines = sum(str(handle.get_label()).count("\n") + 1 for handle in handles)
    figure, panels = make_figure(len(tables), -(-lines // columns))
    for axes, (title, table) in zip(panels, tables, strict=True):
        axes.set_title(wrapped(title, len(tables)))
        for variant, points in table.groupby("variant", sort=False):
            _draw_line(axes, points.sort_values(x), x, look[str(variant)], scale)
        if not joined:
            for line in axes.lines:
                line.set_linestyle("none")
    label_outside(panels, label, error)
    if scale:
        scale.apply(panels[0])
    legend_below(figure, handles, columns)
    return figure


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    return table[column].to_numpy(dtype=float)


def _cut(scale: ErrorScale, table: pd.DataFrame) -> np.ndarray:
    return scale.cuts(_numbers(table, "mean"), _numbers(table, "low"))


def _draw_line(axes: Axes, points: pd.DataFrame, x: str, look: Look, scale: ErrorScale | None) -> None:
    at, (mean, low, high) = _numbers(points, x), (_numbers(points, name) for name in _INTERVAL)
    every = max(1, len(at) // 6)
    axes.plot(at, mean, **look.line(), markevery=every)
    known = np.isfinite(low)
    if len(at) >= _MANY:
        axes.fill_between(at, low, high, where=known, color=look.color, alpha=0.18, linewidth=0)
    elif known.any():
        bars = [(mean - low)[known], (high - mean)[known]]
        axes.errorbar(at[known], mean[known], bars, fmt="none", ecolor=look.color, elinewidth=0.8, capsize=1.8)
    given = np.arange(len(at)) % every == 0
    lost = (points["diverged"].to_numpy(dtype=int) > 0) & given
    _cross_out(axes, at[lost], mean[lost])
    if scale and (cut := scale.cuts(mean, low) & given).any():
        style: dict[str, Any] = {**_POINTING_DOWN, "color": look.color}
        axes.plot(at[cut], np.zeros(cut.sum()), transform=axes.get_xaxis_transform(), clip_on=False, **style)


def _cross_out(axes: Axes, at: np.ndarray, mean: np.ndarray) -> None:
    """Mark points with diverged runs; a point without a finite chip is marked at the top."""
    cross = {"linestyle": "none", "marker": "x", "color": "black", "markersize": 6, "zorder": 5}
    known = np.isfinite(mean)
    axes.plot(at[known], mean[known], **cross)
    axes.plot(at[~known], np.full((~known).sum(), 0.95), transform=axes.get_xaxis_transform(), **cross)


def _cut_handle() -> Line2D:
    style: dict[str, Any] = {**_POINTING_DOWN, "color": "0.3"}
    return Line2D([], [], label="interval goes on below", **style)


def _diverged_handle() -> Line2D:
    return Line2D([], [], linestyle="none", marker="x", color="black", markersize=6, label="some runs diverged")
