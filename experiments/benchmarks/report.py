"""From measurements to a table, for eyes, for a page and for a program."""

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from timing import Row

HEAD = ("benchmark", "contender", "median", "p10 to p90", "rounds", "ratio", "target")


def line(row: Row) -> str:
    """Return a row for the terminal."""
    name, contender, median, spread, rounds, ratio, target = _cells(row)
    return f"{name:60} {contender:52} {median:>10} {spread:>24} {rounds:>4} {ratio:>14}  {target}"


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write the numbers, one row a benchmark and contender; what was not installed has none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            numbers = {name: _rounded(value) for name, value in asdict(row).items()}
            writer.writerow(numbers)


def write_markdown(path: Path, rows: Sequence[Row], machine: dict[str, str]) -> None:
    """Write the table with what it was measured on."""
    lines = ["# Measured", "", "Written by `python experiments/benchmarks/run.py`. A ratio is the median over rounds."]
    lines += ["", "| | |", "|---|---|", *(_piped((name, value)) for name, value in machine.items()), ""]
    lines += [_piped(HEAD), "|" + "---|" * len(HEAD)]
    before = None
    for row in rows:
        name, *rest = _cells(row)
        lines.append(_piped((name if name != before else "", *rest)))
        before = name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cells(row: Row) -> tuple[str, ...]:
    if not row.rounds:
        return row.name, row.contender, "", "", "", row.ratio, row.target
    spread = f"{_duration(row.p10)} to {_duration(row.p90)}"
    return row.name, row.contender, _duration(row.median_seconds), spread, str(row.rounds), row.ratio, row.target


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value


def _piped(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
