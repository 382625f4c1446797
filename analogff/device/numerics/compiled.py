"""How loops over numbers are compiled, for both sides of the door."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numba
from numba.core import config


def compiled(function):
    """Compile with a cache on disk where there is a place for one."""
    try:
        with _cached_in(_folder(_source_of(Path(function.__code__.co_filename)))):
            return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no such place can be written
        return numba.njit(nogil=True, error_model="numpy")(function)


@cache
def _folder(source: Path) -> Path:
    """Return a folder for what is compiled of a file or package as it stands.

    numba notices a change of the file that a function is in, and not of one that the function calls into. A name made
    of the whole source notices both.
    """
    written = hashlib.sha256()
    for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
        written.update(file.read_bytes())
    there = source if source.is_dir() else source.parent
    within = there / "__pycache__" if os.access(there, os.W_OK) else Path.home() / ".cache" / "analogff"
    return Path(config.CACHE_DIR or within) / f"{source.stem}-{written.hexdigest()[:16]}"  # type: ignore[attr-defined]


def _source_of(file: Path) -> Path:
    """Return the folder of the outermost package that a file is in; the file if it is in none."""
    source = file
    while (source.parent / "__init__.py").exists():
        source = source.parent
    return source


@contextmanager
def _cached_in(folder: Path) -> Iterator[None]:
    """Have numba keep there what it compiles; it looks when a function is decorated."""
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]
