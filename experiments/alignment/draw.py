"""Draw what `measure.py` recorded: cosine against the probe's size, and against read noise.

python experiments/alignment/draw.py [FOLDER]
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator
from scipy.stats import t

from analogff.figures.style import RC, legend_below, looks
from analogff.study.results.names import BOUND

SHOWN_PROBES = ("0.2", "0.6", "1.2")
_WIDTH_INCHES = 7.0  # two columns of a paper
_SHADES = ("#000000", "#0072B2", "#009E73", "#E69F00", "#D55E00")  # from style.COLOURS, dark to bright in grey too


def over_chips(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return mean cosine and half its 95 % interval (Student's t over chips) for each group."""
    found = frame.groupby(by)["cosine"].agg(["mean", "std", "count"]).reset_index()
    half = t.ppf(0.975, found["count"] - 1) * found["std"] / found["count"] ** 0.5
    return found.assign(half=half)


def against_probe(frame: pd.DataFrame) -> Figure:
    """Draw probed slopes (lines) and assumed ones (dashed), one color a noise."""
    noises = sorted(frame["read_noise"].unique())
    colors = dict(zip(noises, _SHADES, strict=True))
    sizes = pd.to_numeric(frame["probe"], errors="coerce")  # no number where it was measured
    probed = over_chips(frame.assign(probe=sizes).dropna(), ["family", "layer", "read_noise", "probe"])
    assumed = over_chips(frame[frame["slope"] == "assumed"], ["family", "layer", "read_noise"])
    figure, panels = _grid(frame, "probe size d")
    for axes, family, layer in panels:
        for noise in noises:
            line = _at(probed, family=family, layer=layer, read_noise=noise)
            _draw(axes, line, "probe", color=colors[noise], marker="o", markersize=2.4)
            (flat,) = _at(assumed, family=family, layer=layer, read_noise=noise)["mean"]
            axes.axhline(flat, color=colors[noise], linestyle=(0, (4, 2)), linewidth=0.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([0.1, 0.4, 2.0]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter("{x:g}")
    handles = [Line2D([], [], color=colors[noise], marker="o", label=f"noise {noise:g}") for noise in noises]
    handles.append(Line2D([], [], color="0.3", linestyle=(0, (4, 2)), label="assumed (color: noise)"))
    legend_below(figure, handles, columns=6)
    return figure


def against_noise(frame: pd.DataFrame) -> Figure:
    """Draw one line a slope; the true slope at noisy activities is the bound."""
    frame = frame.assign(probe=frame["probe"].fillna(""))
    frame = frame[frame["probe"].isin(["", "measured", *SHOWN_PROBES])]
    size = frame["probe"].map(lambda probe: f" d = {probe}" if probe in SHOWN_PROBES else f" {probe}".rstrip())
    variant = (frame["slope"] + size).replace({"oracle": f"true slope {BOUND}", "fitted measured": "fitted"})
    lines = over_chips(frame.assign(variant=variant), ["family", "layer", "variant", "read_noise"])
    names = sorted(variant.unique())
    look = looks(names)
    figure, panels = _grid(frame, "read noise")
    for axes, family, layer in panels:
        for name in names:
            _draw(axes, _at(lines, family=family, layer=layer, variant=name), "read_noise", **look[name].line())
        axes.xaxis.set_major_locator(FixedLocator([0, 0.1, 0.2]))
        axes.xaxis.set_major_formatter("{x:g}")
    legend_below(figure, [Line2D([], [], label=name, **look[name].line()) for name in names], columns=5)
    return figure


def _draw(axes: Axes, line: pd.DataFrame, x: str, **look) -> None:
    at, mean, half = (line[column].to_numpy(dtype=float) for column in (x, "mean", "half"))
    axes.plot(at, mean, **look)
    axes.fill_between(at, mean - half, mean + half, color=look["color"], alpha=0.15, linewidth=0)


def _at(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    chosen = np.logical_and.reduce([table[column] == value for column, value in values.items()])
    return table[chosen]


def _grid(frame: pd.DataFrame, label: str) -> tuple[Figure, Iterator[tuple[Axes, str, int]]]:
    """Return a figure with a column a family and a row a layer."""
    families, layers = list(frame["family"].unique()), sorted(frame["layer"].unique())
    figure = Figure(figsize=(_WIDTH_INCHES, 1.35 * len(layers) + 0.6), layout="constrained")
    grid = figure.subplots(len(layers), len(families), sharex=True, sharey=True, squeeze=False)
    grid[0, 0].set_ylim(-0.5, 1.06)
    for axes, family in zip(grid[0], families, strict=True):
        axes.set_title(family)
    for axes, layer in zip(grid[:, 0], layers, strict=True):
        axes.set_ylabel(f"cosine, layer {layer}")
    for axes in grid[-1]:
        axes.set_xlabel(label)
    for axes in grid.ravel():
        axes.axhline(0, color="0.6", linewidth=0.6)
    return figure, ((grid[i, j], f, n) for i, n in enumerate(layers) for j, f in enumerate(families))


def main(folder: Path) -> None:
    """Draw both figures for each state of training in the record."""
    frame = pd.read_csv(folder / "record.csv")
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    for steps, part in frame.groupby("steps"):
        against_probe(part).savefig(folder / f"cosine_vs_probe-{steps}_steps.png", dpi=180)
        against_noise(part).savefig(folder / f"cosine_vs_noise-{steps}_steps.png", dpi=180)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
