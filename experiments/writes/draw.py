"""Draw the error of written matrices against the spread of symmetry points.

python experiments/writes/draw.py [FOLDER]
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
STYLES = {"SGD": ("k", "s"), "TTv2": ("C3", "v"), "c-TTv2": ("C1", "^"), "AGAD": ("C0", "o")}


def draw(frame: pd.DataFrame) -> Figure:
    """Return the figure: one panel for each number of states."""
    every = sorted(frame.states.unique())
    figure, axes = plt.subplots(1, len(every), figsize=(3.2 * len(every), 3.4), sharey=True, layout="constrained")
    for axis, states in zip(axes, every, strict=True):
        for (name, reads), own in frame[frame.states == states].groupby(["write", "reads"], sort=False):
            color, marker = STYLES[name]
            perfect, mean = reads == "perfect", own.groupby("spread").error.mean()
            look = dict(ls="--", mfc="w", lw=1) if perfect else dict(label=name)
            axis.plot(mean.index, mean, color=color, marker=marker, **look)
            if not perfect:
                axis.plot(own.spread, own.error, ".", color=color, ms=3)
        axis.set(title=f"{states} states", xlabel="spread of symmetry points\n(of half the range)", yscale="log")
        axis.yaxis.set_major_locator(FixedLocator(TICKS))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_locator(NullLocator())
        axis.set_xticks(sorted(frame.spread.unique()))
    axes[0].set_ylabel("rms error of a weight\n(of half the range)")
    axes[0].plot([], [], "k--", marker="o", mfc="w", lw=1, label="perfect reads (bound)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8, frameon=False)
    return figure


if __name__ == "__main__":
    folder = Path(*sys.argv[1:2]) if sys.argv[1:] else Path(__file__).parent
    draw(pd.read_csv(folder / "record.csv")).savefig(folder / "error.png", dpi=150)
