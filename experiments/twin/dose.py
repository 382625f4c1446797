"""Draw what the studies `dose-*.toml` recorded, and print how far backprop is from rules without a backward pass.

python experiments/twin/dose.py
"""

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analogff.figures.style import COLOURS, RC
from analogff.study.results.summary import interval_over, interval_over_chips

LINES = {
    "FF probed": (COLOURS[1], "Forward-Forward, probed"),
    "DFA probed": (COLOURS[2], "direct feedback\nalignment, probed"),
    "node perturbation": (COLOURS[4], "node perturbation"),
    "probed slopes": ("0.5", "backprop, probed"),
}
TWINS = {
    "twin: datasheet": (COLOURS[0], "o", "datasheet, off by the dose"),
    "fitted, a curve a layer": (COLOURS[0], "s", "fitted, a curve a layer"),
    "fitted, a curve a neuron": (COLOURS[3], "D", "fitted, a curve a neuron"),
}
ANOTHER_CHIP = 3.0
"""Where the chip that took another's place stands on the axis of gains."""
_HERE = Path(__file__).parent
_INCHES = (7.0, 5.0)  # two columns of a paper wide
_TICKS = (3, 5, 10, 20, 50, 100)
_TOLD = ("strength", "warming_kelvin", "read_noise")
_KELVIN = 0.1 / 8.617333e-5
"""Activation energy of faulty chips, 0.1 eV, over Boltzmann's constant."""
_NAMES = {
    "fitted, 1000 reads": "fitted, a curve a layer",
    "fitted, 1000 reads, each neuron": "fitted, a curve a neuron",
}
AXES = {
    "steepness": ("factor on steepness", "log", (0.25, 0.5, 1, 2, 4)),
    "offset": ("offset / typical sum", "linear", (0, 0.5, 1, 2)),
    "reads": ("reads of a fit", "log", (50, 1000, 10000)),
    "reads, noise 0.2": ("reads of a fit, noise 0.2", "log", (50, 1000, 10000)),
    "strength": ("strength of coupling", "linear", (0, 1, 4)),
    "gain": ("gain since the fit", "log", (1, 1.4, 1.9, ANOTHER_CHIP)),
}
"""Label, scale and ticks of each dose."""
PANELS = [
    *[("steepness", kind) for kind in ("saturating", "non-monotone", "random-curves", "reservoir", "coupled")],
    *[("offset", kind) for kind in ("saturating", "non-monotone", "random-curves")],
    ("strength", "coupled"),
    *[("reads", kind) for kind in ("non-monotone", "random-curves")],
    ("reads, noise 0.2", "non-monotone"),
    *[("gain", kind) for kind in ("non-monotone", "random-curves")],
]


def read(name: str) -> pd.DataFrame:
    """Return the last epoch of the runs of a record, with the kind of the chips and what their device was told.

    A study that is not recorded has no runs.
    """
    there = (_HERE / name / "results.csv").exists()
    frame = pd.read_csv(_HERE / (name if there else "record") / "results.csv")
    frame = frame if there else frame[:0]
    frame = frame[frame["epoch"] == frame["epoch"].max()]
    device = frame["device"].str
    told = {key: device.extract(rf"{key} = (-?[\d.]+)", expand=False).astype(float) for key in _TOLD}
    kinds = frame["device"].map(kind)
    return frame.assign(kind=kinds, swapped=device.contains("swapped"), label=frame["label"].replace(_NAMES), **told)


def kind(device: str) -> str:
    """Return the kind of chips that a device makes."""
    name = device.partition(",")[0].removeprefix("faulty(").removesuffix(")")
    return name if name != "unknown" else "non-monotone" if "non-monotone" in device else "saturating"


def doses() -> pd.DataFrame:
    """Return all runs, each with the name of its dose, the size of it (``at``) and the kind of its chips.

    Rules that need no twin have no size where the dose acts on the twin alone.
    """
    first, coupled = read("record"), read("record-dose-coupling")
    twins = pd.concat([read("record-dose-steepness"), read("record-dose-steepness-fine")])
    lines = pd.concat([first, read("record-dose-lines"), coupled[coupled["strength"] == 1]])
    lines = lines[lines["label"].isin(LINES)]
    fitted = first[first["label"].isin(TWINS)]
    right = twins[twins["rule.believed_steepness"] == 1]
    neurons = fitted[fitted["label"] == "fitted, a curve a neuron"]
    alone = pd.concat([lines, right])
    noisy = read("record-dose-fit-noisy")
    changed = pd.concat([read(f"record-dose-{name}") for name in ("drift", "drift-random", "drift-lines")])
    return pd.concat(
        [
            _dose("steepness", twins, twins["rule.believed_steepness"]),
            _dose("offset", offset := read("record-dose-offset"), offset["rule.believed_offset"]),
            _dose("offset", right, 0.0),
            *[_dose(name, lines, math.nan) for name in ("steepness", "offset", "reads")],
            _dose("reads", fits := pd.concat([read("record-dose-fit"), fitted]), fits["rule.fit_reads"]),
            _dose("reads, noise 0.2", noisy, noisy["rule.fit_reads"]),
            _dose("strength", coupled, coupled["strength"]),
            _dose("strength", alone[alone["kind"] == "saturating"].assign(kind="coupled"), 0.0),
            _dose("gain", changed, changed["warming_kelvin"].map(gain).where(~changed["swapped"], ANOTHER_CHIP)),
            _dose("gain", pd.concat([neurons, lines]), 1.0),
        ]
    )


