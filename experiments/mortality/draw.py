"""Draw what `study.toml` recorded: the error of weights on each chip, and the gap between their own chip and others.

python experiments/mortality/draw.py
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from analogff.figures.style import RC
from analogff.study.results.summary import interval_over

SHOWN = 0.5
"""Mismatch of the matrices."""
LEAST, MOST = 4.5, 16.0
"""Test errors in percent at which the color ends."""
_HERE = Path(__file__).parent
_INCHES = (7.0, 1.75)  # two columns of a paper wide
_SWEPT = "device.mismatch"


def read() -> pd.DataFrame:
    """Return the evaluations with their place: ``own``, ``other`` (a chip of the matrix) or ``flawless``."""
    events = pd.read_csv(_HERE / "record" / "events.csv")
    events = events[events["do"] == "evaluate"]
    first, last = events["event"].min(), events["event"].max()
    place = np.where(events["event"] == first, "own", np.where(events["event"] == last, "flawless", "other"))
    return events.assign(place=place)


def gaps(events: pd.DataFrame) -> pd.DataFrame:
    """Return the error on the own chip, on others and on a chip without mismatch, with intervals over the own chips.

    Returns:
        A row for each mismatch and rule: mean, low and high of ``own``; of ``other``, the mean over the seven others;
        of ``gap``, their difference; and of ``flawless``, the error without mismatch minus that on the own chip.
    """
    rows = []
    for (mismatch, label), group in events.groupby([_SWEPT, "label"], sort=False):
        at = {place: part for place, part in group.groupby("place")}
        away = at["other"][at["other"]["chip_now"] != at["other"]["chip"]]
        own, others, flawless = (
            part.groupby("chip")["test_error"].mean() for part in (at["own"], away, at["flawless"])
        )
        row = {"mismatch": mismatch, "label": label, "chips": len(own)}
        named = {"own": own, "other": others, "gap": others - own, "flawless": flawless - own}
        for name, values in named.items():
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), _interval(values), strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(values: pd.Series) -> tuple[float, float, float]:
    """Return mean and interval of numbers that may be negative, a number for each chip."""
    frame = (values / 2 + 50).rename("test_error").reset_index()  # a percentage, as `interval_over` takes it
    mean, low, high = (2 * number - 100 for number in interval_over(frame, "chip")[:3])
    return mean, low, high


def draw(events: pd.DataFrame) -> Figure:
    """Draw a matrix for each rule: learned on the chip of the row, run on the chip of the column."""
    shown = events[(events[_SWEPT] == SHOWN) & (events["place"] == "other")]
    labels = list(dict.fromkeys(shown["label"]))
    figure = Figure(figsize=_INCHES, layout="constrained")
    panels = figure.subplots(1, len(labels), sharey=True)
    image = None
    for axes, label in zip(panels, labels, strict=True):
        cells = shown[shown["label"] == label].pivot(index="chip", columns="chip_now", values="test_error")
        image = axes.imshow(cells, norm=LogNorm(LEAST, MOST), cmap="cividis")
        axes.set_title(label.replace(", ", ",\n"), fontsize=7)
        axes.set_xlabel("run on chip")
        axes.set_xticks([0, 7])
        axes.set_yticks([0, 7])
        axes.grid(visible=False)
    panels[0].set_ylabel("learned on chip")
    assert image is not None
    bar = figure.colorbar(image, ax=panels, label="test error / %", aspect=8, shrink=0.75)
    bar.set_ticks([5, 7, 10, 15], labels=["5", "7", "10", "15"])
    bar.ax.minorticks_off()
    return figure


def main() -> None:
    """Write ``matrix.png`` and ``gaps.csv`` beside this file, and print the gaps."""
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    events = read()
    table = gaps(events)
    table.to_csv(_HERE / "gaps.csv", index=False, float_format="%.4g")
    draw(events).savefig(_HERE / "matrix.png", dpi=180)
    for row in table.to_dict("records"):
        told = [
            f"{row[n]:.1f} [{row[f'{n}_low']:.1f}, {row[f'{n}_high']:.1f}]" for n in ("own", "other", "gap", "flawless")
        ]
        print(f"| {row['mismatch']} | {row['label']} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
