"""Mistakes in a study file, as sentences."""

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from analogff.support.messages import did_you_mean, in_words

_PLAINER = {
    "a valid number": "a number",
    "a valid integer": "a whole number",
    "a valid string": "a text",
    "a valid boolean": "true or false",
    "a valid array": "a list",
    "a valid tuple": "a list",
    "a valid list": "a list",
    "a valid dictionary": "a table",
    "an object": "a table",
}


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A mistake in a study."""

    path: str
    """Path in the file, as in a sweep: ``device.read_noise``, ``rule.1.slope``."""
    expected: str
    """Expected value."""
    got: str
    """Actual value."""
    advice: str = ""
    """Advice, or the nearest valid name."""

    def __str__(self) -> str:
        path = self.path if self.path.isprintable() and self.path.strip() else shown(self.path)
        return f"{path}: Expected {self.expected}. Got {self.got}. {self.advice}".rstrip()


class StudyError(ValueError):
    """A study cannot be run.

    Args:
        mistakes: All of them.
    """

    def __init__(self, mistakes: Sequence[Mistake]):
        self.mistakes = tuple(dict.fromkeys(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def shown(value: Any) -> str:
    """Return a value as written in a file, shortened."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def unknown_name(path: str, what: str, name: str, names: Iterable[str]) -> Mistake:
    """Return the mistake of an unknown name."""
    listed = ", ".join(sorted(names))
    advice = did_you_mean(name, names, "Remove it." if listed else "It has none: remove it.")
    return Mistake(path, f"{what} ({listed})" if listed else what, shown(name), advice)


def from_pydantic(error: ValidationError, path: str = "", what: str = "", names: Iterable[str] = ()) -> list[Mistake]:
    """Translate pydantic's report.

    Args:
        error: The report.
        path: Path of the validated part in the file.
        what: Kind of the expected name: ``a field of a study``.
        names: The valid names.

    Returns:
        One mistake for each path; the alternatives of a union in one sentence.
    """
    places: dict[str, list[Any]] = {}
    for entry in error.errors():
        if entry["type"] == "default_factory_not_called":  # a default derived from another value, which is the mistake
            continue
        # Later strings name members of a union and are not part of the file's path.
        parts = [str(p) for n, p in enumerate(entry["loc"]) if isinstance(p, int) or (n == 0 and what)]
        places.setdefault(".".join([path, *parts] if path else parts), []).append(entry)
    # A list of invalid values also counts as too short, which adds nothing.
    outermost = [p for p in places if not any(other.startswith(f"{p}.") for other in places)]
    return [_translate(place, places[place], what, names) for place in outermost]


def _translate(place: str, entries: list[Any], what: str, names: Iterable[str]) -> Mistake:
    first = entries[0]
    if first["type"] == "extra_forbidden":
        return unknown_name(place, what, str(first["loc"][-1]), names)
    if first["type"] == "missing":
        return Mistake(place, "a value", "nothing", f"Add {place.rpartition('.')[2]}.")
    expected = " or ".join(dict.fromkeys(_expected(entry) for entry in entries))
    return Mistake(place, expected, shown(first["input"]), _nearest_choice(entries))


def _expected(entry: Any) -> str:
    message: str = entry["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if not message.startswith("Input should be "):
        message = message.replace("Tuple should have", "a list with").replace("String should have", "a text with")
        return message.replace(" after validation", "").split(", not")[0]
    said = message.removeprefix("Input should be ").split(", got")[0].split(", unable")[0]
    plain: str = _PLAINER.get(said, said)
    return f"a number {plain}" if plain.startswith(("greater", "less")) else plain.replace("None", "nothing")


def _nearest_choice(entries: list[Any]) -> str:
    for entry in entries:
        if entry["type"] == "literal_error" and isinstance(entry["input"], str):
            choices = [part.strip().strip("'") for part in entry["ctx"]["expected"].replace(" or ", ",").split(",")]
            return did_you_mean(entry["input"], choices, "Take one of them.")
    return ""


def of_plug_in(error: BaseException, path: str, expected: str, advice: str = "Mend it.") -> Mistake:
    """Return the mistake of plug-in code: its own three clauses, or else its exception with the place.

    Args:
        error: Its exception; also an exit, which would end the command silently.
        path: Path of that code in the file.
        expected: Its expected behavior.
        advice: Advice if its message has none.

    Raises:
        KeyboardInterrupt: If a user interrupted it.
    """
    if isinstance(error, KeyboardInterrupt):
        raise error
    text = str(error)
    if isinstance(error, ValueError) and text.startswith("Expected ") and ". Got " in text:
        return in_clauses(path, text)
    return Mistake(path, expected, in_words(error), advice)


def in_clauses(path: str, text: str) -> Mistake:
    """Split an error ``Expected ... Got ... Do this.`` into its three clauses."""
    expected, _, rest = text.removeprefix("Expected ").partition(". Got ")
    got, _, advice = rest.partition(". ")
    return Mistake(path, expected, got.rstrip("."), advice)