def _dose(name: str, frame: pd.DataFrame, at: pd.Series | float) -> pd.DataFrame:
    return frame.assign(dose=name, at=at)


def gain(kelvin: float) -> float:
    """Return the gain of the sums of a chip that warmed from 300 K."""
    return math.exp(_KELVIN * (1 / 300 - 1 / (300 + kelvin)))


def draw(runs: pd.DataFrame) -> Figure:
    """Draw a panel for each dose and kind of chips; flat lines are the rules that need no twin."""
    figure = Figure(figsize=_INCHES, layout="constrained")
    panels = [(dose, of) for dose, of in PANELS if _recorded(runs, dose, of)]
    grid = figure.subplots(math.ceil((len(panels) + 1) / 5), 5, sharey=True, squeeze=False)
    for axes, (dose, of) in zip(grid.flat, panels, strict=False):
        _panel(axes, runs[(runs["dose"] == dose) & (runs["kind"] == of)], dose)
        axes.set_title(of)
    for row in grid:
        row[0].set_ylabel("test error / %")
    for axes in grid.flat[len(panels) :]:
        axes.axis("off")
    grid.flat[len(panels)].legend(
        handles=_handles(), loc="center", frameon=False, fontsize=5.5, handlelength=1.6, borderpad=0
    )
    return figure


def _recorded(runs: pd.DataFrame, dose: str, of: str) -> bool:
    """Tell whether a panel has a twin at more than one dose."""
    panel = runs[(runs["dose"] == dose) & (runs["kind"] == of) & runs["label"].isin(TWINS)]
    return panel["at"].nunique() > 1


def _panel(axes: Axes, runs: pd.DataFrame, dose: str) -> None:
    label, scale, ticks = AXES[dose]
    axes.set_xscale(scale)
    axes.set_yscale("log")
    axes.set_ylim(3, 100)
    axes.set_yticks(_TICKS, map(str, _TICKS))
    axes.set_xticks(ticks, ["chip" if tick == ANOTHER_CHIP else f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(label)
    for name, (color, _) in LINES.items():
        own = runs[runs["label"] == name]
        _flat(axes, own[own["at"].isna()], color)
        _curve(axes, own[own["at"].notna()], color, ".")
    for name, (color, marker, _) in TWINS.items():
        _curve(axes, runs[runs["label"] == name], color, marker)


def _flat(axes: Axes, runs: pd.DataFrame, color: str) -> None:
    if len(runs):
        mean, low, high, _ = interval_over_chips(runs)
        axes.axhline(mean, color=color, linewidth=0.9)
        axes.axhspan(max(low, 1.0), high, color=color, alpha=0.18, linewidth=0)


def _curve(axes: Axes, runs: pd.DataFrame, color: str, marker: str) -> None:
    """Draw means and intervals by dose; another chip is no further dose, so no line leads to it."""
    if runs.empty:
        return
    at = np.sort(runs["at"].unique())
    mean, low, high = np.array([interval_over_chips(runs[runs["at"] == dose])[:3] for dose in at]).T
    bars = np.stack([mean - np.maximum(low, 1.0), high - mean])
    style = {"color": color, "marker": marker, "markersize": 2.4, "elinewidth": 0.7, "linewidth": 0.9}
    joined = at != ANOTHER_CHIP
    for those, line in ((joined, "-"), (~joined, "none")):
        axes.errorbar(at[those], mean[those], yerr=bars[:, those], linestyle=line, **style)


def _handles() -> list[Line2D]:
    twins = [Line2D([], [], color=c, marker=m, markersize=2.4, label=name) for c, m, name in TWINS.values()]
    return twins + [Line2D([], [], color=color, label=name) for color, name in LINES.values()]


def table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the errors by panel, rule and dose, and how far they are from the rules that need no twin.

    Differences are paired over the chips that both have.
    """
    rows = []
    for dose, of in PANELS:
        panel = runs[(runs["dose"] == dose) & (runs["kind"] == of)]
        for (label, at), group in panel.groupby(["label", "at"], dropna=False):
            mean, low, high, chips = interval_over_chips(group)
            row = {"dose": dose, "kind": of, "label": label, "at": at, "mean": mean, "low": low, "high": high}
            rivals = {name: panel[panel["label"] == name] for name in LINES}
            same = {name: other[other["at"].isna() | (other["at"] == at)] for name, other in rivals.items()}
            rows.append(row | {"chips": chips} | {f"minus {name}": _ahead(group, same[name]) for name in LINES})
    return pd.DataFrame(rows)


def _ahead(runs: pd.DataFrame, others: pd.DataFrame) -> str:
    """Return the mean difference of errors over shared chips, and its interval."""
    pairs = (runs.set_index("chip")["test_error"] - others.set_index("chip")["test_error"]).dropna()
    if len(pairs) < 2:
        return ""
    frame = (pairs / 2 + 50).rename("test_error").reset_index()  # a percentage, as `interval_over` takes it
    mean, low, high = (2 * number - 100 for number in interval_over(frame, "chip")[:3])
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def main() -> None:
    """Draw the records beside this file, and write the numbers of the figure."""
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    runs = doses()
    draw(runs).savefig(_HERE / "dose.png", dpi=180)
    table(runs).to_csv(_HERE / "dose.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
