"""Messages: nearest valid names, and exceptions without a traceback."""

import difflib
import re
import traceback
from collections.abc import Iterable
from pathlib import Path

_SYNONYMS = {"gpu": "cuda", "mean": "average", "bp": "backprop"}
_ALIKE, _ALIKE_IN_SHORT = 0.6, 0.5  # below it the nearest name is another word


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is meant: a synonym, the initials, the one with all words of it, or the most similar one.

    Example:
        >>> nearest("read_nose", ["adc_bits", "read_noise"])
        'read_noise'
        >>> nearest("FF", ["ffzero", "forward-forward"]), nearest("joules", ["pulses", "system_joules"])
        ('forward-forward', 'system_joules')
        >>> nearest("kernel", ["dense", "device"]) is None
        True
    """
    known = list(names)
    for alike in (_is_synonym, _has_its_words, _has_its_initials, _shares_all_words):
        meant = [other for other in known if alike(name.lower(), other)]
        if len(meant) == 1:
            return meant[0]
    in_small = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), in_small, n=1, cutoff=_ALIKE if len(name) > 2 else _ALIKE_IN_SHORT)
    return in_small[found[0]] if found else None


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.lower())


def _is_synonym(name: str, other: str) -> bool:
    return _SYNONYMS.get(name) == other


def _has_its_words(name: str, other: str) -> bool:
    return _words(name) == _words(other) != []


def _has_its_initials(name: str, other: str) -> bool:
    words = _words(other)
    return len(words) > 1 and name == "".join(word[0] for word in words)


def _shares_all_words(name: str, other: str) -> bool:
    ours, theirs = {*_words(name)}, {*_words(other)}
    return bool(ours and theirs) and (ours <= theirs or theirs <= ours)


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
