"""Test error against the reads of training, the common currency of rules."""

from collections.abc import Iterator

import pandas as pd

from analogff.figures.aggregate import intervals
from analogff.figures.drawing import Drawing
from analogff.figures.lines import draw_panels
from analogff.figures.results import Results, arrange
from analogff.figures.scales import scale_reads
from analogff.study.results.names import file_name


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point, with one point for each epoch."""
    for suffix, panels in arrange(results, results.frame, results.axes):
        by = ["variant", *results.axes, "epoch"]
        tables = [(p.title, intervals(p.frame, by, also=["reads"])) for p in panels]
        whole = pd.concat([table for _, table in tables], ignore_index=True)
        if not (whole["reads"] > 0).any():
            continue
        figure = draw_panels(tables, "reads", results.variants, "reads in training")
        scale_reads(figure.axes[0], whole["reads"].to_numpy(dtype=float))
        yield Drawing(file_name("error_vs_reads", suffix), figure, whole)
