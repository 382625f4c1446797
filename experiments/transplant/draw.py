"""Draw the records of the studies: error of a new chip against the images that it has seen, by how it began.

python experiments/transplant/draw.py
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analogff.figures.style import COLOURS, RC
from analogff.study.results.summary import interval_over_chips

STUDIES = {
    "copy": (COLOURS[0], "o", "-", "copied weights"),
    "distil": (COLOURS[1], "s", "--", "1000 answers of the old chip"),
    "scratch": (COLOURS[2], "^", "-.", "from scratch"),
}
"""Color, marker, line and label of each study."""
GIVEN = {"copy": 0, "distil": 1000, "scratch": 0}
"""Images that a new chip had seen when it was first evaluated."""
_HERE = Path(__file__).parent
_INCHES = (7.0, 2.7)  # two columns of a paper wide
_TICKS = (5, 10, 20, 50)


def read() -> pd.DataFrame:
    """Return the evaluations of all records, with the study and the images that the new chip has seen (``seen``)."""
    frames = []
    for name in STUDIES:
        path = _HERE / f"record-{name}" / "events.csv"
        if path.exists():
            events = pd.read_csv(path)
            frames.append(events[events["do"] == "evaluate"].assign(study=name))
    frame = pd.concat(frames)
    first = frame.groupby(["study", "label"])["event"].transform("min")
    new = frame[frame["event"] > first]
    start = new.groupby(["study", "label"])["images"].transform("min")
    given = new["study"].map(GIVEN)
    return pd.concat(
        [frame[frame["event"] == first].assign(seen=np.nan), new.assign(seen=new["images"] - start + given)]
    )


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean and interval over chips of each study, rule and number of images; the old chip has none."""
    rows = []
    for (study, label, seen), group in frame.groupby(["study", "label", "seen"], dropna=False, sort=False):
        mean, low, high, chips = interval_over_chips(group)
        rows.append((study, label, seen, mean, low, high, chips))
    return pd.DataFrame(rows, columns=["study", "label", "seen", "mean", "low", "high", "chips"])


def draw(cells: pd.DataFrame) -> Figure:
    """Draw a panel for each rule, and a line for each way to begin; the gray line is the old chip."""
    labels = list(dict.fromkeys(cells["label"]))
    figure = Figure(figsize=_INCHES, layout="constrained")
    panels = figure.subplots(1, len(labels), sharey=True, sharex=True)
    for axes, label in zip(panels, labels, strict=True):
        _panel(axes, cells[cells["label"] == label])
        axes.set_title(label)
        axes.set_xlabel("images seen / 1000")
    panels[0].set_ylabel("test error / %")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    return figure


def _panel(axes: Axes, cells: pd.DataFrame) -> None:
    axes.set_yscale("log")
    axes.set_yticks(_TICKS, map(str, _TICKS))
    axes.minorticks_off()
    old = cells[cells["seen"].isna()]["mean"].mean()
    axes.axhline(old, color="0.5", linewidth=0.9, label="the old chip")
    for study, (color, marker, line, name) in STUDIES.items():
        own = cells[(cells["study"] == study) & cells["seen"].notna()].sort_values("seen")
        if own.empty:
            continue
        bars = np.stack([own["mean"] - own["low"].clip(lower=1), own["high"] - own["mean"]])
        style = {"color": color, "marker": marker, "linestyle": line, "markersize": 2.6, "elinewidth": 0.6}
        axes.errorbar(own["seen"] / 1000, own["mean"], yerr=bars, label=name, linewidth=0.9, **style)


def main() -> None:
    """Write ``transplant.png`` and ``transplant.csv`` beside this file."""
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    cells = table(read())
    cells.to_csv(_HERE / "transplant.csv", index=False, float_format="%.4g")
    draw(cells).savefig(_HERE / "transplant.png", dpi=180)


if __name__ == "__main__":
    main()
