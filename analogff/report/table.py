"""A table of texts, as a page shows it."""

import dataclasses
from collections.abc import Sequence

import pandas as pd

MOST_ROWS = 200
"""Rows that a page shows of one table."""


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows under headers."""

    headers: tuple[str, ...]
    """One for each column."""
    rows: tuple[tuple[str, ...], ...]
    """Cells as texts."""
    names: int = 1
    """Number of first columns that name the row; the others are numbers."""
    left_out: int = 0
    """Rows that are not shown."""

    @classmethod
    def of(cls, headers: Sequence[str], rows: Sequence[Sequence[str]], names: int = 1) -> "Table":
        """Make a table of the first `MOST_ROWS` rows."""
        shown = tuple(tuple(row) for row in rows[:MOST_ROWS])
        return cls(tuple(headers), shown, names, max(0, len(rows) - MOST_ROWS))


def cell(value: object) -> str:
    """Return a value as a cell: nothing as a dash, numbers with six digits."""
    if value is None or value is pd.NA or value != value:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)


def interval(mean: float, low: float, high: float) -> str:
    """Return a mean with its interval, where it has one."""
    if pd.isna(mean):
        return "–"
    return f"{mean:.2f}" if pd.isna(low) else f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def quantity(value: float) -> str:
    """Return a cost with three digits."""
    return "–" if pd.isna(value) else f"{value:.3g}"
