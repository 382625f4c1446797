"""CSV files of tables: columns of numbers, and one of labels."""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from analogff.data.errors import DataError, shortened

if TYPE_CHECKING:
    import pandas as pd

_DELIMITERS = ",;\t"
_UNEQUAL = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")  # as pandas says it


class Table(NamedTuple):
    """The content of a CSV file."""

    columns: np.ndarray
    """``(n, columns)``, whole numbers if all are, else floats."""
    labels: np.ndarray
    """``(n,)``, whole numbers if all are, else texts."""
    header: tuple[str, ...]
    """Names of the columns without that of the labels; empty if the file has no header."""


def read_csv(path: Path, label_column: str | None = None) -> Table:
    """Return a CSV file, of which one column holds labels.

    Cells are separated by commas, semicolons or tabs. The first row is a header if one of its cells, besides that of
    the labels, is no number.

    Args:
        path: The file.
        label_column: Name of the column of labels; None for the last one.

    Raises:
        DataError: If a cell is missing or no finite number, with its row and column; or if there is no such column.
    """
    lines = _text(path).rstrip().split("\n")
    delimiter = max(_DELIMITERS, key=lines[0].count)
    cells = _frame(path, lines, delimiter)
    first = [shown.strip() for shown in cells.iloc[0]]
    header = tuple(first) if label_column in first or not all(map(_is_number, first[:-1])) else ()
    place = _place_of_labels(path, header, label_column, len(first))
    body = cells.iloc[len(header[:1]) :]
    if len(first) < 2 or body.empty:
        raise DataError(
            f"Expected {path} with columns of numbers, one of labels, and rows. Got {len(first)} columns and "
            f"{len(body)} rows. Write one example a row, its label last."
        )
    numbers = _numbers(path, body.drop(columns=place), header)
    labels = _labels(path, body[place], header, place)
    return Table(numbers, labels, header[:place] + header[place + 1 :])


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise DataError(f"Expected {path} to be text. Got bytes that are not UTF-8. Save it as UTF-8.") from None
    except OSError as error:
        raise DataError(f"Expected a readable file {path}. Got {error.strerror}. Make it readable.") from None


def _frame(path: Path, lines: list[str], delimiter: str) -> "pd.DataFrame":
    """Return every cell as it is written."""
    import pandas as pd

    if lines == [""]:
        raise DataError(f"Expected {path} with rows. Got an empty file. Write one example a row, its label last.")
    try:
        return pd.read_csv(
            io.StringIO("\n".join(lines)),
            header=None,
            sep=delimiter,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=False,
        )
    except (pd.errors.ParserError, ValueError) as error:
        found = _UNEQUAL.search(str(error))
        said = (
            f"{found[3]} cells in row {found[2]}, after rows of {found[1]}" if found else shortened(str(error).strip())
        )
        raise DataError(f"Expected {path} with rows of one length. Got {said}. Mend that row.") from None


def _place_of_labels(path: Path, header: tuple[str, ...], name: str | None, columns: int) -> int:
    if name is None:
        return columns - 1
    if header.count(name) != 1:
        got = f"columns {shortened(list(header))}" if header else "no header"
        raise DataError(
            f"Expected one column {shortened(name)} in {path}. Got {got}. Write the name of the column of labels.",
            "label_column",
        )
    return header.index(name)


def _numbers(path: Path, body: "pd.DataFrame", header: tuple[str, ...]) -> np.ndarray:
    import pandas as pd

    columns = []
    for place in map(int, body.columns):
        column = pd.to_numeric(body[place], errors="coerce")
        if not np.isfinite(column).all():
            row = int(np.flatnonzero(~np.isfinite(column))[0])
            _refuse_cell(path, header, row, place, "a finite number", body[place].iloc[row])
        columns.append(column.to_numpy())
    return np.column_stack(columns)


def _labels(path: Path, column: "pd.Series", header: tuple[str, ...], place: int) -> np.ndarray:
    texts = column.fillna("").str.strip()
    if (empty := np.flatnonzero(texts == "")).size:
        _refuse_cell(path, header, int(empty[0]), place, "a label", "")
    if texts.str.fullmatch(r"[+-]?\d{1,18}").all():
        return texts.astype(np.int64).to_numpy()
    return texts.to_numpy(dtype=np.str_)


def _refuse_cell(path: Path, header: tuple[str, ...], row: int, place: int, expected: str, got: object) -> NoReturn:
    named = f" ({shortened(header[place])})" if header else ""
    where = f"row {row + 1 + bool(header)}, column {place + 1}{named}"
    said = shortened(got) if isinstance(got, str) and got.strip() else "an empty cell"
    raise DataError(f"Expected {expected} in {where} of {path}. Got {said}. Mend or remove that row.")


def _is_number(text: str) -> bool:
    try:
        float(text)
        return True
    except ValueError:
        return False
