"""Grids of colored cells with their numbers, common to heat maps and matrices."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colorizer import ColorizingArtist
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from analogff.figures.scales import PLAIN
from analogff.figures.style import (
    entitle,
    label_outside,
    legend_below,
    legend_rows,
    make_figure,
    panel_columns,
    points_of,
    scaled,
    text_inches,
    width_inches,
)
from analogff.study.read.figure import AxisChoice

_COLORS = "cividis"
"""Colors whose lightness rises evenly, in gray and to the color-blind too."""
_ALIKE = 6
"""Greatest ratio of values on a linear scale of colors."""
_LEAST_POINTS = 5
"""Least size of a number in a cell; smaller ones are left out."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """One panel of cells."""

    title: str
    """Its title."""
    values: np.ndarray
    """``(rows, columns)``; NaN for a cell without a value."""
    lost: np.ndarray | None = None
    """Number of diverged runs of each cell."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sides:
    """What rows and columns are."""

    x: str
    """Label of the columns."""
    y: str
    """Label of the rows."""
    columns: Sequence[str]
    """Name of each column."""
    rows: Sequence[str]
    """Name of each row, from below."""


def draw_grids(
    grids: Sequence[Grid],
    sides: Sides,
    label: str,
    choice: AxisChoice | None = None,
    decimals: int = 1,
    least: float = -np.inf,
) -> Figure:
    """Draw a panel for each grid, with common colors.

    Args:
        grids: The panels.
        sides: Their rows and columns.
        label: What the values are.
        choice: Scale, limits and label that a user chose for them.
        decimals: Digits of the numbers in cells after the point.
        least: Least number that is written.
    """
    choice = choice or AxisChoice()
    handles = _handles(grids)
    figure, panels = make_figure(len(grids), 0)
    rows = -(-len(grids) // panel_columns(len(grids)))
    figure.set_figheight(rows * _height(len(grids), sides) + scaled(0.17) * (legend_rows(handles) + 1))
    norm = _norm(np.concatenate([grid.values.ravel() for grid in grids]), choice)
    for axes, grid in zip(panels, grids, strict=True):
        entitle(axes, grid.title, len(grids))
        mesh = axes.pcolormesh(grid.values, norm=norm, cmap=_COLORS, edgecolors="white", linewidth=scaled(0.4))
        _cross_out(axes, grid)
    _name_cells(panels, sides)
    label_outside(panels, sides.x, sides.y)
    _color_bar(figure, panels, mesh, choice.label or label, grids)
    if handles:
        legend_below(figure, handles)
    figure.draw_without_rendering()  # so that the cells have their size
    for axes, grid in zip(panels, grids, strict=True):
        _write_numbers(axes, grid.values, mesh, decimals, least)
    return figure


def _height(panels: int, sides: Sides) -> float:
    """Return the height of a panel in inches: cells are squares, as far as they fit."""
    side = min(max(_side(panels, sides), scaled(0.155)), scaled(0.4))
    longest = max(text_inches(name, points_of("xtick.labelsize")) for name in sides.columns)
    below = {30: 0.5, 90: 1.0}.get(_turn(panels, sides).get("rotation", 0), 0.0) * longest
    return scaled(0.6) + below + min(max(len(sides.rows) * side, scaled(0.5)), scaled(2.4))


def _numbers(names: Sequence[str]) -> bool:
    """Tell whether all names are numbers, of which some suffice to read an axis."""
    return all(name.replace(".", "").replace("e-", "").lstrip("-").isdecimal() for name in names)


def _turn(panels: int, sides: Sides) -> dict[str, Any]:
    """Return how the names of the columns are turned: not at all if they fit, else slanted, or upright if close."""
    points = points_of("xtick.labelsize")
    if _numbers(sides.columns) or max(text_inches(f"{name}m", points) for name in sides.columns) <= _side(
        panels, sides
    ):
        return {}
    if _side(panels, sides) > 3.5 * points / 72:
        return {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    return {"rotation": 90}


def _side(panels: int, sides: Sides) -> float:
    """Return the width of a cell in inches, about."""
    return (width_inches() / panel_columns(panels) - scaled(0.5)) / len(sides.columns)


def _norm(values: np.ndarray, choice: AxisChoice) -> Normalize:
    found = values[np.isfinite(values)]
    positive = found[found > 0]
    low, high = choice.limits or ((float(found.min()), float(found.max())) if len(found) else (0.0, 1.0))
    wide = len(positive) > 0 and positive.max() > _ALIKE * positive.min() and (found >= 0).all()
    if (choice.scale == "log" or (wide and choice.scale is None)) and len(positive):
        return LogNorm(low if low > 0 else float(positive.min()), high, clip=True)
    return Normalize(low, high if high > low else low + 1, clip=True)


def _name_cells(panels: Sequence[Axes], sides: Sides) -> None:
    """Name rows and columns; numbers that would touch are thinned out later, names are all there."""
    for which, names in (("x", sides.columns), ("y", sides.rows)):
        axis: Axis = getattr(panels[0], f"{which}axis")
        at = [n + 0.5 for n in range(len(names))]
        axis.set_major_locator(FixedLocator(at))
        axis.set_major_formatter(FuncFormatter(lambda at, _, names=names: names[min(int(at), len(names) - 1)]))
        axis.set_minor_locator(NullLocator())
        if not _numbers(names):
            turned = _turn(len(panels), sides) if which == "x" else {}
            for axes in panels:
                getattr(axes, f"set_{which}ticks")(at, names, **turned)
    for axes in panels:
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)


def _color_bar(
    figure: Figure, panels: Sequence[Axes], mesh: ColorizingArtist, label: str, grids: Sequence[Grid]
) -> None:
    values = np.concatenate([grid.values.ravel() for grid in grids])
    low, high = mesh.get_clim()
    low, high = low or 0.0, high or 1.0
    cut = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    known = values[np.isfinite(values)]
    extend = cut[bool((known < low).any()), bool((known > high).any())]
    bar = figure.colorbar(mesh, ax=list(panels), label=label, extend=extend, aspect=25, pad=0.02)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.grid(visible=False)
    if isinstance(mesh.norm, LogNorm):
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
        bar.ax.yaxis.set_major_formatter(PLAIN)
        bar.ax.yaxis.set_minor_formatter(NullFormatter())


def _write_numbers(axes: Axes, values: np.ndarray, mesh: ColorizingArtist, decimals: int, least: float) -> None:
    """Write the numbers into the cells, if they fit."""
    box, points = axes.get_window_extent(), 0.85 * points_of("xtick.labelsize")
    width, height = (side / axes.figure.dpi / n for side, n in zip(box.size, values.shape[::-1], strict=True))
    texts = [f"{value:.{decimals}f}" for value in values[np.isfinite(values)]]
    widest = max((text_inches(text, 1.0) for text in texts), default=0.0)
    points = min(points, 0.86 * width / widest, 0.8 * 72 * height) if widest else points
    if points < _LEAST_POINTS:
        return
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value) and value >= least:
            dark = float(np.dot(mesh.to_rgba(value)[:3], (0.299, 0.587, 0.114))) < 0.5  # type: ignore[index]
            at = column + 0.5, row + 0.5
            color = "white" if dark else "black"
            axes.text(*at, f"{value:.{decimals}f}", ha="center", va="center_baseline", fontsize=points, color=color)


def _cross_out(axes: Axes, grid: Grid) -> None:
    """Mark cells with diverged runs: in the middle if no run is left, else in a corner."""
    if grid.lost is None:
        return
    for everything, (size, shift) in ((True, (6, 0.5)), (False, (3, 0.86))):
        marked = (grid.lost > 0) & (np.isfinite(grid.values) != everything)
        rows, columns = np.nonzero(marked)
        color = "black" if everything else "white"
        style = {"linestyle": "none", "marker": "x", "color": color, "markersize": scaled(size)}
        axes.plot(columns + shift, rows + shift, **style, zorder=5)


def _handles(grids: Sequence[Grid]) -> list[Line2D]:
    """Return the legend of the marks that are there."""
    handles = []
    for everything, label in ((True, "all runs diverged"), (False, "some runs diverged")):
        there = any(((g.lost > 0) & (np.isfinite(g.values) != everything)).any() for g in grids if g.lost is not None)
        style = {"marker": "x", "markersize": scaled(6 if everything else 3), "color": "black"}
        handles += [Line2D([], [], linestyle="none", label=label, **style)] * there
    return handles
