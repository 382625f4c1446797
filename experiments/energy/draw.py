"""Price what `study.toml` recorded at several assumptions, and draw the joules to 5 % error by rule and component.

python experiments/energy/draw.py
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analogff.figures.energy_split import PARTS, STYLES
from analogff.figures.energy_to_error import draw_bars, to_target
from analogff.figures.style import RC
from analogff.study.results.names import shorten, variant_labels
from analogff.study.results.prices import repriced
from analogff.system import Prices, work

TARGET_PERCENT, IMAGES, LAYERS = 5.0, 20_000, ((784, 128), (128, 128))
PRICES = {
    "45 nm": Prices(),
    "7 nm": Prices(technology="7nm"),
    "7 nm, 8-bit": Prices(technology="7nm", mac_bits=8),
    "45 nm, 8 MiB on chip": Prices(sram_bytes=2**23),
    "7 nm, 8 MiB on chip": Prices(technology="7nm", sram_bytes=2**23),
}
WITHOUT_ADAM = ", no Adam"
"""What is added to a name of `PRICES` where the registers and operations of Adam are left out."""
_HERE = Path(__file__).parent
_INCHES = (7.0, 7.4)  # two columns of a paper wide
_ROWS = ("45 nm", "7 nm", f"7 nm, 8-bit{WITHOUT_ADAM}")
_TITLES = {"unknown": "non-monotone"}


def read(folder: Path) -> pd.DataFrame:
    """Return a record with the columns ``run``, ``variant`` and (short) ``device``."""
    frame = pd.read_csv(folder / "results.csv")
    run = frame["label"] + frame["device"] + frame["chip"].astype(str)
    return shorten(frame.assign(run=run, variant=variant_labels(frame, ["device"])), ["device"])


def without_adam(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of the same steps without the optimizer of the hidden layers: no run, but a subtraction."""
    steps = frame["epoch"] * IMAGES / frame["rule.batch"]
    one, kept = work.total(work.adam(n * m) for n, m in LAYERS), sum(work.adam_bytes(n * m) for n, m in LAYERS)
    return frame.assign(
        digital_macs=frame["digital_macs"] - steps * one.macs,
        digital_bytes=frame["digital_bytes"] - steps * one.moved_bytes,
        kept_bytes=frame["kept_bytes"] - kept,
    )


def tables(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the costs to the target, of each kind of chips at each of `PRICES`, with and without Adam."""
    for device, part in frame.groupby("device", sort=False):
        for optimizer, counted in (("", part), (WITHOUT_ADAM, without_adam(part))):
            for name, prices in PRICES.items():
                table = to_target(repriced(counted, prices), tuple(part["variant"].unique()), TARGET_PERCENT)
                yield table.assign(device=device, prices=f"{name}{optimizer}")


def draw(table: pd.DataFrame) -> Figure:
    """Draw a row of panels for each technology of `_ROWS`, a panel for each kind of chips; energies in mJ."""
    devices = list(table["device"].unique())
    figure = Figure(figsize=_INCHES, layout="constrained")
    panels = figure.subplots(len(_ROWS), len(devices), sharey=True, sharex="row")
    for row, prices in zip(panels, _ROWS, strict=True):
        shown = table[table["prices"] == prices]
        for axes, device in zip(row, devices, strict=True):
            _panel(axes, shown[shown["device"] == device])
            axes.set_title(f"{_TITLES.get(device, device)}, {prices}")
            axes.set_xlim(0, 1.45e3 * shown[shown["reached"] > 0]["system_joules"].max())
    for axes in panels[-1]:
        axes.set_xlabel(f"energy to {TARGET_PERCENT:g} % test error / mJ")
    panels[0, 0].invert_yaxis()
    handles = [Patch(label=label, **STYLES[column]) for column, label in PARTS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    columns = [*PARTS, "system_joules", "low", "high"]
    table, at = table.assign(**{column: 1e3 * table[column] for column in columns}), np.arange(len(table))
    draw_bars(axes, table, at, height=0.6)
    for place, row in zip(at, table.to_dict("records"), strict=True):
        total = row["system_joules"]
        known = row["reached"] > 0 and np.isfinite(row["low"])
        if known:
            ends = [[total - row["low"]], [row["high"] - total]]
            axes.errorbar(total, place, xerr=ends, fmt="none", ecolor="black", elinewidth=0.8, capsize=1.5)
        end = row["high"] if known else total if row["reached"] else 0.0
        axes.text(end, float(place), f" {_said(row)}", va="center", fontsize=7)
    axes.set_yticks(at, list(table["variant"]))
    axes.grid(visible=False)


def _said(row: Mapping[Any, Any]) -> str:
    """Return the energy of the whole system and of the chip in mJ."""
    if row["reached"] == 0:
        return "not reached"
    chip = sum(row[column] for column in list(PARTS)[:3])
    of = f", {row['reached']} of {row['runs']}" if row["reached"] < row["runs"] else ""
    return f"{'> ' if of else ''}{_plain(row['system_joules'])} (chip {_plain(chip)}){of}"


def _plain(value: float) -> str:
    """Return a number with two significant digits or more."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def main() -> None:
    """Write the figure and its numbers beside the record."""
    mpl.rcdefaults()
    mpl.rcParams.update(RC)
    table = pd.concat(tables(read(_HERE / "record")), ignore_index=True)
    table.to_csv(_HERE / "record/joules.csv", index=False, float_format="%.6g")
    draw(table).savefig(_HERE / "record/joules.png", dpi=180)


if __name__ == "__main__":
    main()
