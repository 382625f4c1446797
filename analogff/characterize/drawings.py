"""Figures of measured points, with their numbers."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analogff.characterize.estimate import Curve
from analogff.figures.drawing import Drawing
from analogff.figures.style import COLOURS, RC, make_figure

_FEW = 6


def draw(curves: Sequence[Curve], folder: Path) -> list[Path]:
    """Draw curves into a folder, each as PDF, PNG and CSV."""
    with mpl.rc_context():  # the same style for all user settings
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        return [
            path for curve in curves for path in Drawing(curve.name, partial(_figure, curve), curve.table).save(folder)
        ]


def _figure(curve: Curve) -> Figure:
    figure, (axes,) = make_figure(1, 0)
    paint(curve, axes)
    return figure


def paint(curve: Curve, axes: Axes) -> None:
    """Draw one line for each series: one series of each chip, or many series of the first chip."""
    series = list(curve.table["series"].unique())
    of = "chip" if len(series) == 1 else "series"
    table = curve.table if of == "chip" else curve.table[curve.table["chip"] == 0]
    lines = list(table.groupby(of, sort=False))
    for n, (_, line) in enumerate(lines):
        color = COLOURS[n % len(COLOURS)]
        if line["low"].isna().all():
            axes.plot(line["x"], line["y"], ".", color=color, markersize=2)
            continue
        axes.plot(line["x"], line["y"], color=color, linewidth=1.1 if len(lines) <= _FEW else 0.5)
        if len(lines) <= _FEW:
            axes.fill_between(line["x"], line["low"], line["high"], color=color, alpha=0.2, linewidth=0)
    axes.set_title({"chip": f"{series[0]}, a line a chip", "series": "chip 0, a line a neuron"}[of])
    axes.set_xlabel(curve.x)
    axes.set_ylabel(curve.y)
    if curve.log_x:
        axes.set_xscale("log")
