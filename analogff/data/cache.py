"""Decoded data sets on the user's disk. Whatever is there may be removed at any time; what cannot be kept is not."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analogff.support.atomic import replacing

MOST_BYTES = 10 * 2**30
"""Greatest size of all kept files; those that were not used for longest go first."""


def arrays(key: str, names: Sequence[str]) -> dict[str, np.ndarray] | None:
    """Return kept arrays; None if there are none, or if the file is damaged."""
    if (folder := _folder()) is None:
        return None
    path = folder / f"{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            found = {name: kept[name] for name in names}
        os.utime(path)
        return found
    except Exception:  # zipfile and NumPy raise many exceptions on damaged bytes
        return None


def keep_arrays(key: str, kept: Mapping[str, np.ndarray]) -> None:
    """Keep arrays, and remove others if the folder becomes too large."""
    if (folder := _made()) is None:
        return
    with contextlib.suppress(OSError), replacing(folder / f"{key}.npz") as path, path.open("wb") as file:
        np.savez(file, **kept)  # type: ignore[arg-type] (of fields of ours, none of its own)
    _make_room(folder)


def text(key: str) -> str | None:
    """Return a kept text; None if there is none."""
    try:
        return (folder / f"{key}.txt").read_text() or None if (folder := _folder()) else None
    except (OSError, UnicodeDecodeError):
        return None


def keep_text(key: str, kept: str) -> None:
    """Keep a short text."""
    if (folder := _made()) is not None:
        with contextlib.suppress(OSError), replacing(folder / f"{key}.txt") as path:
            path.write_text(kept)


def _folder() -> Path | None:
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "analogff" / "data"
    except RuntimeError:  # nobody's home
        return None


def _made() -> Path | None:
    folder = _folder()
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OSError:
        return None


def _make_room(folder: Path) -> None:
    with contextlib.suppress(OSError):
        kept = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in kept:
            total += path.stat().st_size
            if total > MOST_BYTES:
                path.unlink()
