"""Test error against epochs."""

from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analogff.figures.aggregate import intervals
from analogff.figures.drawing import Drawing
from analogff.figures.lines import Tables, draw_panels
from analogff.figures.results import Missing, Results, arrange
from analogff.figures.scales import choose_axis
from analogff.study.results.names import file_name


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point."""
    if results.frame["epoch"].nunique() < 2:
        raise Missing(
            "error_vs_epoch: Expected several evaluated epochs. Got one. Train for more epochs, or evaluate more often "
            "(evaluate_every)."
        )
    for suffix, panels in arrange(results, results.frame, results.axes):
        tables = [(p.title, intervals(p.frame, ["variant", *results.axes, "epoch"])) for p in panels]
        whole = pd.concat([table for _, table in tables], ignore_index=True)
        caption = "Test error against the epochs of training."
        yield Drawing(file_name("error_vs_epoch", suffix), partial(_draw, results, tables, suffix), whole, caption)


def _draw(results: Results, tables: Tables, title: str) -> Figure:
    figure = draw_panels(tables, "epoch", results.looks, "epoch", choice=results.axis("error"), title=title)
    figure.axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    choose_axis(figure.axes, results.axis("epoch"))
    return figure
