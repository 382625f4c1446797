"""Test error against epochs."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.ticker import MaxNLocator

from analogff.figures.aggregate import intervals
from analogff.figures.drawing import Drawing
from analogff.figures.lines import draw_panels
from analogff.figures.results import Results, arrange
from analogff.study.results.names import file_name


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point, or none if there is only one epoch."""
    if results.frame["epoch"].nunique() < 2:
        return
    for suffix, panels in arrange(results, results.frame, results.axes):
        tables = [(p.title, intervals(p.frame, ["variant", *results.axes, "epoch"])) for p in panels]
        figure = draw_panels(tables, "epoch", results.variants, "epoch")
        figure.axes[0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        yield Drawing(file_name("error_vs_epoch", suffix), figure, pd.concat([t for _, t in tables], ignore_index=True))
