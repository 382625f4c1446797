"""Rule by non-ideality: the dose at which accuracy falls below 95 % of the ideal's."""

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from analogff.figures.drawing import Drawing
from analogff.figures.failing_dose import LEARNED_PERCENT, SHARE, failing_dose
from analogff.figures.results import Missing, Results
from analogff.figures.scales import PLAIN, write_names
from analogff.figures.style import new_figure, points_of, scaled
from analogff.study.results.names import axis_label, is_control

_NEVER, _UNLEARNED = "0.92", "0.45"
"""Colors of cells without a dose."""
_MOST = 10.0
"""Greatest ratio to a column's median that has a color of its own."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure: a column for each study, `results` and those beside it, and a row for each rule.

    Doses of different columns have different units, so that a color is a ratio to the median of its column.
    """
    table = pd.concat([_column(one) for one in (results, *results.beside)], ignore_index=True)
    share, least = f"{100 * SHARE:g} %", f"{LEARNED_PERCENT:g} %"
    caption = (
        f"Dose of each non-ideality at which the accuracy of a rule falls below {share} of that at the least dose, "
        "interpolated between measured doses. Color: the dose over the median of its column; blue rules bear more. "
        f"Pale: never within the doses measured. Dark: less than {least} of the images right at the least dose."
    )
    yield Drawing("failure_map", partial(_draw, table), table, caption)


def _column(results: Results) -> pd.DataFrame:
    """Return the doses of the rules of a study that sweeps one number.

    Raises:
        Missing: If it sweeps something else.
    """
    if len(results.axes) != 1 or not results.numeric(results.axes[0]):
        got = ", ".join(results.axes) or "no sweep"
        raise Missing(
            f"failure_map: Expected studies that each sweep one number. Got {results.folder} with {got}. Sweep one "
            "parameter, its ideal value included."
        )
    (axis,) = results.axes
    last = results.ends.assign(dose=dose_of(axis, results.ends[axis].to_numpy(dtype=float)))
    rows = []
    for variant in results.variants:
        own = last[(last["variant"] == variant)]
        if is_control(variant) or own.empty:
            continue
        errors = own.pivot_table(index="chip", columns="dose", values="test_error", aggfunc="mean", dropna=False)
        found = failing_dose(errors.sort_index(axis="columns"))
        rows.append(
            {"non_ideality": results.axis(axis).label or dose_name(axis), "variant": variant}
            | dataclasses.asdict(found)
        )
    return pd.DataFrame(rows)


def dose_of(axis: str, values: np.ndarray) -> np.ndarray:
    """Return the doses of swept values: of bits, the step of a converter over its range, and 0 where 0 has no steps."""
    return np.where(values > 0, 2.0**-values, 0.0) if axis.endswith("_bits") else values


def dose_name(axis: str) -> str:
    """Return what a dose is of."""
    name = axis_label(axis)
    return name.replace("bits", "step / range") if axis.endswith("_bits") else name


def _draw(table: pd.DataFrame) -> Figure:
    columns, rows = list(table["non_ideality"].unique()), list(table["variant"].unique())
    figure = new_figure(scaled(0.17 * len(rows) + 1.75))
    axes = figure.subplots()
    shades, norm = mpl.colormaps["RdYlBu"], LogNorm(1 / _MOST, _MOST)
    for column, (_, part) in enumerate(table.groupby("non_ideality", sort=False)):
        median = part.loc[part["status"] == "falls", "dose"].median()
        for one in part.itertuples():
            ratio = float(one.dose) / median if one.status == "falls" else 1.0  # type: ignore[arg-type]
            color = shades(norm(np.clip(ratio, 1 / _MOST, _MOST)))
            face = {"never": _NEVER, "not learned": _UNLEARNED}.get(str(one.status), color)
            _cell(axes, column, rows.index(one.variant), face, _text(str(one.status), float(one.dose)))  # type: ignore[arg-type]
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    write_names(axes.xaxis, columns, rotation=40, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    bar = figure.colorbar(ScalarMappable(norm, shades), ax=axes, location="bottom", aspect=40, fraction=0.04)
    bar.set_label("dose / median of column")
    bar.set_ticks([1 / _MOST, 1.0, _MOST])
    bar.ax.xaxis.set_major_formatter(PLAIN)
    bar.ax.minorticks_off()
    _legend(figure, table)
    return figure


def _legend(figure: Figure, table: pd.DataFrame) -> None:
    labels: Sequence[tuple[str, str, str]] = (
        ("never", _NEVER, "never within the doses"),
        ("not learned", _UNLEARNED, f"below {LEARNED_PERCENT:g} % at the least dose"),
    )
    there = [Patch(facecolor=face, label=label) for status, face, label in labels if (table["status"] == status).any()]
    if there:
        figure.legend(handles=there, loc="outside lower center", ncols=1, frameon=False)


def _cell(axes: Axes, column: int, row: int, face, text: str) -> None:
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=face, edgecolor="white", linewidth=0.6))
    light = sum(w * c for w, c in zip((0.3, 0.59, 0.11), to_rgb(face), strict=True)) > 0.5
    size = 0.72 * points_of("xtick.labelsize")
    axes.text(column, row, text, ha="center", va="center", fontsize=size, color="black" if light else "white")


def _text(status: str, dose: float) -> str:
    number = f"{dose:.2g}".replace("0.", ".", 1) if dose < 1 else f"{dose:.2g}"
    return {"falls": number, "never": f"> {number}"}.get(status, "\N{MULTIPLICATION SIGN}")
