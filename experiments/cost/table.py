"""Print what 5 and 3 % test error cost on the chip and in the system, and the share of a cell's life that it takes.

python experiments/cost/table.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from analogff.study.results.names import shorten
from analogff.study.results.summary import interval_over_chips
from analogff.study.results.target import at_target
from hardware_models.effects.endurance import RERAM_FIRST_CYCLES

_HERE = Path(__file__).parent
RECORDS = {
    5.0: (_HERE.parent / "energy" / "record", 784 * 128 + 128 * 128),
    3.0: (_HERE / "record", 784 * 256 + 256 * 256),
}
"""Record and cells of a chip, by target error in percent."""
COSTS = {"reads": 1e-3, "pulses": 1e-6, "device_seconds": 1.0, "system_seconds": 1.0, "system_joules": 1e3}
"""Columns of a cost, and the factor to the unit of the table: thousands, millions, seconds, millijoules."""


def read(folder: Path) -> pd.DataFrame:
    """Return a record with the columns ``run`` and (short) ``device``."""
    frame = pd.read_csv(folder / "results.csv")
    frame["device"] = frame["device"] if "device" in frame else "reram"
    return shorten(frame.assign(run=frame["label"] + frame["device"] + frame["chip"].astype(str)), ["device"])


def rows(target: float) -> Iterator[dict[str, Any]]:
    """Yield a row for each rule and kind of chips."""
    folder, cells = RECORDS[target]
    runs = at_target(read(folder), target)
    for (device, label), group in runs.groupby(["device", "label"], sort=False):
        row: dict[str, Any] = {"target": target, "device": device, "rule": label}
        row |= {"reached": int(group["reached"].sum()), "chips": len(group)}
        for column, factor in COSTS.items():
            mean, low, high, _ = interval_over_chips(group.assign(**{column: group[column] * factor}), column, 1e12)
            row |= {column: mean, f"{column}_low": low, f"{column}_high": high}
        yield row | {"life_share": group["pulses"].mean() / cells / RERAM_FIRST_CYCLES}


def markdown(table: pd.DataFrame) -> str:
    """Return the table as Markdown; a bound of the costs is marked where a chip did not reach the target."""
    heads = "target / %", "chip", "rule", *"reads / 1000, pulses / 10^6, chip / s, system / s, system / mJ".split(", ")
    lines = [f"| {' | '.join(heads)} | life / 10^-6 |", "|" + "---|" * 9]
    for row in table.to_dict("records"):
        mark = "" if row["reached"] == row["chips"] else "> "
        note = "" if not mark else f" ({row['reached']} of {row['chips']})"
        costs = " | ".join(f"{mark}{row[name]:.3g}" for name in COSTS)
        life = f"{mark}{1e6 * row['life_share']:.2g}"
        lines.append(f"| {row['target']:g} | {row['device']} | {row['rule']}{note} | {costs} | {life} |")
    return "\n".join(lines)


def main() -> None:
    """Write ``table.csv`` beside this file, and print it."""
    recorded = [target for target, (folder, _) in RECORDS.items() if (folder / "results.csv").exists()]
    table = pd.DataFrame([row for target in recorded for row in rows(target)])
    table.to_csv(_HERE / "table.csv", index=False, float_format="%.4g")
    print(markdown(table))


if __name__ == "__main__":
    main()
