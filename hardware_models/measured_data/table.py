"""A CSV of measurements, read with the line numbers that messages need."""

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np

from analogff.device import ContractError

COPIES = ("neuron", "device", "cell")
"""Columns that tell one measured copy from another; the names mean the same."""


@dataclasses.dataclass(frozen=True)
class Table:
    """A header and rows of text."""

    file: str
    """Name of the file, for messages."""
    header: tuple[str, ...]
    """Names of the columns, in small letters."""
    rows: tuple[tuple[str, ...], ...]
    """As many texts each as the header."""
    lines: tuple[int, ...]
    """The line of the file that each row stands in."""

    def numbers(self, column: str) -> np.ndarray:
        """Return a column of finite numbers, float64 ``(rows,)``.

        Raises:
            ContractError: If there is anything else in it.
        """
        return np.array([self._number(column, text, n) for text, n in zip(self.texts(column), self.lines, strict=True)])

    def texts(self, column: str) -> list[str]:
        """Return a column as it is written."""
        at = self.header.index(column)
        return [row[at] for row in self.rows]

    def copies(self) -> list[str]:
        """Return which measured copy each row belongs to; all to one if no column tells."""
        named = [column for column in self.header if column in COPIES]
        if len(named) > 1:
            raise self.refusal("one column that tells the measured copies apart", " and ".join(named), "Keep one.")
        return self.texts(named[0]) if named else [""] * len(self.rows)

    def refusal(self, expected: str, got: str, advice: str) -> ContractError:
        """Return the error that refuses this file."""
        return ContractError(f"Expected {expected} in {self.file}. Got {got}. {advice}")

    def _number(self, column: str, text: str, line: int) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            got = f"{text!r} in line {line}" if text else f"nothing in line {line}"
            raise self.refusal(f"a finite number in every row of {column}", got, "Mend or remove that row.")
        return value


def read_table(path: Path) -> Table:
    """Read a CSV: a header, then rows; empty lines and lines that start with # are passed over.

    Raises:
        ContractError: If there is no such file, or it is no table.
    """
    numbered = [(n, line) for n, line in enumerate(_lines(path), 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise ContractError(f"Expected measurements in {path.name}. Got an empty file. Write a header and rows.")
    cells = [tuple(cell.strip() for cell in row) for row in csv.reader(line for _, line in numbered)]
    lines = tuple(n for n, _ in numbered[1:])
    table = Table(path.name, tuple(name.lower() for name in cells[0]), tuple(cells[1:]), lines)
    if not table.rows:
        raise table.refusal("rows below the header", "the header alone", "Write one row for each measurement.")
    for line, row in zip(lines, table.rows, strict=True):
        if len(row) != len(table.header):
            expected, got = f"{len(table.header)} values in every row", f"{len(row)} in line {line}"
            raise table.refusal(expected, got, "Separate them by commas, with points for decimals.")
    twice = [name for name in table.header if table.header.count(name) > 1]
    if twice:
        raise table.refusal("columns of different names", f"{twice[0]!r} more than once", "Remove or rename one.")
    return table


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ContractError(
            f"Expected a CSV file of measurements. Got {path}: {error.strerror}. Write its path as seen from the "
            "study file, or from the working folder."
        ) from error
    except UnicodeDecodeError as error:
        raise ContractError(
            f"Expected a CSV file of measurements. Got {path.name}, which is no text. Save it as CSV, in UTF-8."
        ) from error
