"""Lines with intervals over chips, the common part of the error figures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analogff.figures.scales import scale_errors
from analogff.figures.style import Look, label_outside, legend_below, looks, make_figure

_MANY = 12
"""From so many points on, intervals are bands: bars would hide each other."""
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
    """Draw one panel a table, one line a variant, and the legend below.

    Args:
        tables: Titles, and tables with the columns ``variant, mean, low, high, diverged`` and the one of x.
        x: The column to plot against.
        variants: All variants of the study, so that each keeps its look.
        label: Of the x axis.
        joined: Whether what lies between two points means anything.
        error: Label of the y axis.
    """
    look = looks(variants)
    shown = [v for v in variants if any((table["variant"] == v).any() for _, table in tables)]
    diverged = any(table["diverged"].any() for _, table in tables)
    handles = [Line2D([], [], label=v, **look[v].line()) for v in shown] + [_diverged_handle()] * diverged
    columns = 1 if max(map(len, shown)) > 30 else 2
    figure, panels = make_figure(len(tables), -(-len(handles) // columns))
    for axes, (title, table) in zip(panels, tables, strict=True):
        axes.set_title(title)
        for variant, points in table.groupby("variant", sort=False):
            _draw_line(axes, points.sort_values(x), x, look[str(variant)])
        if not joined:
            for line in axes.lines:
                line.set_linestyle("none")
    label_outside(panels, label, error)
    whole = pd.concat([table for _, table in tables])
    scale_errors(panels[0], whole["mean"].to_numpy(dtype=float), whole["high"].to_numpy(dtype=float))
    legend_below(figure, handles, columns)
    return figure


def _draw_line(axes: Axes, points: pd.DataFrame, x: str, look: Look) -> None:
    at, mean = points[x].to_numpy(dtype=float), points["mean"].to_numpy(dtype=float)
    low, high = points["low"].to_numpy(dtype=float), points["high"].to_numpy(dtype=float)
    every = max(1, len(at) // 6)
    axes.plot(at, mean, **look.line(), markevery=every)
    known = np.isfinite(low)
    if len(at) >= _MANY:
        axes.fill_between(at, low, high, where=known, color=look.color, alpha=0.18, linewidth=0)
    elif known.any():
        bars = [(mean - low)[known], (high - mean)[known]]
        axes.errorbar(at[known], mean[known], bars, fmt="none", ecolor=look.color, elinewidth=0.8, capsize=1.8)
    lost = (points["diverged"].to_numpy(dtype=int) > 0) & (np.arange(len(at)) % every == 0)
    _cross_out(axes, at[lost], mean[lost])


def _cross_out(axes: Axes, at: np.ndarray, mean: np.ndarray) -> None:
    """Mark points with diverged runs; one without any finite chip has no height, and is marked at the top."""
    cross = {"linestyle": "none", "marker": "x", "color": "black", "markersize": 6, "zorder": 5}
    known = np.isfinite(mean)
    axes.plot(at[known], mean[known], **cross)
    axes.plot(at[~known], np.full((~known).sum(), 0.95), transform=axes.get_xaxis_transform(), **cross)


def _diverged_handle() -> Line2D:
    return Line2D([], [], linestyle="none", marker="x", color="black", markersize=6, label="some runs diverged")
