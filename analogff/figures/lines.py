"""Lines with intervals over chips, common to the error figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWNBASE, CARETUPBASE

from analogff.figures.scales import ErrorScale
from analogff.figures.style import (
    Look,
    entitle,
    entitle_all,
    label_outside,
    legend_below,
    legend_rows,
    make_figure,
    scaled,
    shown_line,
)
from analogff.study.read.figure import AxisChoice

_MANY = 12
"""Number of points from which intervals are bands; bars would overlap."""
_INTERVAL = ("mean", "low", "high")
_SIDES = ("below", "above")
_POINTING: tuple[dict[str, Any], ...] = tuple(
    {"linestyle": "none", "marker": marker, "zorder": 6} for marker in (CARETDOWNBASE, CARETUPBASE)
)
ERROR_LABEL = "test error / %"
Tables = Sequence[tuple[str, pd.DataFrame]]
"""Titles of panels with their tables."""


def draw_panels(
    tables: Tables,
    x: str,
    look: Mapping[str, Look],
    label: str,
    *,
    joined: bool = True,
    error: str = ERROR_LABEL,
    choice: AxisChoice | None = None,
    more: Sequence[Line2D] = (),
    title: str = "",
) -> Figure:
    """Draw one panel for each table, one line for each variant, and the legend below.

    Args:
        tables: Titles, and tables with the columns ``variant, mean, low, high, diverged`` and the one of x.
        x: The column to plot against.
        look: Looks of all variants of the study, in order.
        label: Label of the x axis.
        joined: Whether to join points by lines.
        error: Label of the y axis.
        choice: What a user chose for it.
        more: Further entries of the legend.
        title: What all panels have in common.
    """
    choice = choice or AxisChoice()
    shown = [v for v in look if any((table["variant"] == v).any() for _, table in tables)]
    diverged = any(table["diverged"].any() for _, table in tables)
    whole = pd.concat([table for _, table in tables])
    means, lows, highs = (_numbers(whole, name) for name in _INTERVAL)
    scale = ErrorScale.of(means, lows, highs, choice)
    cut = [scale is not None and any(ends(scale, table).any() for _, table in tables) for ends in (_below, _above)]
    handles = [shown_line(look[v], v) for v in shown] + list(more)
    handles += [_diverged_handle()] * diverged
    handles += [_cut_handle(style, side) for style, side, is_cut in zip(_POINTING, _SIDES, cut, strict=True) if is_cut]
    figure, panels = make_figure(len(tables), legend_rows(handles))
    entitle_all(figure, title)
    for axes, (own, table) in zip(panels, tables, strict=True):
        entitle(axes, own, len(tables))
        for variant, points in table.groupby("variant", sort=False):
            _draw_line(axes, points.sort_values(x), x, look[str(variant)], scale)
        if not joined:
            for line in axes.lines:
                line.set_linestyle("none")
    label_outside(panels, label, choice.label or error)
    if scale:
        scale.apply(panels[0])
    legend_below(figure, handles)
    return figure


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    return table[column].to_numpy(dtype=float)


def _below(scale: ErrorScale, table: pd.DataFrame) -> np.ndarray:
    return scale.below(_numbers(table, "mean"), _numbers(table, "low"))


def _above(scale: ErrorScale, table: pd.DataFrame) -> np.ndarray:
    return scale.above(_numbers(table, "mean"), _numbers(table, "high"))


def _draw_line(axes: Axes, points: pd.DataFrame, x: str, look: Look, scale: ErrorScale | None) -> None:
    at, (mean, low, high) = _numbers(points, x), (_numbers(points, name) for name in _INTERVAL)
    every = max(1, len(at) // 6)
    axes.plot(at, mean, **look.line(), markevery=every)
    known = np.isfinite(low)
    if len(at) >= _MANY:
        axes.fill_between(at, low, high, where=known, color=look.color, alpha=0.18, linewidth=0)
    elif known.any():
        bars = [(mean - low)[known], (high - mean)[known]]
        style = {"ecolor": look.color, "elinewidth": scaled(0.8), "capsize": scaled(1.8), "capthick": scaled(1.0)}
        axes.errorbar(at[known], mean[known], bars, fmt="none", **style)
    given = np.arange(len(at)) % every == 0
    lost = (points["diverged"].to_numpy(dtype=int) > 0) & given
    _cross_out(axes, at[lost], mean[lost])
    for end, style, cuts in zip((0.0, 1.0), _POINTING, (_below, _above), strict=True):
        if scale and (cut := cuts(scale, points) & given).any():
            where: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False, "color": look.color}
            axes.plot(at[cut], np.full(cut.sum(), end), markersize=scaled(4), **where, **style)


def _cross_out(axes: Axes, at: np.ndarray, mean: np.ndarray) -> None:
    """Mark points with diverged runs; a point without a finite chip is marked at the top."""
    cross = {"linestyle": "none", "marker": "x", "color": "black", "markersize": scaled(6), "zorder": 5}
    known = np.isfinite(mean)
    axes.plot(at[known], mean[known], **cross)
    axes.plot(at[~known], np.full((~known).sum(), 0.95), transform=axes.get_xaxis_transform(), **cross)


def _cut_handle(style: dict[str, Any], side: str) -> Line2D:
    return Line2D([], [], color="0.3", markersize=scaled(4), label=f"interval goes on {side}", **style)


def _diverged_handle() -> Line2D:
    return Line2D([], [], linestyle="none", marker="x", color="black", markersize=scaled(6), label="some runs diverged")
