"""Energy that each rule has spent when it first reaches the study's target error, by component."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from analogff.figures.drawing import Drawing
from analogff.figures.energy_split import PARTS, STYLES, finished
from analogff.figures.results import Missing, Results, points
from analogff.figures.style import new_figure, points_of, scaled, wrapped
from analogff.study.results.names import file_name
from analogff.study.results.summary import interval_over_chips
from analogff.study.results.target import at_target

_JOULES = EngFormatter("J", places=1)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each named value (a family, a model), at the first value of each number."""
    target = results.target_error
    if target is None or results.frame["epoch"].nunique() < 2:
        got = "no target_error" if target is None else "one evaluated epoch"
        raise Missing(
            f"energy_to_error: Expected target_error in the study, and several evaluated epochs. Got {got}. Add "
            "target_error = 5.0, for example, and run the study again."
        )
    rows, at = results.at_first_numbers(results.frame)
    named = [axis for axis in results.axes if not results.numeric(axis) and rows[axis].notna().any()]
    for point, part in points(rows, named):
        table = to_target(part, results.variants, target)
        title = ", ".join(filter(None, [point, *at]))
        caption = (
            f"Energy of the system, by component, when the test error is first at most {target:g} %. A bar with > is a "
            "lower bound: not all runs reached the target."
        )
        make = partial(_draw, table, title, target)
        yield Drawing(file_name("energy_to_error", point, *at), make, table, caption)


def to_target(frame: pd.DataFrame, variants: tuple[str, ...], target: float) -> pd.DataFrame:
    """Return the mean costs of each variant to a target; a run that never reaches it counts with all that it has spent.

    Returns:
        Columns ``variant``, ``reached`` and ``runs``; ``epoch, reads, device_joules``, those of `PARTS` and
        ``system_joules``, lower bounds where ``reached < runs``; ``low`` and ``high`` of ``system_joules`` (95 % over
        chips), if all reached it; the chips; in the order of the variants.
    """
    runs, rows = at_target(frame, target), []
    for variant in variants:
        group = runs[runs["variant"] == variant]
        if group.empty:
            continue
        _, low, high, chips = interval_over_chips(group, "system_joules", most=np.inf)
        low, high = (low, high) if group["reached"].all() else (np.nan, np.nan)
        means = {name: group[name].mean() for name in ("epoch", "reads", "device_joules", *PARTS, "system_joules")}
        row = {"variant": variant, "reached": int(group["reached"].sum()), "runs": len(group)}
        rows.append(row | means | {"low": low, "high": high, "chips": chips})
    return pd.DataFrame(rows)


def _draw(table: pd.DataFrame, title: str, target: float) -> Figure:
    names = [wrapped(f"{row['variant']}: {in_words(row)}") for row in table.to_dict("records")]
    bars = np.where(table["reached"] > 0, 0.22, 0.0)
    heights = bars + [0.1 + 0.13 * (1 + name.count("\n")) for name in names]
    figure = new_figure(scaled(heights.sum() + 1.1))
    axes, bottoms = figure.subplots(), heights.cumsum()
    draw_bars(axes, table, bottoms - 0.2)
    for name, bottom in zip(names, bottoms - bars - 0.08, strict=True):
        axes.text(0, bottom, name, va="bottom", fontsize=points_of("legend.fontsize"))
    axes.set(xlim=(0, None), ylim=(heights.sum(), 0), yticks=[])
    axes.set_xlabel(f"energy of the system to {target:g} % test error")
    axes.xaxis.set_major_formatter(EngFormatter("J"))
    if not (table["reached"] > 0).any():
        axes.set(xticks=[], xlabel=f"no rule reached {target:g} % test error")
    return finished(figure, title)


def draw_bars(axes: Axes, table: pd.DataFrame, at: np.ndarray, height: float = 0.18) -> None:
    """Draw a stacked bar for each row of `to_target`; none for a variant that never reached the target."""
    shown, left = (table["reached"] > 0).to_numpy(), np.zeros(len(table))
    for column in PARTS:
        part = np.where(shown, table[column].to_numpy(dtype=float), 0.0)
        axes.barh(at, part, left=left, height=height, **STYLES[column])
        left += part


def in_words(row: Mapping[Any, Any]) -> str:
    """Return the energy of a row of `to_target`, with its interval, or with the number of runs that got there."""
    total = _JOULES(row["system_joules"])
    if row["reached"] == 0:
        return f"not reached, {total} spent"
    if row["reached"] < row["runs"]:
        return f"> {total}, reached by {row['reached']} of {row['runs']}"
    return total if np.isnan(row["low"]) else f"{total} [{_JOULES(row['low'])}, {_JOULES(row['high'])}]"
