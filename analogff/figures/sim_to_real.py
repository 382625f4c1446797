"""What a twin predicts against what the chip answers: the gap between simulation and hardware."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analogff.device import whole
from analogff.figures.drawing import Drawing
from analogff.figures.kept import Kept, kept_by_point
from analogff.figures.lines import Tables
from analogff.figures.results import Missing, Results
from analogff.figures.style import entitle, label_outside, legend_below, make_figure, scaled, wrapped
from analogff.learning.backward import BackwardView, InModel, ThroughTwin
from analogff.network import evaluating
from analogff.study.measurements.measurement import measured_images
from analogff.study.results.names import file_name

_POINTS = 400
"""Points of a layer of a chip: each one neuron and one image."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each rule with a twin and each swept point, with a panel for each layer."""
    drawn = False
    for suffix, kept in kept_by_point(results, "sim_to_real"):
        for variant, chips in kept.items():
            table = pd.concat([_predicted(some) for some in chips], ignore_index=True)
            if table.empty:
                continue
            drawn = True
            caption = (
                "Activity of each neuron as the twin predicts it, against that of the trained chip at the same inputs: "
                f"points are neurons and {results.kept_images} images, drawn at random. R² is the share of the "
                "variance of the chip that the prediction explains; it is 1 for a twin without fault and falls below 0 "
                "where the chip's mean would predict better."
            )
            title = ", ".join(filter(None, [variant, suffix]))
            name = file_name("sim_to_real", variant, suffix)
            yield Drawing(name, partial(_draw, results, variant, table, title), table, caption)
    if not drawn:
        raise Missing(
            'sim_to_real: Expected a rule with a twin. Got none. Train backprop with through = "twin", "fitted" or '
            '"deployed".'
        )


def explained(predicted: np.ndarray, measured: np.ndarray) -> float:
    r"""Return the coefficient of determination, :math:`1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2`."""
    spread = np.square(measured - measured.mean()).sum()
    return float(1 - np.square(measured - predicted).sum() / spread) if spread else float("nan")


def _predicted(kept: Kept) -> pd.DataFrame:
    """Return both activities of some neurons and images of each layer and chip."""
    rule, images = kept.life.rule, measured_images(kept.life.data).images
    views: Sequence[BackwardView] = getattr(rule, "backward_views", ())
    twins = {n: view.twin for n, view in enumerate(views) if isinstance(view, (ThroughTwin, InModel))}
    if not twins:
        return pd.DataFrame()
    generator, tables = np.random.default_rng(0), []
    with evaluating(rule.network):
        for passed in rule.network.forward(rule.network.present(images)):
            both = twins[passed.layer].respond(whole(passed.x)).y, passed.y
            cells = passed.y[0].numel()
            at = generator.choice(cells, min(_POINTS, cells), replace=False)
            for place in kept.places:
                predicted, measured = (y[place].flatten()[at].double().cpu().numpy() for y in both)
                columns = {"layer": passed.layer + 1, "chip": kept.life.task.runs[place].chip}
                tables.append(pd.DataFrame(columns | {"predicted": predicted, "measured": measured}))
    return pd.concat(tables, ignore_index=True)


def _draw(results: Results, variant: str, table: pd.DataFrame, title: str) -> Figure:
    layers: Tables = [(str(layer), rows) for layer, rows in table.groupby("layer")]
    figure, panels = make_figure(len(layers), 2)
    both = table[["predicted", "measured"]].to_numpy()
    ends = [float(both.min()), float(both.max())]
    for axes, (layer, rows) in zip(panels, layers, strict=True):
        found = explained(rows["predicted"].to_numpy(), rows["measured"].to_numpy())
        entitle(axes, f"layer {layer}, R² = {found:.2f}", len(layers))
        style = {"linestyle": "none", "marker": "o", "markersize": scaled(1.4), "markeredgewidth": 0, "alpha": 0.4}
        axes.plot(rows["predicted"], rows["measured"], color=results.looks[variant].color, rasterized=True, **style)
        axes.plot(ends, ends, color="black", linewidth=scaled(0.8), zorder=1.5)
    label_outside(panels, "activity, twin", "activity, chip")
    legend_below(figure, [Line2D([], [], color="black", linewidth=scaled(0.8), label="twin = chip")])
    figure.suptitle(wrapped(title))
    return figure
