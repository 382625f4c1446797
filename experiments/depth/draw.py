"""Draw what `measure.py` recorded: signal to noise by layer, and test error by depth.

python experiments/depth/draw.py
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analogff.figures.style import RC, looks
from analogff.study.results.summary import interval_over_chips

_HERE = Path(__file__).parent
_INCHES = (7.0, 2.5)  # two columns of a paper wide
_FAINT = {2: 0.45, 4: 0.7, 8: 1.0}
"""Opacity of a line, by depth."""


def draw(layers: pd.DataFrame, errors: pd.DataFrame) -> Figure:
    """Draw the ratio of each layer in decibels, a line for each rule and depth, beside the errors."""
    figure = Figure(figsize=_INCHES, layout="constrained")
    left, right = figure.subplots(1, 2)
    of_rule = looks(tuple(dict.fromkeys(errors["label"])))
    for label, look in of_rule.items():
        _ratios(left, layers[layers["label"] == label], look.line())
        _errors(right, errors[errors["label"] == label], look.line() | {"label": label})
    left.set(xlabel="layer", ylabel="signal to noise / dB", xticks=range(1, 9), ylim=(0, None))
    right.set(xlabel="layers", ylabel="test error / %", xticks=[2, 4, 8], ylim=(0, None))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _ratios(axes: Axes, layers: pd.DataFrame, style: dict) -> None:
    decibels = layers.assign(ratio=10 * np.log10(layers["signal"] / layers["noise"]))
    for depth, part in decibels.groupby("depth"):
        mean = part.groupby("layer")["ratio"].mean()
        axes.plot(mean.index, mean, alpha=_FAINT[int(depth)], **style)  # type: ignore[arg-type]


def _errors(axes: Axes, errors: pd.DataFrame, style: dict) -> None:
    cells = [(depth, *interval_over_chips(part)[:3]) for depth, part in errors.groupby("depth")]
    at, mean, low, high = np.array(cells).T
    axes.errorbar(at, mean, yerr=[mean - low, high - mean], elinewidth=0.7, **style)


def main() -> None:
    """Write ``depth.png`` beside this file."""
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    draw(pd.read_csv(_HERE / "layers.csv"), pd.read_csv(_HERE / "errors.csv")).savefig(_HERE / "depth.png", dpi=180)


if __name__ == "__main__":
    main()
