"""Cosine of an update with the true gradient against the number of parameters, beside the law of perturbation."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analogff.figures.drawing import Drawing
from analogff.figures.kept import kept_by_point
from analogff.figures.lines import Tables, draw_panels
from analogff.figures.results import Missing, Results, arrange
from analogff.figures.scales import choose_axis, scale_costs
from analogff.figures.style import scaled
from analogff.figures.update_cosine import UPDATES, alignment
from analogff.study.results.names import file_name
from analogff.study.results.summary import interval_over_chips

_SIZES = "layers"
"""The swept path that decides the number of parameters."""
_LAW = ("0.25", (0, (1, 1.2)))
"""Color and dashes of the law."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point but for the sizes; kept chips are asked for updates that are not written.

    The law has the directions of the weight perturbation that is drawn, and else one.
    """
    frame, directions = _measured(results)
    if frame.empty:
        raise Missing(
            "cosine_vs_parameters: Expected a rule with a gradient, on devices that know their true slopes. Got none. "
            "Train backprop, forward-forward or weight-perturbation."
        )
    if frame.groupby("variant")["parameters"].nunique().max() < 2:
        raise Missing(
            f"cosine_vs_parameters: Expected networks of several sizes. Got {frame['parameters'][0]:,} parameters. "
            "Sweep layers, for example layers = [[16], [64], [256]]."
        )
    others = [axis for axis in results.axes if axis != _SIZES]
    for suffix, panels in arrange(results, frame, others):
        tables = [(p.title, means(p.frame, ["variant", *others, "parameters"])) for p in panels]
        whole = pd.concat([table for _, table in tables], ignore_index=True)
        caption = (
            "Cosine of an update with the true gradient against the number of parameters. The update is what a rule "
            f"asks of a trained chip for one batch, before its optimizer: {UPDATES} of them, each with its own noise. "
            "The true gradient is by the simulator's slopes: of the output's cross-entropy, or of the layers' own "
            "losses for rules that have them. "
            f"Dotted: the law of perturbation, 1 / sqrt(1 + (P - 1) / K), for P parameters and K = {directions}."
        )
        make = partial(_draw, results, tables, directions, suffix)
        yield Drawing(file_name("cosine_vs_parameters", suffix), make, whole, caption)


def law(parameters: np.ndarray, directions: int) -> np.ndarray:
    r"""Return the cosine of an estimate from random directions of all parameters: :math:`1/\sqrt{1 + (P-1)/K}`."""
    return 1 / np.sqrt(1 + (parameters - 1) / directions)


def _measured(results: Results) -> tuple[pd.DataFrame, int]:
    """Return the cosine of each run, and the number of directions of the first weight perturbation."""
    rows, directions = [], []
    place = results.frame.groupby("run")[["variant", *results.axes]].first()
    for _, kept in kept_by_point(results, "cosine_vs_parameters"):
        for chips in (some for variant in kept.values() for some in variant):
            found, rule = alignment(chips.life), chips.life.rule
            if found is None:
                continue
            if rule.name == "weight-perturbation":
                directions.append(rule.options.model_dump()["directions"])
            for n in chips.places:
                run = chips.life.task.runs[n]
                row = {"chip": run.chip, "parameters": found.parameters, "cosine": found.cosine[n]}
                rows.append(place.loc[run.key].to_dict() | row)
    return pd.DataFrame(rows), directions[0] if directions else 1


def means(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the mean cosine and its 95 % interval over chips of each group, as `intervals` does for errors."""
    rows = []
    for point, group in frame.groupby(list(by), sort=True, dropna=False, observed=True):
        mean, low, high, chips = interval_over_chips(group, "cosine", most=1.0, least=-1.0)
        numbers = {"mean": mean, "low": low, "high": high, "chips": chips, "diverged": group["cosine"].isna().sum()}
        rows.append(dict(zip(by, point, strict=True)) | numbers)
    return pd.DataFrame(rows)


def _draw(results: Results, tables: Tables, directions: int, title: str) -> Figure:
    color, dashes = _LAW
    look = {"color": color, "linestyle": dashes, "linewidth": scaled(1.4)}
    line = Line2D([], [], label=f"law of perturbation, K = {directions}, slope -0.5", **look)
    sizes = np.concatenate([table["parameters"].to_numpy(dtype=float) for _, table in tables])
    at = np.geomspace(sizes.min() / 1.2, sizes.max() * 1.2, 50)
    choice = results.axis("cosine")
    limits = choice.limits or _limits(tables, law(at, directions))
    choice = choice.model_copy(update={"scale": choice.scale or "log", "limits": limits})
    figure = draw_panels(
        tables,
        "parameters",
        results.looks,
        "parameters",
        error="cosine to true gradient",
        choice=choice,
        more=[line],
        title=title,
    )
    for axes in figure.axes:
        axes.plot(at, law(at, directions), zorder=1.5, **look)
    scale_costs(figure.axes[0], sizes)
    choose_axis(figure.axes, results.axis("parameters"))
    return figure


def _limits(tables: Tables, expected: np.ndarray) -> tuple[float, float]:
    """Return the ends of a logarithmic axis with all means above 0, and the law."""
    means = np.concatenate([table["mean"].to_numpy(dtype=float) for _, table in tables])
    return float(min(expected.min(), *means[means > 0])) / 1.5, 1.5
