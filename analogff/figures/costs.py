"""Test error against what training has cost, with the Pareto front."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analogff.figures.aggregate import intervals
from analogff.figures.drawing import Drawing
from analogff.figures.lines import Tables, draw_panels
from analogff.figures.results import Missing, Results, arrange
from analogff.figures.scales import choose_axis, scale_costs
from analogff.figures.style import scaled
from analogff.study.results.names import file_name, is_bound, is_control


def against_cost(results: Results, column: str, quantity: str, unit: str = "") -> Iterator[Drawing]:
    """Yield one figure for each swept point, with one point for each epoch.

    Args:
        results: The results.
        column: Column of the cost.
        quantity: Its name in figures.
        unit: Its unit, if it is no count.

    Raises:
        Missing: If nothing has cost any.
    """
    kind = f"error_vs_{quantity}"
    if column not in results.frame or not (results.frame[column] > 0).any():
        raise Missing(
            f"{kind}: Expected a rule that spends {quantity}. Got none in the column {column}. Train a rule on a "
            "device whose datasheet has them."
        )
    for suffix, panels in arrange(results, results.frame, results.axes):
        by = ["variant", *results.axes, "epoch"]
        tables = [(p.title, with_front(intervals(p.frame, by, also=[column]), column)) for p in panels]
        whole = pd.concat([table for _, table in tables], ignore_index=True)
        if (whole[column] > 0).any():
            caption = (
                f"Test error against the {quantity} that training has spent, a point for each evaluated epoch. Dotted: "
                "Pareto front, the points than which no other is better and cheaper; bounds and controls are no part "
                "of it."
            )
            make = partial(_draw, results, tables, column, quantity, unit, suffix)
            yield Drawing(file_name(kind, suffix), make, whole, caption)


def with_front(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a table with the column ``front``: whether no other point has less error at no more cost.

    Bounds and controls, which hardware could not reach, neither are in the front nor push others out of it.
    """
    rivals = table[~table["variant"].map(_out_of_reach) & table["mean"].notna()]
    rivals = rivals.sort_values([column, "mean"], kind="stable")
    least = rivals["mean"].cummin()
    front = rivals.index[(rivals["mean"] < least.shift(fill_value=np.inf))]
    return table.assign(front=table.index.isin(front))


def _out_of_reach(variant: Any) -> bool:
    return is_bound(variant) or is_control(variant)


def _draw(results: Results, tables: Tables, column: str, quantity: str, unit: str, title: str) -> Figure:
    label = {"reads": "reads in training", "joules": "energy of training", "seconds": "hardware time of training"}
    front = Line2D([], [], color="0.25", linestyle=":", linewidth=scaled(1.4), label="Pareto front")
    choice = results.axis("error")
    figure = draw_panels(tables, column, results.looks, label[quantity], choice=choice, more=[front], title=title)
    for axes, (_, table) in zip(figure.axes, tables, strict=True):
        _draw_front(axes, table[table["front"]].sort_values(column), column, front)
    costs = np.concatenate([table[column].to_numpy(dtype=float) for _, table in tables])
    scale_costs(figure.axes[0], costs, unit)
    choose_axis(figure.axes, results.axis(quantity))
    return figure


def _draw_front(axes: Axes, front: pd.DataFrame, column: str, style: Line2D) -> None:
    look = {"color": style.get_color(), "linestyle": ":", "linewidth": style.get_linewidth(), "zorder": 1.5}
    axes.plot(front[column], front["mean"], drawstyle="steps-post", **look)
