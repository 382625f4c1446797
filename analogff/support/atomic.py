"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a file to write, hidden beside ``path``, which takes its place at the end; nothing is left if that raises.

    What a killed process leaves ends in ``.tmp``, so that no reader of a folder takes it for what it was to be.
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
    """Remove what killed processes left of files so called (as for `Path.glob`), where nobody else writes now."""
    for left in folder.glob(f".{names}-[0-9]*.tmp"):
        left.unlink()
