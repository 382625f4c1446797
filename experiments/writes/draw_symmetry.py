"""Draw the records of symmetry.toml and symmetry-spread.toml: a panel for each rule, a line for each write.

python experiments/writes/draw_symmetry.py
"""

from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analogff.figures.style import COLOURS, styled

_HERE = Path(__file__).parent
Lines = dict[float, Literal["-", "--"]]
"""The line of each value of the dashed column."""
RULES = ["FF", "DFA", "mono-forward", "backprop probed"]
WRITES = {"digital": "o", "pulse-trains": "s", "tiki-taka-2": "^", "agad": "D"}
"""Writes, and the marker of each."""


class View(NamedTuple):
    """What a figure shows of a record."""

    record: str
    x: str
    """The column of the horizontal axis."""
    name: str
    """What it is called."""
    log: bool
    dashed: str
    """The column whose lesser value is solid, and whose greater one dashed."""
    dash_name: str


VIEWS = {
    "symmetry": View("record-symmetry", "states", "states of a cell", True, "device.asymmetry", "asymmetry"),
    "spread": View("record-spread", "device.asymmetry", "asymmetry", False, "device.asymmetry_spread", "spread"),
}


def read(view: View) -> pd.DataFrame:
    """Return mean, least and greatest error with the columns of, how, x and dashed."""
    frame = pd.read_csv(_HERE / view.record / "results.csv")
    named = frame["label"].str.split(", ", expand=True)
    frame = frame.assign(of=named[0], how=named[1])
    if "device.step" in frame:
        frame = frame.assign(states=(2 / frame["device.step"]).round())
    frame = frame.rename(columns={view.x: "x", view.dashed: "dashed"})
    keys = ["of", "how", "dashed", "x"]
    return frame.groupby(keys, sort=False)["test_error"].agg(["mean", "min", "max"]).reset_index()


def draw(view: View) -> Figure:
    """Draw means; bars are the least and the greatest."""
    cells = read(view)
    lesser, greater = sorted(cells["dashed"].unique())
    lines: Lines = {lesser: "-", greater: "--"}
    figure = Figure(figsize=(7.0, 2.6), layout="constrained")
    panels = figure.subplots(1, len(RULES), sharex=True, sharey=True)
    for axes, rule in zip(panels, RULES, strict=True):
        _panel(axes, cells[cells["of"] == rule], lines)
        axes.set(title=rule, xlabel=view.name)
        if view.log:
            axes.set_xscale("log")
        ticks = sorted(cells["x"].unique())
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    panels[0].set_ylabel("test error / %")
    looks = [
        Line2D([], [], color=color, marker=marker, label=write)
        for color, (write, marker) in zip(COLOURS, WRITES.items(), strict=False)
    ]
    looks += [
        Line2D([], [], color="0.3", linestyle=line, label=f"{view.dash_name} {value:g}")
        for value, line in lines.items()
    ]
    figure.legend(handles=looks, loc="outside lower center", ncols=len(looks), frameon=False)
    return figure


def _panel(axes: Axes, cells: pd.DataFrame, lines: Lines) -> None:
    for color, (write, marker) in zip(COLOURS, WRITES.items(), strict=False):
        for dashed, style in lines.items():
            own = cells[(cells["how"] == write) & (cells["dashed"] == dashed)].sort_values("x")
            bars = [own["mean"] - own["min"], own["max"] - own["mean"]]
            axes.errorbar(own["x"], own["mean"], bars, color=color, marker=marker, linestyle=style, linewidth=1)
    axes.set(ylim=(0, 100))


if __name__ == "__main__":
    with styled():
        for name, view in VIEWS.items():
            draw(view).savefig(_HERE / f"{name}.png", dpi=200)
