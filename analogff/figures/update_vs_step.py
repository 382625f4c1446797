"""Cosine, norm ratio and signal to noise of a rule's updates along training, layer by layer."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.aggregate import everywhere
from analogff.figures.drawing import Drawing
from analogff.figures.lines import Tables, draw_panels
from analogff.figures.results import PANELS, Missing, Results, at_first_numbers, at_most, points
from analogff.figures.scales import choose_axis
from analogff.study.measurements.diagnostics import DIAGNOSTICS
from analogff.study.results.names import file_name
from analogff.study.results.summary import interval_over_chips

_LABELS = {
    "cosine": "cosine to true gradient",
    "norm_ratio": "norm / true norm",
    "snr": "signal / noise of update",
}
"""Columns, and what they are."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each quantity and named value (a family, a model), at the first value of each number.

    Each layer has a panel.
    """
    table = results.tables[DIAGNOSTICS.name]
    looked = len(table) and table["step"].nunique() > 1
    rows, named, at = at_first_numbers(results, table) if looked else (table, [], [])
    if rows.empty or not looked:
        raise Missing(
            "update_vs_step: Expected diagnostics at several steps. Got none. Write [diagnostics] with every = 50 in "
            "the study, and fewer steps where a training is short."
        )
    depth = int(table["layer"].max())
    for point, part in points(everywhere(rows, named), named):
        for quantity, label in _LABELS.items():
            means = _means(part, quantity)
            if means.empty:
                continue
            layers = at_most(sorted(means["layer"].unique()), PANELS, "panels of layers' updates")
            panels = [("head" if n == depth else f"layer {n}", means[means["layer"] == n]) for n in layers]
            title = ", ".join(filter(None, [point, *at]))
            make = partial(_draw, results, panels, quantity, label, title)
            yield Drawing(file_name(f"update_vs_step-{quantity}", point, *at), make, means, _caption(label))


def _means(frame: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Return the mean of a quantity and its 95 % interval over chips, of each variant, layer and step.

    Numbers that are not finite are left out: no true gradient is known, or updates have no spread at all.
    """
    rows = []
    finite = frame[np.isfinite(frame[quantity])]
    least = -1.0 if quantity == "cosine" else 0.0
    most = 1.0 if quantity == "cosine" else np.inf
    for (variant, layer, step), group in finite.groupby(["variant", "layer", "step"], sort=False):
        mean, low, high, chips = interval_over_chips(group, quantity, most=most, least=least)
        numbers = {"mean": mean, "low": low, "high": high, "chips": chips, "diverged": 0}
        rows.append({"variant": variant, "layer": layer, "step": step} | numbers)
    return pd.DataFrame(rows)


def _draw(results: Results, panels: Tables, quantity: str, label: str, title: str) -> Figure:
    choice = results.axis(quantity)
    means = np.concatenate([table["mean"].to_numpy(dtype=float) for _, table in panels])
    if choice.limits is None:
        positive = means[means > 0]
        wide = (positive.min() / 1.5, positive.max() * 1.5) if len(positive) else None
        limits = (min(0.0, 1.1 * means.min()), 1.05) if quantity == "cosine" else wide
        scale = "linear" if quantity == "cosine" else "log"
        choice = choice.model_copy(update={"scale": choice.scale or scale, "limits": limits})
    figure = draw_panels(panels, "step", results.looks, "step", error=label, choice=choice, title=title)
    choose_axis(figure.axes, results.axis("step"))
    return figure


def _caption(label: str) -> str:
    return (
        f"{label[0].upper()}{label[1:]} against the steps of training. An update is what a step asks of a layer, "
        "before its optimizer; several are tried on a copy with one batch, and none is taken. The true gradient is by "
        "the simulator's slopes: of the output's cross-entropy, or of the layers' own losses for rules that have them. "
        "Not shown are infinite ratios, of updates without noise, and rules whose true gradient is not known."
    )
