"""Test error over the life of chips: against their age, the images that they learned from since, or the event."""

from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analogff.figures.aggregate import intervals
from analogff.figures.drawing import Drawing
from analogff.figures.lines import Tables, draw_panels
from analogff.figures.results import Missing, Results, arrange
from analogff.figures.scales import choose_axis
from analogff.study.measurements.life import EVENTS
from analogff.study.results.names import file_name

_AGES = {1e-3: "1 ms", 1.0: "1 s", 60.0: "1 min", 3600.0: "1 h", 86400.0: "1 d", 2592000.0: "30 d", 31557600.0: "1 y"}
_LABELS = {"age_seconds": "age", "images": "images since training", "event": "event"}
_SAID = {"age_seconds": "their age", "images": "the images learned from since", "event": "the number of the event"}


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point."""
    events = results.tables[EVENTS.name]
    looks = events[events["do"] == "evaluate"] if len(events) else events
    if not len(looks) or looks["event"].nunique() < 2:
        raise Missing(
            "error_vs_event: Expected a life with several evaluations. Got fewer than two. Add [[event]] tables to the "
            'study, with do = "evaluate" among them.'
        )
    x = _axis(events, looks)
    runs = results.frame[["run", "variant", "diverged", *results.axes]].groupby("run", as_index=False).last()
    rows = looks[["run", "chip", "seed", "event", "age_seconds", "images", "test_error"]].merge(runs, on="run")
    for suffix, panels in arrange(results, rows, results.axes):
        tables = [(p.title, _aggregated(p.frame, results, x)) for p in panels]
        whole = pd.concat([table for _, table in tables], ignore_index=True)
        caption = f"Test error over the life of the chips after training, against {_SAID[x]}."
        yield Drawing(file_name("error_vs_event", suffix), partial(_draw, results, tables, x, suffix), whole, caption)


def _draw(results: Results, tables: Tables, x: str, title: str) -> Figure:
    figure = draw_panels(tables, x, results.looks, _LABELS[x], choice=results.axis("error"), title=title)
    if x == "age_seconds":
        _show_ages(figure.axes)
    else:
        figure.axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    choose_axis(figure.axes, results.axis(x.removesuffix("_seconds")))
    return figure


def _axis(events: pd.DataFrame, looks: pd.DataFrame) -> str:
    """Return what a life is shown against: what changes most in it."""
    if (events["do"] == "wait").any():
        return "age_seconds"
    return "images" if looks.groupby("run")["images"].nunique().max() > 1 else "event"


def _aggregated(rows: pd.DataFrame, results: Results, x: str) -> pd.DataFrame:
    """Return the interval over chips at each look; ages of chips, which differ a little, are averaged."""
    also = [] if x == "event" else [x]
    return intervals(rows, ["variant", *results.axes, "event"], also)


def _show_ages(panels: list[Axes]) -> None:
    """Show ages on a logarithmic scale, in the units that people use."""
    panels[0].set_xscale("log")
    low, high = panels[0].get_xlim()
    ages = {age: name for age, name in _AGES.items() if low <= age <= high}
    for axes in panels:
        axes.set_xticks(list(ages), list(ages.values()))
        axes.minorticks_off()
