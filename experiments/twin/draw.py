"""Draw what `study.toml` recorded: errors through twins of all beliefs, beside rules that need none.

python experiments/twin/draw.py
"""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analogff.figures.style import RC
from analogff.study.results.names import shorten
from analogff.study.results.summary import interval_over_chips

FORWARD_ONLY = ("FF probed", "DFA probed", "node perturbation")
_HERE = Path(__file__).parent
_INCHES = (7.0, 2.6)  # two columns of a paper wide


def read(folder: Path) -> pd.DataFrame:
    """Return the last epoch of the runs of a record, with short names of the devices."""
    frame = pd.read_csv(folder / "results.csv")
    return shorten(frame[frame["epoch"] == frame["epoch"].max()], ["device"])


def draw(frame: pd.DataFrame) -> Figure:
    """Draw means over chips with 95 % intervals: a panel a kind of chip, a row a rule."""
    devices, labels = list(frame["device"].unique()), list(frame["label"].unique())
    figure = Figure(figsize=_INCHES, layout="constrained")
    panels = figure.subplots(1, len(devices), sharey=True)
    for axes, device in zip(panels, devices, strict=True):
        _panel(axes, frame[frame["device"] == device], labels)
        axes.set_title(device)
    panels[0].set_yticks(
        range(len(labels)), [f"{label} (bound)" if label == "true slopes" else label for label in labels]
    )
    panels[0].invert_yaxis()
    figure.supxlabel("test error / %")
    return figure


def _panel(axes: Axes, frame: pd.DataFrame, labels: list[str]) -> None:
    for at, label in enumerate(labels):
        rows = frame[frame["label"] == label]
        mean, low, high, _ = interval_over_chips(rows)
        color = "C1" if label in FORWARD_ONLY else "0.5" if label == "true slopes" else "C0"
        ends = [[mean - max(low, 1.5)], [min(high, 100.0) - mean]]
        axes.errorbar(mean, at, xerr=ends, fmt="o", color=color, markersize=3, elinewidth=0.9, capsize=1.5)
    axes.set_xscale("log")
    axes.set_xlim(1.5, 100)
    axes.set_xticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
    axes.minorticks_off()
    axes.grid(axis="x", color="0.9", linewidth=0.6)


def main() -> None:
    """Draw the record beside this file."""
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    draw(read(_HERE / "record")).savefig(_HERE / "record/beliefs.png", dpi=180)


if __name__ == "__main__":
    main()
