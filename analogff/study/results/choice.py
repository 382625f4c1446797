"""The choice of a tuning on disk, and in words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analogff.study.results.names import value_label
from analogff.support.atomic import replacing
from analogff.support.mistakes import shown

FOLDER = "tuning"
"""Subfolder of the results with those of the trials, and the choice."""
_NAME = "choice.json"
_END = 0.05  # share of a range that counts as its end


def write_choice(folder: Path, choice: dict[str, Any]) -> None:
    """Write a choice atomically.

    Args:
        folder: Folder of the study's results.
        choice: The table ``[tune]`` as ``tune``; a list of ``rules``, each with its trials and the chosen one.
    """
    with replacing(folder / FOLDER / _NAME) as temporary:
        temporary.write_text(json.dumps(choice, indent=1, default=str) + "\n", encoding="utf-8")


def read_choice(folder: Path) -> dict[str, Any] | None:
    """Return the choice in a folder of results; None if there is none."""
    path = folder / FOLDER / _NAME
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def describe_choice(choice: dict[str, Any]) -> Iterator[str]:
    """Yield a line for the chosen options of each rule with their errors, and one for each that lies at an end."""
    at = " at the first swept point" * (choice["tune"]["points"] == "first" and any(r["at"] for r in choice["rules"]))
    yield f"Chosen by the mean error on validation images of other chips{at}:"
    each = choice["tune"]["points"] == "each"
    for rule in choice["rules"]:
        best, first = rule["trials"][rule["chosen"]], rule["trials"][0]
        options = ", ".join(f"{name} = {shown(value)}{_place(rule, name)}" for name, value in rule["options"].items())
        given = f"{best['validation_error']:.2f} %"
        given += f", {first['validation_error']:.2f} % as written" if rule["chosen"] else ", the options as written"
        yield f"  {_who(rule, each)}: {options}: {given}, best of {len(rule['trials'])} trials."
    for rule in choice["rules"]:
        for name, share in rule["shares"].items():
            if share is not None and not _END <= share <= 1 - _END:
                yield (
                    f"{_who(rule, each)}: {name} = {shown(rule['options'][name])} lies at an end of its range "
                    f"({rule['space'][name]}). A better one may lie beyond: write or sweep it."
                )


def _who(rule: dict[str, Any], each: bool) -> str:
    at = ", ".join(value_label(path, value) for path, value in rule["at"].items() if path.split(".")[0] != "rule")
    return f"{rule['label']} ({at})" if at and each else rule["label"]


def _place(rule: dict[str, Any], name: str) -> str:
    share = rule["shares"][name]
    return f" ({rule['space'][name]})" if share is None else f" ({100 * share:.0f} % of {rule['space'][name]})"
