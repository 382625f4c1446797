"""Atomic files: complete or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a hidden file beside ``path``, which replaces it at the end and is removed on an error.

    Leftovers of a killed process end in ``.tmp``, so no reader of the folder mistakes them for results.
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_half_done(folder: Path, names: str) -> None:
    """Remove leftovers of killed processes by their pattern (as for `Path.glob`); no other process may be writing."""
    for left in folder.glob(f".{names}-[0-9]*.tmp"):
        left.unlink()
