"""A study file as plain data. Refuses what no study contains: too large, too deep, not a number."""

import math
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from analogff.support.mistakes import Mistake, StudyError, shown

Document = dict[str, Any]
"""A table of TOML: texts, numbers, truth values, and lists and tables of them, until they are validated."""
MAX_BYTES = 10 * 2**20
"""Greatest size of a study file."""
MAX_DEPTH = 16
"""Greatest nesting of tables and lists; a study that sweeps whole devices has six levels."""
MAX_WHOLE = 2**53
"""Greatest whole number up to which doubles are exact, so that tables hold the written number."""
MAX_RUNS = 100_000
"""Greatest number of runs of a study, and of its chips."""
MAX_WIDTH = 1_000_000
"""Greatest width of a layer."""
MAX_TEXT = 1000
"""Greatest length of a text or a name, in characters."""
_MAX_KEY_PARTS = 200  # the time of tomllib grows with its square
_SEEDS = ("chips", "seeds")  # lists with other bounds


def read_document(path: Path) -> Document:
    """Return a TOML file as plain data.

    Raises:
        StudyError: If it cannot be read, or holds something that no study can.
    """
    document = _parse(path, _text(path))
    if mistakes := list(unusable(document)):
        raise StudyError(mistakes)
    return document


def unusable(document: Document) -> Iterator[Mistake]:
    """Yield a mistake for each part of a document that is invalid for every field, option and parameter."""
    left: list[tuple[str, Any, int]] = [("", document, 0)]
    while left:
        path, value, depth = left.pop()
        if not isinstance(value, (dict, list)):
            yield from _unusable_value(path, value)
            continue
        if depth == MAX_DEPTH:
            advice = "Write tables and lists as the documentation shows them."
            yield Mistake(_short(path), f"at most {MAX_DEPTH} tables and lists within each other", "more", advice)
            continue
        for key, part in reversed(list(value.items() if isinstance(value, dict) else enumerate(value))):
            left.append((_short(f"{path}.{key}" if path else str(key)), part, depth + 1))


def parse_settings(texts: Iterable[str]) -> Document:
    """Return the values of several ``path=value`` by path.

    Raises:
        StudyError: If one has no equals sign, or a path is given twice.
    """
    given: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for text in texts:
        try:
            path, value = parse_setting(text)
        except StudyError as error:
            mistakes += error.mistakes
            continue
        if path in given:
            got = f"{shown(given[path])} and {shown(value)}"
            mistakes.append(Mistake(path, "one --set", got, "Remove one."))
        given[path] = value
    if mistakes:
        raise StudyError(mistakes)
    return given


def parse_setting(text: str) -> tuple[str, Any]:
    """Return path and value of ``path=value``; the value is TOML, otherwise a text.

    Raises:
        StudyError: If there is no equals sign.
    """
    path, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not path:
        raise StudyError([Mistake("--set", "path=value", shown(text), "Write --set device.read_noise=0.1.")])
    try:
        return path, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return path, value


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)  # some files have no end
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*.toml")) if path.parent.is_dir() else []
        advice = f"There is {', '.join(near[:5])}." if near else "Give the path of a TOML file."
        raise StudyError([Mistake(str(path), "a study file", "no such file", advice)]) from None
    except (OSError, ValueError) as error:
        got = "a folder" if isinstance(error, IsADirectoryError) else str(getattr(error, "strerror", None) or error)
        advice = "Give the path of a TOML file."
        raise StudyError([Mistake(_short(str(path)), "a file that can be read", got, advice)]) from None
    if len(content) > MAX_BYTES:
        got, advice = f"more than {MAX_BYTES // 2**20} MB", "Sweep fewer values, or split the study."
        raise StudyError([Mistake(str(path), f"at most {MAX_BYTES // 2**20} MB of TOML", got, advice)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StudyError([Mistake(str(path), "a TOML file", "bytes that are not text", "Save it as UTF-8.")]) from None


def _parse(path: Path, text: str) -> Document:
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.count(".") > _MAX_KEY_PARTS and max(map(_dots, re.split(r"[,={\[]", line))) > _MAX_KEY_PARTS:
            raise StudyError([_too_deep(path, number)])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        got, advice = _short(f"{str(error)[:1].lower()}{str(error)[1:]}"), _advice(lines, error)
        raise StudyError([Mistake(str(path), "valid TOML", got, advice)]) from None
    except RecursionError:
        deepest = max(range(len(lines)), key=lambda n: lines[n].count("[") + lines[n].count("{"))
        raise StudyError([_too_deep(path, deepest + 1)]) from None
    except ValueError:  # Python refuses whole numbers of more than 4300 digits
        longest = max(range(len(lines)), key=lambda n: max(map(len, re.findall(r"[\d_]+", lines[n])), default=0))
        got = f"one of thousands of digits (at line {longest + 1})"
        raise StudyError([Mistake(str(path), "numbers that can be read", got, "Mend that line.")]) from None


def _advice(lines: list[str], error: tomllib.TOMLDecodeError) -> str:
    """Return how to mend a line of TOML: texts need quotes."""
    place = re.search(r"at line (\d+)", str(error))
    line = lines[int(place[1]) - 1] if place else ""
    if bare := re.fullmatch(r"\s*([\w.\"-]+)\s*=\s*([A-Za-z][\w ./:-]*?)\s*(#.*)?", line):
        return f'Write texts in quotes: {bare[1]} = "{bare[2]}".'
    return "Mend that line."


def _too_deep(path: Path, line: int) -> Mistake:
    expected = f"at most {MAX_DEPTH} tables and lists within each other"
    return Mistake(str(path), expected, f"far more (at line {line})", "Mend that line.")


def _unusable_value(path: str, value: object) -> Iterator[Mistake]:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            got = f"{len(value):,} that start with {shown(value[:40])}"
            yield Mistake(path, f"at most {MAX_TEXT:,} characters", got, "Shorten it.")
        elif "\0" in value:
            yield Mistake(path, "a text without null characters", shown(value), r"Remove \u0000.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield Mistake(path, "a finite number", shown(value), "Write a number.")
    elif isinstance(value, int):
        most = _most(path)
        if most is not None and abs(value) > most:
            yield Mistake(path, f"a whole number of at most {most:,}", shown(value), "Write a smaller one.")
    else:
        advice = "Put it in quotes if it is a text."
        yield Mistake(path, "a text, a number, a list or a table", f"the date or time {value}", advice)


def _most(path: str) -> int | None:
    """Return the largest whole number allowed at a path; None for a seed, which has no bound here."""
    head, *rest = path.removeprefix("sweep.").split(".")
    if head in _SEEDS and rest:
        return None
    return {"chips": MAX_RUNS, "layers": MAX_WIDTH}.get(head, MAX_WHOLE)


def _dots(text: str) -> int:
    return text.count(".")


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."
