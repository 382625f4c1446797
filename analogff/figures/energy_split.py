"""Energy of training by component: where each rule spends it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, PercentFormatter

from analogff.figures.drawing import Drawing
from analogff.figures.results import Missing, Results, points
from analogff.figures.style import COLOURS, new_figure, points_of, scaled, wrapped
from analogff.study.results.names import file_name

PARTS = {
    "chip_joules": "arrays and neurons",
    "converter_joules": "converters",
    "write_joules": "writes",
    "digital_joules": "digital logic",
    "memory_joules": "memory",
}
"""Columns, and their names in the legend."""
_OF_THE_CHIP = 3
"""The first ones; the others are of what stands around it."""
_LOOKS = ((COLOURS[0], ""), (COLOURS[5], "////"), (COLOURS[1], ""), (COLOURS[4], "...."), ("0.35", ""))
STYLES: dict[str, dict[str, Any]] = {
    column: {"facecolor": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0.3}
    for column, (color, hatch) in zip(PARTS, _LOOKS, strict=True)
}
"""Of the bar of each component."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each named value (a family, a model), at the first value of each number.

    Bars are shares, since totals of rules differ by orders of magnitude; each total is printed beside its bar. A thin
    bar enlarges the chip's part.
    """
    if "system_joules" not in results.frame or not (results.frame["system_joules"] > 0).any():
        raise Missing("energy_split: Expected runs that spend energy. Got none. Train a rule on a device.")
    rows, at = results.at_first_numbers(results.frame[results.frame["last"]])
    named = [axis for axis in results.axes if not results.numeric(axis) and rows[axis].notna().any()]
    for point, part in points(rows, named):
        table = split(part, results.variants)
        if (table["system_joules"] > 0).any():
            title = ", ".join(filter(None, [point, *at]))
            caption = "Energy of training by component, as shares of each rule's total, written beside its bar."
            yield Drawing(file_name("energy_split", point, *at), partial(_draw, table, title), table, caption)


def split(frame: pd.DataFrame, variants: tuple[str, ...]) -> pd.DataFrame:
    """Return the mean energy of each component over runs.

    Returns:
        Columns ``variant``, those of `PARTS`, ``system_joules`` and ``runs``, in the order of the variants.
    """
    columns = [*PARTS, "system_joules"]
    groups: Any = frame.groupby("variant")
    table = groups[columns].mean().assign(runs=groups.size())
    return table.loc[[v for v in variants if v in table.index]].reset_index()


def _draw(table: pd.DataFrame, title: str) -> Figure:
    names = [wrapped(variant) for variant in table["variant"]]
    heights = np.array([0.42 + 0.13 * (1 + name.count("\n")) for name in names])
    figure = new_figure(scaled(heights.sum() + 1.1))
    axes, bottoms = figure.subplots(), heights.cumsum()
    _stack(axes, table, list(PARTS), bottoms - 0.31, 0.18)
    _stack(axes, table, list(PARTS)[:_OF_THE_CHIP], bottoms - 0.15, 0.08)
    for name, bottom in zip(names, bottoms, strict=True):
        axes.text(0, bottom - 0.42, name, va="bottom", fontsize=points_of("legend.fontsize"))
    axes.set(xlim=(0, 100), ylim=(heights.sum(), 0), yticks=[])
    axes.set_xlabel("share of the energy; thin bars: the chip's part")
    axes.xaxis.set_major_formatter(PercentFormatter())
    return finished(figure, title)


def finished(figure: Figure, title: str) -> Figure:
    """Return a figure of energies with its title, and the components below it."""
    axes = figure.axes[0]
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    if title:
        figure.suptitle(wrapped(title))
    handles = [Patch(label=label, **STYLES[column]) for column, label in PARTS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, columnspacing=1.2)
    return figure


def _stack(axes: Axes, table: pd.DataFrame, columns: list[str], at: np.ndarray, height: float) -> None:
    """Draw a stacked bar of some components for each rule, and print their sum beside it."""
    parts = table[columns].to_numpy(dtype=float)
    total, left = parts.sum(1), np.zeros(len(table))
    for column, part in zip(columns, parts.T, strict=True):
        share = np.divide(100 * part, total, out=np.zeros_like(total), where=total > 0)
        axes.barh(at, share, left=left, height=height, **STYLES[column])
        left += share
    for place, energy in zip(at, total, strict=True):
        axes.text(101.5, place, EngFormatter("J", places=1)(energy), va="center", fontsize=points_of("xtick.labelsize"))
