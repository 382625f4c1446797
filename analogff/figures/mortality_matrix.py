"""Error of weights that were learned on one chip and copied to another: the mortality of what a chip knows."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.drawing import Drawing
from analogff.figures.grids import Grid, Sides, draw_grids
from analogff.figures.lines import ERROR_LABEL
from analogff.figures.results import Missing, Results, points
from analogff.figures.style import wrapped
from analogff.study.measurements.life import EVENTS
from analogff.study.results.names import file_name
from analogff.study.results.summary import interval_over_chips

_OTHER = ("set", "train", "distil", "wait")
"""Events after which a copy is no longer one of what was trained onto a chip as fabricated."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point, with a matrix for each rule variant."""
    cells = copies(results.tables[EVENTS.name])
    if cells.empty or cells["copied_to"].nunique() < 2:
        raise Missing(
            "mortality_matrix: Expected weights that were copied to several chips. Got none. Add [[event]] tables with "
            'do = "copy" and a chip in to, each followed by one with do = "evaluate".'
        )
    runs = results.frame[["run", "variant", *results.axes]].groupby("run", as_index=False).last()
    rows = cells.merge(runs, on="run")
    for suffix, part in points(rows, [axis for axis in results.axes if rows[axis].notna().any()]):
        by = ["variant", *results.axes, "trained_on", "copied_to"]
        table = part.groupby(by, as_index=False, dropna=False).agg({"test_error": "mean"})
        caption = (
            "Test error of weights that were learned on the chip of the row and copied onto the chip of the column. "
            f"Gap: mean error on the other chips less that on the chip they were learned on, with its 95 % interval "
            f"over chips. {gaps_in_words(table, results.variants)}"
        )
        yield Drawing(file_name("mortality_matrix", suffix), partial(_draw, results, table, suffix), table, caption)


def copies(events: pd.DataFrame) -> pd.DataFrame:
    """Return the evaluations of copies, with the chip they were trained on and the one they were copied to.

    What happens after other events than copies and evaluations is left out.

    Returns:
        Columns ``run, trained_on, copied_to, test_error``.
    """
    found = []
    for run, life in events.groupby("run", sort=False) if len(events) else ():
        life = life.sort_values("event")
        other = life["do"].isin(_OTHER).cumsum() > 0
        copied = (life["do"] == "copy").cumsum() > 0
        looks = life[~other & copied & (life["do"] == "evaluate")]
        found.append(looks.assign(run=run, trained_on=looks["chip"], copied_to=looks["chip_now"]))
    columns = ["run", "trained_on", "copied_to", "test_error"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def gap(table: pd.DataFrame) -> tuple[float, float, float, int]:
    """Return how much greater the error is on other chips than on the own one: mean, 95 % interval, chips."""
    own = table[table["trained_on"] == table["copied_to"]].groupby("trained_on")["test_error"].mean()
    others = table[table["trained_on"] != table["copied_to"]].groupby("trained_on")["test_error"].mean()
    behind = (others - own).rename_axis("chip").reset_index()
    return interval_over_chips(behind, most=np.inf, least=-np.inf)


def gaps_in_words(table: pd.DataFrame, variants: tuple[str, ...]) -> str:
    """Return the gap of each variant, in points of test error."""
    said = []
    for variant in variants:
        if len(own := table[table["variant"] == variant]):
            said.append(f"{variant}: {_gap_text(own)}")
    return f"{'; '.join(said)} points."


def _gap_text(table: pd.DataFrame) -> str:
    mean, low, high, chips = gap(table)
    if not chips:
        return "no chip was copied to itself and to others"
    return f"{mean:+.1f}" if np.isnan(low) else f"{mean:+.1f} [{low:+.1f}, {high:+.1f}], n = {chips}"


def _draw(results: Results, table: pd.DataFrame, title: str) -> Figure:
    rows, columns = (sorted(table[name].unique()) for name in ("trained_on", "copied_to"))
    rows = rows[::-1]
    sides = Sides(x="copied to chip", y="trained on chip", columns=list(map(str, columns)), rows=list(map(str, rows)))
    grids = []
    for variant in results.variants:
        own = table[table["variant"] == variant]
        if len(own):
            wide = own.pivot_table(index="trained_on", columns="copied_to", values="test_error", dropna=False)
            values = wide.reindex(index=rows, columns=columns).to_numpy(dtype=float)
            mean, _, _, chips = gap(own)
            grids.append(
                Grid(title=f"{variant}, gap\N{NO-BREAK SPACE}{mean:+.1f}" if chips else variant, values=values)
            )
    figure = draw_grids(grids, sides, ERROR_LABEL, results.axis("error"))
    if title:
        figure.suptitle(wrapped(title))
    return figure
