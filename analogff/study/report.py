"""What a run says at the end: a table, and what a reader should be warned of."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from analogff.study.summary import summarise, unchanged_axes

_MEASURED = ("mean", "low", "high", "chips", "diverged", "reads", "pulses", "device_seconds", "device_joules")


def report(frame: pd.DataFrame, manifest: Mapping[str, Any], console: Console) -> None:
    """Print the results table, and a warning for each swept path that changed nothing."""
    console.print(results_table(summarise(frame, manifest)))
    for axis in unchanged_axes(frame, list(manifest["study"]["sweep"])):
        console.print(
            f"Warning: the sweep over {axis} changed nothing: every number is the same at each of its values. Is it "
            "the path you meant?",
            soft_wrap=True,
        )


def results_table(summary: pd.DataFrame) -> Table:
    """Return a summary as a table for a terminal."""
    named = [column for column in summary if column not in _MEASURED]
    table = Table(title="Test error at the last epoch, 95 % interval over chips; costs of training, mean of a run")
    for column in named:
        table.add_column(str(column).removeprefix("rule."), overflow="fold")
    for column in ("error / %", "chips", "reads", "pulses", "device s", "device J", "diverged"):
        table.add_column(column, justify="right")
    for _, row in summary.iterrows():
        cells = [_cell(row[column]) for column in named]  # type: ignore[index]
        costs = [f"{row[c]:.3g}" for c in ("reads", "pulses", "device_seconds", "device_joules")]
        table.add_row(*cells, _interval(row), str(row["chips"]), *costs, str(row["diverged"]))
    return table


def _interval(row: Any) -> str:
    if pd.isna(row["low"]):
        return f"{row['mean']:.2f}"
    return f"{row['mean']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
