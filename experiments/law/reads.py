"""Draw reads until a test error against parameters, from what reads.toml and reads-weights.toml found.

python experiments/law/reads.py [RESULTS ...]

Given folders of results, it keeps what each run had spent at each target, and their manifests, in record-reads first.
"""

import ast
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from analogff.figures.style import COLOURS, styled
from analogff.study.results.store import load_results
from analogff.study.results.summary import interval_over_chips
from analogff.study.results.target import at_target

RULES = ("weight perturbation", "node perturbation", "DFA probed", "FF probed", "backprop, probed")
TARGETS = (10.0, 5.0)
"""Test errors in percent."""
_HERE = Path(__file__).parent
_RECORD = _HERE / "record-reads"
_INPUTS, _CLASSES = 64, 10
_MOST_READS = 1e12  # what an interval is cut at


def keep(folders: list[Path]) -> None:
    """Write what each run had spent when it first reached each target, and the manifest of each study."""
    frame = pd.concat([load_results(folder) for folder in folders], ignore_index=True)
    runs = pd.concat([at_target(frame, target).assign(target=target) for target in TARGETS])
    own = ["target", "label", "layers", "rule.learning_rate", "chip", "seed", "epoch", "reads", "pulses", "reached"]
    _RECORD.mkdir(exist_ok=True)
    runs[own].to_csv(_RECORD / "runs.csv", index=False, float_format="%.6g")
    for number, folder in enumerate(folders):
        name = f"{folder.name}.manifest.json" if number else "manifest.json"
        shutil.copy(folder / "manifest.json", _RECORD / name)


def read() -> pd.DataFrame:
    """Return the record: a row for each run and target, with the column ``parameters``."""
    frame = pd.read_csv(_RECORD / "runs.csv")
    widths = frame["layers"].map(lambda text: np.atleast_1d(ast.literal_eval(str(text)))[0])
    return frame.assign(parameters=widths * (_INPUTS + _CLASSES))


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the reads to each target by rule and size, at the best of its rates.

    Returns:
        Columns ``target, rule, parameters, reached, chips, reads, low, high`` (95 % over chips, Student's t) and
        ``rate``. Where not all chips reach the target, ``reads`` is a lower bound and has no interval.
    """
    rows = []
    for (target, rule, parameters), group in frame.groupby(["target", "label", "parameters"]):
        rates = [_row(some) for _, some in group.groupby("rule.learning_rate")]
        best = min(rates, key=lambda row: (row["chips"] - row["reached"], row["reads"]))
        rows.append({"target": target, "rule": rule, "parameters": parameters} | best)
    return pd.DataFrame(rows)


def _row(group: pd.DataFrame) -> dict[str, float]:
    mean, low, high, chips = interval_over_chips(group, "reads", most=_MOST_READS)
    reached = int(group["reached"].sum())
    low, high = (low, high) if reached == chips else (np.nan, np.nan)
    numbers = {"reached": reached, "chips": chips, "reads": mean, "low": low, "high": high}
    return numbers | {"rate": float(group["rule.learning_rate"].iloc[0])}


def slope(rows: pd.DataFrame) -> float:
    """Return the slope of a line through logarithms of reads and parameters."""
    return float(np.polyfit(np.log(rows["parameters"]), np.log(rows["reads"]), 1)[0])


def draw(found: pd.DataFrame) -> Figure:
    """Draw a panel for each target; an empty marker is a lower bound."""
    figure = Figure(figsize=(7.0, 2.8), layout="constrained")
    panels = figure.subplots(1, len(TARGETS), sharex=True, sharey=True)
    for axes, target in zip(panels, TARGETS, strict=True):
        _panel(axes, found[found["target"] == target])
        axes.set(title=f"{target:g} % test error", xlabel="parameters")
    panels[0].set_ylabel("reads")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def _panel(axes: Axes, found: pd.DataFrame) -> None:
    axes.set(xscale="log", yscale="log", ylim=(5e3, 3e7))
    for rule, color in zip(RULES, COLOURS, strict=False):
        rows = found[found["rule"] == rule]
        short = rows.query("reached < chips")
        axes.plot(rows["parameters"], rows["reads"], color=color, linewidth=1, label=rule)
        bars = np.abs(rows[["low", "high"]].to_numpy().T - rows["reads"].to_numpy())
        axes.errorbar(rows["parameters"], rows["reads"], bars, color=color, marker="o", markersize=3, linestyle="none")
        axes.plot(short["parameters"], short["reads"], "^", color=color, markerfacecolor="white", markersize=5)
    sizes = sorted(found["parameters"].unique())
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def main() -> None:
    """Write reads.csv and reads.png, and print the slopes over sizes that all reach the target."""
    if len(sys.argv) > 1:
        keep([Path(folder) for folder in sys.argv[1:]])
    found = table(read())
    found.to_csv(_HERE / "reads.csv", index=False, float_format="%.5g")
    with styled():
        draw(found).savefig(_HERE / "reads.png", dpi=180)
    for (target, rule), rows in found.groupby(["target", "rule"], sort=False):
        known = rows.query("reached == chips")
        more = ["" if place in known.index else " or more" for place in rows.index]
        told = ", ".join(f"{reads:.3g}{mark}" for reads, mark in zip(rows["reads"], more, strict=True))
        print(f"{target:g} %, {rule}: {told} reads; slope {slope(known):+.2f} over {len(known)} sizes")


if __name__ == "__main__":
    main()
