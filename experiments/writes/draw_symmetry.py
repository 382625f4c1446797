"""Draw the record of symmetry.toml: error against the number of states, a panel for each rule, a line for each write.

python experiments/writes/draw_symmetry.py
"""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analogff.figures.style import COLOURS, styled

_HERE = Path(__file__).parent
WRITES = {"digital": "o", "pulse-trains": "s", "tiki-taka-2": "^", "agad": "D"}
"""Writes, and the marker of each."""
_TICKS = (4, 16, 64, 1000)


def read() -> pd.DataFrame:
    """Return errors with the columns rule, write, asymmetry and states."""
    frame = pd.read_csv(_HERE / "record-symmetry" / "results.csv")
    named = frame["label"].str.split(", ", expand=True)
    frame = frame.assign(of=named[0], how=named[1], states=(2 / frame["device.step"]).round())
    keys = ["of", "how", "device.asymmetry", "states"]
    return frame.groupby(keys, sort=False)["test_error"].agg(["mean", "min", "max"]).reset_index()


def draw(cells: pd.DataFrame) -> Figure:
    """Draw solid lines for symmetric steps, dashed ones for asymmetric ones; bars are the least and the greatest."""
    rules = sorted(cells["of"].unique(), key=["FF", "DFA", "mono-forward", "backprop probed"].index)
    figure = Figure(figsize=(7.0, 2.6), layout="constrained")
    panels = figure.subplots(1, len(rules), sharex=True, sharey=True)
    for axes, rule in zip(panels, rules, strict=True):
        _panel(axes, cells[cells["of"] == rule])
        axes.set(title=rule, xlabel="states of a cell")
    panels[0].set_ylabel("test error / %")
    looks = [
        Line2D([], [], color=color, marker=marker, label=write)
        for color, (write, marker) in zip(COLOURS, WRITES.items(), strict=False)
    ]
    looks.append(Line2D([], [], color="0.3", linestyle="-", label="asymmetry 0"))
    looks.append(Line2D([], [], color="0.3", linestyle="--", label="asymmetry 0.3"))
    figure.legend(handles=looks, loc="outside lower center", ncols=len(looks), frameon=False)
    return figure


def _panel(axes: Axes, cells: pd.DataFrame) -> None:
    for color, (write, marker) in zip(COLOURS, WRITES.items(), strict=False):
        for asymmetry, style in ((0.0, "-"), (0.3, "--")):
            own = cells[(cells["how"] == write) & (cells["device.asymmetry"] == asymmetry)].sort_values("states")
            bars = [own["mean"] - own["min"], own["max"] - own["mean"]]
            axes.errorbar(own["states"], own["mean"], bars, color=color, marker=marker, linestyle=style, linewidth=1)
    axes.set(xscale="log", ylim=(0, 100))
    axes.set_xticks(_TICKS, map(str, _TICKS))
    axes.minorticks_off()


if __name__ == "__main__":
    with styled():
        draw(read()).savefig(_HERE / "symmetry.png", dpi=200)
