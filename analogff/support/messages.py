"""Messages: nearest valid names, and exceptions without a traceback."""

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar of some names, or None if none is similar.

    Example:
        >>> nearest("read_nose", ["adc_bits", "read_noise"])
        'read_noise'
    """
    found = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.5)
    return found[0] if found else None


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Return advice with the nearest valid name, if there is one."""
    found = nearest(name, names)
    return f"Did you mean {found}?" if found else otherwise


def in_words(error: BaseException) -> str:
    """Return an exception as ``ValueError: text (file.py, line 7)``."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    named = f"{type(error).__name__}: {text}" if text else type(error).__name__
    place = where_raised(error)
    return f"{named} ({place})" if place else named


def where_raised(error: BaseException) -> str:
    """Return ``file.py, line 7`` of the innermost frame of an exception, or of the place that failed to parse.

    Frames of the import machinery are skipped. Empty if no other frame is left.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_import(f.filename)]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _is_import(filename: str) -> bool:
    ours = {Path(__file__).with_name("process_state.py"), Path(__file__).parent.with_name("catalog") / "names.py"}
    return "importlib" in filename or Path(filename) in ours
