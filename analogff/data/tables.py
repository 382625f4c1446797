"""Data sets of CSV tables: two files, or one of which a fifth is held apart."""

import functools
import hashlib
import os
from pathlib import Path

import numpy as np

from analogff.data.errors import DataError, shortened
from analogff.data.raw import Raw
from analogff.data.table_files import Table, read_csv
from analogff.support.fingerprints import sum_of_file

CSV_FILES = ("train.csv", "test.csv")
_TEST_SHARE = 0.2


def table_files(folder: Path) -> tuple[Path, ...]:
    """Return the two CSV files of a folder; empty if one is missing."""
    files = tuple(folder / name for name in CSV_FILES)
    return files if all(map(os.path.isfile, files)) else ()


def sum_of_tables(files: tuple[Path, ...]) -> str:
    """Return the checksum of some files.

    Raises:
        DataError: If one cannot be read.
    """
    try:
        return hashlib.sha256("".join(map(sum_of_file, files)).encode()).hexdigest()
    except OSError as error:
        raise DataError(f"Expected a readable file {error.filename}. Got {error.strerror}. Make it readable.") from None


@functools.lru_cache(maxsize=4)
def read_tables(files: tuple[Path, ...], _state: str, label_column: str | None) -> Raw:
    """Return CSV tables as arrays.

    Args:
        files: Those of training and test; or one, of which a fixed fifth of each class is the test set.
        _state: Their `sum_of_tables`, so that edited files are read again.
        label_column: Name of the column of labels; None for the last one.

    Raises:
        DataError: If a file cannot be read, or the two have other columns.
    """
    first, *others = [read_csv(file, label_column) for file in files]
    if not others:
        return _divided(files[0], first)
    second = others[0]
    if first.header != second.header or first.columns.shape[1] != second.columns.shape[1]:
        raise DataError(
            f"Expected {files[1]} with the columns of {files[0].name}. Got {_listed(second)} for {_listed(first)}. "
            "Write both with the same columns."
        )
    dtype = np.result_type(first.labels, second.labels) if _alike(first, second) else np.str_
    labels = [table.labels.astype(dtype) for table in (first, second)]
    return Raw(first.columns, labels[0], second.columns, labels[1])


def _divided(file: Path, table: Table) -> Raw:
    """Return a table with a fixed fifth of each class as the test set."""
    from sklearn.model_selection import train_test_split

    labels = table.labels
    values, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        rare = shortened(str(values[counts.argmin()]))
        raise DataError(
            f"Expected at least two rows of each label in {file}. Got {rare} in one. Correct it, or write "
            "train.csv and test.csv into a folder."
        )
    apart = train_test_split(
        table.columns, labels, test_size=max(_TEST_SHARE, len(values) / len(labels)), stratify=labels, random_state=0
    )
    train, test, train_labels, test_labels = map(np.asarray, apart)
    return Raw(train, train_labels, test, test_labels)


def _alike(first: Table, second: Table) -> bool:
    return (first.labels.dtype.kind == "U") == (second.labels.dtype.kind == "U")


def _listed(table: Table) -> str:
    return shortened(list(table.header)) if table.header else f"{table.columns.shape[1]} columns without a header"
