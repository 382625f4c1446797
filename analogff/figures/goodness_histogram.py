"""Goodness of right and wrong labels in every layer, which Forward-Forward must separate."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analogff.figures.aggregate import everywhere
from analogff.figures.drawing import Drawing
from analogff.figures.results import Missing, Results, at_first_numbers, points
from analogff.figures.style import COLOURS, legend_below, letter, new_figure, scaled, wrapped
from analogff.study.results.names import file_name

_POSITIVE, _NEGATIVE = COLOURS[0], COLOURS[1]
_BINS = 80
"""Greatest number of bins; more would show noise."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each rule variant and named value (a family, a model), at the first value of each number."""
    histograms = results.tables["goodness"]
    if histograms.empty:
        raise Missing(
            "goodness_histogram: Expected goodness of right and wrong labels. Got none. Train a rule that has "
            "one, such as forward-forward."
        )
    counts, named, at = at_first_numbers(results, histograms)
    for variant, rows in counts.groupby("variant", sort=False):
        concerned = [axis for axis in named if rows[axis].notna().any()]
        rows = everywhere(rows, concerned)
        for point, part in points(rows, concerned):
            table = add_up(part)
            name = file_name("goodness_histogram", str(variant), point, *at)
            title = ", ".join(filter(None, [str(variant), point, *at]))
            n = part["chip"].nunique()
            images = f"{results.kept_images} images, {n} chip{'s' * (n > 1)}"
            caption = f"Histogram of the goodness of images with right and with wrong labels, of {images}."
            yield Drawing(name, partial(_draw, table, title, images), table, caption)


def add_up(histograms: pd.DataFrame) -> pd.DataFrame:
    """Add the histograms of several runs, layer by layer.

    Widths are powers of two with edges at their multiples, so all bins nest exactly in the widest ones.

    Returns:
        Columns ``layer, polarity, bin_low, bin_high, count, share``; shares of a polarity add up to 1.
    """
    tables = []
    for layer, rows in histograms.groupby("layer"):
        edges = _common_edges(rows)
        for polarity in ("positive", "negative"):
            own = rows[rows["polarity"] == polarity]
            middles = (own["bin_low"] + own["bin_high"]) / 2
            counts = np.histogram(middles, edges, weights=own["count"])[0]
            bins = {"bin_low": edges[:-1], "bin_high": edges[1:], "count": counts.astype(int)}
            share = counts / max(counts.sum(), 1)
            tables.append(pd.DataFrame({"layer": layer, "polarity": polarity, **bins, "share": share}))
    return pd.concat(tables, ignore_index=True)


def _common_edges(rows: pd.DataFrame) -> np.ndarray:
    """Return edges in which all bins nest, from the first to the last that is not empty."""
    filled = rows[rows["count"] > 0] if rows["count"].any() else rows
    low, high = filled["bin_low"].min(), filled["bin_high"].max()
    width = (rows["bin_high"] - rows["bin_low"]).max()
    while high - low > _BINS * width:
        width *= 2
    return np.arange(np.floor(low / width), np.ceil(high / width) + 1) * width


def _draw(table: pd.DataFrame, title: str, images: str) -> Figure:
    layers = list(table["layer"].unique())
    figure = new_figure(scaled(0.95 * len(layers) + 0.65))
    panels = list(figure.subplots(len(layers), 1, squeeze=False).ravel())
    for axes, layer in zip(panels, layers, strict=True):
        _draw_layer(axes, table[table["layer"] == layer])
        axes.set_title(f"layer {layer}", loc="right", pad=2)
        axes.set_ylabel("share")
    letter(panels)
    figure.suptitle(wrapped(title))
    panels[-1].set_xlabel(f"goodness ({images})")
    handles = [
        Patch(facecolor=_POSITIVE, alpha=0.35, edgecolor=_POSITIVE, label="right label"),
        Line2D([], [], color=_NEGATIVE, label="wrong label"),
    ]
    legend_below(figure, handles)
    return figure


def _draw_layer(axes: Axes, table: pd.DataFrame) -> None:
    """Draw positives filled and negatives as a line, distinct also in gray."""
    for polarity, color, filled in (("positive", _POSITIVE, True), ("negative", _NEGATIVE, False)):
        bins = table[table["polarity"] == polarity].sort_values("bin_low")
        edges = np.append(bins["bin_low"].to_numpy(), bins["bin_high"].iloc[-1])
        if filled:
            axes.stairs(bins["share"].to_numpy(), edges, fill=True, color=color, alpha=0.35, linewidth=0)
        axes.stairs(bins["share"].to_numpy(), edges, color=color, linewidth=scaled(1.1))
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
