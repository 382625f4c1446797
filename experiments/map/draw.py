"""Draw what the studies recorded as a map: a row for each rule, a column for each kind of chip.

python experiments/map/draw.py [RECORD ...]

By default the records of all rules of the map at equal reads; figure and table go to the first. What several records
have of a rule on a kind of chip is taken from the first of them.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.style import RC
from analogff.study.results.comparison import compare
from analogff.study.results.manifest import read_manifest
from analogff.study.results.names import shorten
from analogff.study.results.summary import interval_over_chips

BOUND = "backprop, true slopes"
_HERE = Path(__file__).parent
RECORDS = (
    *("record", "record-others-ten", "record-pepita", "record-phyll"),
    *("record-perturbation", "record-perturbation-more", "record-perturbation-cells"),
)
_WIDTH = 7.0  # inches, two columns of a paper
_ROW, _AROUND = 0.24, 1.2  # inches of a rule, and of labels
_MOST = 10.0  # points behind the best at which the color ends
_COMPARED = 5  # chips from which on a rule is compared: over so many pairs fewer tell nothing apart


def read(folder: Path) -> pd.DataFrame:
    """Return the last epoch of each run of a record, with short names of the devices."""
    frame = pd.read_csv(folder / "results.csv")
    frame = frame[frame["stopped_by"].notna()]
    return shorten(frame.assign(variant=frame["label"]), ["device"])


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean, interval and rank of each rule on each kind of chip.

    Returns:
        Columns ``device, rule, mean, low, high, chips, behind`` (points behind the best rule that is no bound) and
        ``first`` (whether it is that rule, or not told apart from it: paired t-test over chips, Holm's method over all
        pairs at that kind of chip). Rules with fewer than five chips are not compared.
    """
    rows = []
    for device, group in frame.groupby("device", sort=False):
        means = {label: interval_over_chips(rows_of) for label, rows_of in group.groupby("label", sort=False)}
        best = min((label for label in means if label != BOUND), key=lambda label: means[label][0])
        few = {label for label in means if means[label][3] < _COMPARED}
        pairs = compare(group[~group["label"].isin(few)], ["device"])
        apart = set(pairs[(pairs["better"] == best) & pairs["apart"]]["worse"]) | few
        for label, (mean, low, high, chips) in means.items():
            rows.append((device, label, mean, low, high, chips, mean - means[best][0], label not in apart | {BOUND}))
    return pd.DataFrame(rows, columns=["device", "rule", "mean", "low", "high", "chips", "behind", "first"])


def draw(cells: pd.DataFrame) -> Figure:
    """Draw the means: darker where further behind the best, bold where not told apart from it."""
    devices, rules = list(cells["device"].unique()), list(cells["rule"].unique())
    behind = cells.pivot(index="rule", columns="device", values="behind").loc[rules, devices]
    figure = Figure(figsize=(_WIDTH, _AROUND + _ROW * len(rules)), layout="constrained")
    axes = figure.subplots()
    shades = np.clip(behind.to_numpy(), 0, _MOST)
    axes.imshow(shades, cmap="Blues", vmin=0, vmax=1.6 * _MOST, aspect="auto")
    for rule, device in np.argwhere(np.isnan(shades)):
        axes.text(device, rule, "not run", ha="center", va="center", fontsize=6, color="0.5")
    for row in cells.itertuples():
        at = devices.index(row.device), rules.index(row.rule)
        weight, style = "bold" if row.first else "normal", "italic" if row.rule == BOUND else "normal"
        axes.text(*at, f"{row.mean:.1f}", ha="center", va="center", fontweight=weight, fontstyle=style, fontsize=8)
    axes.set_xticks(range(len(devices)), devices, rotation=35, ha="right")
    axes.set_yticks(range(len(rules)), [f"{rule} (bound)" if rule == BOUND else rule for rule in rules])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return figure


def main() -> None:
    """Draw a record, and write its table beside the figure."""
    records = [Path(name) for name in sys.argv[1:]] or [_HERE / name for name in RECORDS if (_HERE / name).exists()]
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    frames = [read(record).assign(record=n) for n, record in enumerate(records)]
    runs = pd.concat(frames, ignore_index=True)
    first = runs.groupby(["label", "device"], sort=False)["record"].transform("min")
    cells = table(runs[runs["record"] == first])
    cells.round(4).to_csv(records[0] / "map.csv", index=False)
    draw(cells).savefig(records[0] / "map.png", dpi=180)
    print(markdown(cells), "seeds:", read_manifest(records[0])["seeds"]["learning"])


def markdown(cells: pd.DataFrame) -> str:
    """Return the table for a page, bold where not told apart from the best."""
    devices, lines = list(cells["device"].unique()), []
    for rule, group in cells.groupby("rule", sort=False):
        texts = {row.device: f"{row.mean:.1f} [{row.low:.1f}, {row.high:.1f}]" for row in group.itertuples()}
        marked = {
            row.device: f"**{texts[row.device]}**" if row.first else texts[row.device] for row in group.itertuples()
        }
        lines.append(f"| {rule} | " + " | ".join(marked.get(device, "") for device in devices) + " |")
    return "\n".join(["| test error / % | " + " | ".join(devices) + " |", "|---" * (len(devices) + 1) + "|", *lines])


if __name__ == "__main__":
    main()
