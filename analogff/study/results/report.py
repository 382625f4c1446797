"""What a run says at the end: a table, and what a reader should be warned of."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from analogff.study.results.summary import summarize, unchanged_axes
from analogff.support.console import say, table_of

_MEASURED = ("mean", "low", "high", "chips", "diverged", "reads", "pulses", "device_seconds", "device_joules")
_COSTS = {"reads": "reads", "pulses": "pulses", "device_seconds": "device s", "device_joules": "device J"}
_LEAST_FIRST = ("device_seconds", "pulses", "device_joules", "reads", "chips")
"""What a narrow terminal can do without, and in which order."""
_READABLE, _ENDLESS = 20, 10_000  # characters
_TITLE = "Test error at the last epoch, 95 % interval over chips"


def report(frame: pd.DataFrame, manifest: Mapping[str, Any], console: Console) -> None:
    """Print the results table, and a warning for each swept path that changed nothing."""
    print_results(summarize(frame, manifest), console)
    for axis in unchanged_axes(frame, list(manifest["study"]["sweep"])):
        say(
            console,
            f"Warning: the sweep over {axis} changed nothing: every number is the same at each of its values. Is it "
            "the path you meant?",
        )


def print_results(summary: pd.DataFrame, console: Console) -> None:
    """Print a summary with as many of its columns as the terminal has room for, none of them cut."""
    dropped = ["diverged"] * (not summary["diverged"].any())
    left_out: list[str] = []
    spare = _room_in_names(summary)
    table = results_table(summary, dropped)
    for column in _LEAST_FIRST:
        if console.measure(table, options=console.options.update(width=_ENDLESS)).maximum - spare <= console.width:
            break
        left_out.append(column)
        table = results_table(summary, dropped + left_out)
    console.print(table)
    if left_out:
        names = ", ".join(_COSTS.get(column, column) for column in left_out)
        say(console, f"Left out, since {console.width} columns hold no more: {names}. The results have them.")


def results_table(summary: pd.DataFrame, dropped: Collection[str] = ()) -> Table:
    """Return a summary as a table for a terminal; names may go on in the next line, numbers never."""
    named = _names(summary)
    columns = [Column(name.removeprefix("rule."), overflow="fold") for name in named]
    kept = [name for name in ("chips", *_COSTS, "diverged") if name not in dropped]
    headers = ["error / %", *(_COSTS.get(name, name) for name in kept)]
    columns += [Column(header, justify="right", no_wrap=True) for header in headers]
    rows = [
        [*(_cell(row[name]) for name in named), _interval(row), *(_number(name, row[name]) for name in kept)]
        for row in summary.to_dict("records")
    ]
    costs = any(name in kept for name in _COSTS)
    return table_of(columns, rows, title=Text(f"{_TITLE}; costs of training, mean of a run" if costs else _TITLE))


def _room_in_names(summary: pd.DataFrame) -> int:
    """Return the characters that are saved where long names go on in the next line."""
    longest = [max(len(name), *map(len, map(_cell, summary[name]))) for name in _names(summary)]
    return sum(max(0, length - _READABLE) for length in longest)


def _names(summary: pd.DataFrame) -> list[str]:
    return [column for column in map(str, summary) if column not in _MEASURED]


def _number(name: str, value: Any) -> str:
    return f"{value:.3g}" if name in _COSTS else str(value)


def _interval(row: Any) -> str:
    if pd.isna(row["low"]):
        return f"{row['mean']:.2f}"
    return f"{row['mean']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
