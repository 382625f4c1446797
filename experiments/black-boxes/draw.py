"""Draw what `study.toml` and `ideal.toml` recorded: errors, and how far measured slopes are behind the true ones.

python experiments/black-boxes/draw.py
"""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import t

from analogff.figures.style import RC, legend_below, looks
from analogff.study.results.names import shorten, variant_labels
from analogff.study.results.summary import interval_over_chips

AIM = 0.2
"""Points that measured slopes may cost, by the aim."""
MOST_PERCENT = 4.0
"""Errors beyond that are written, and not drawn."""
_HERE = Path(__file__).parent
_INCHES = (7.0, 3.9)  # two columns of a paper wide


def read(folder: Path) -> pd.DataFrame:
    """Return the last epoch of the runs of a record, with the columns ``variant`` and (short) ``device``."""
    frame = pd.read_csv(folder / "results.csv")
    frame = frame[frame["epoch"] == frame["epoch"].max()]
    if "device" not in frame:
        return frame.assign(variant=variant_labels(frame, []))
    return shorten(frame.assign(variant=variant_labels(frame, ["device"])), ["device"])


def behind(frame: pd.DataFrame, bound: str) -> pd.DataFrame:
    """Return the frame of the other variants, with the points that each chip is behind the same chip's bound."""
    own = ["device", "chip"]
    truth = frame[frame["variant"] == bound].set_index(own)["test_error"]
    others = frame[frame["variant"] != bound].set_index(own)
    return others.assign(behind=others["test_error"] - truth.reindex(others.index)).reset_index()


def draw(frame: pd.DataFrame, ideal: pd.DataFrame) -> Figure:
    """Draw means of chips with 95 % intervals; the reads that each slope spent stand in the legend."""
    variants = list(frame["variant"].unique())
    (bound,) = (v for v in variants if "bound" in v)
    figure = Figure(figsize=_INCHES, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    _points(above, frame, "test_error", variants)
    above.set_ylim(top=MOST_PERCENT)
    above.set_ylabel("test error / %")
    mean, low, high, _ = interval_over_chips(ideal)
    above.axhspan(low, high, color="0.85", linewidth=0, zorder=0)
    above.axhline(mean, color="0.3", linestyle=(0, (1, 1)), linewidth=0.8)
    _points(below, behind(frame, bound), "behind", variants)
    below.axhspan(-AIM, AIM, color="0.92", linewidth=0, zorder=0)
    below.axhline(0, color="0.3", linewidth=0.8)
    below.set_ylim(-1, 0.6)
    below.set_ylabel("behind the true\nslopes / points")
    look = looks(variants)
    handles = [Line2D([], [], label=f"{v}: {_reads(frame[frame['variant'] == v])}", **look[v].line()) for v in variants]
    for handle in handles:
        handle.set_linestyle("none")
    handles.append(Line2D([], [], color="0.3", linestyle=(0, (1, 1)), linewidth=0.8, label="ideal device"))
    legend_below(figure, handles, columns=3)
    return figure


def _points(axes: Axes, frame: pd.DataFrame, column: str, variants: list[str]) -> None:
    devices, look = list(frame["device"].unique()), looks(variants)
    for n, variant in enumerate(variants):
        for at, device in enumerate(devices):
            rows = frame[(frame["variant"] == variant) & (frame["device"] == device)]
            if rows.empty:  # the bound is not behind itself
                continue
            x = at + 0.14 * (n - (len(variants) - 1) / 2)
            mean, half = _interval(rows.groupby("chip")[column].mean())
            if column == "test_error" and mean > MOST_PERCENT:
                axes.annotate(f"↑{mean:.2g}", (x, MOST_PERCENT), ha="center", va="top", color=look[variant].color)
                continue
            axes.errorbar(x, mean, half, capsize=1.5, elinewidth=0.9, **look[variant].line())
    axes.set_xticks(range(len(devices)), devices)


def _interval(values: pd.Series) -> tuple[float, float]:
    """Return the mean, and half of its 95 % interval (Student's t)."""
    return values.mean(), float(t.ppf(0.975, len(values) - 1) * values.std() / len(values) ** 0.5)


def _reads(rows: pd.DataFrame) -> str:
    """Return the reads of training, in thousands; from the least to the most where devices differ."""
    least, most = rows["reads"].min() / 1000, rows["reads"].max() / 1000
    return f"{least:.0f}k reads" if round(least) == round(most) else f"{least:.0f}k to {most:.0f}k reads"


def main() -> None:
    """Draw the record beside this file."""
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    draw(read(_HERE / "record"), read(_HERE / "record-ideal")).savefig(_HERE / "record/behind.png", dpi=180)


if __name__ == "__main__":
    main()
