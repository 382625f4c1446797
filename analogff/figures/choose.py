"""The table ``[figure]``, applied: which lines, in which order, by which name and in which color."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analogff.study.read.figure import FigureChoice, choice_of, unknown_names
from analogff.study.results.names import BOUND, is_bound, is_control
from analogff.support.mistakes import Mistake, StudyError, shown


def chosen(
    manifest: Mapping[str, Any], changes: Mapping[str, Any] | None, labels: pd.Series, swept: Sequence[str]
) -> FigureChoice:
    """Return what is shown: the table of the study, with changes.

    Raises:
        StudyError: If a change has a mistake, or names no rule or axis of the results.
    """
    choice = choice_of(manifest["study"].get("figure") or {}, changes)
    if mistakes := unknown_names(choice, list(labels.unique()), swept):
        raise StudyError(mistakes)
    return choice


def select(variants: Sequence[str], choice: FigureChoice) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names of the chosen variants in the chosen order, by their labels; and the colors by these names.

    Raises:
        StudyError: If two of them would have one name.
    """
    kept = [_whole(line, variants) for line in choice.lines] or list(variants)
    given = {_whole(label, variants): name for label, name in choice.labels.items()}
    names = {variant: _marked(given.get(variant, variant), variant) for variant in kept}
    listed = list(names.values())
    if twice := [name for n, name in enumerate(listed) if name in listed[:n]]:
        raise StudyError([Mistake("figure.labels", "different names", f"{shown(twice[0])} twice", "Change one.")])
    chosen_colors = {_whole(label, variants): color for label, color in choice.colors.items()}
    return names, {names[variant]: color for variant, color in chosen_colors.items() if variant in names}


def _whole(name: str, variants: Sequence[str]) -> str:
    """Return a variant's label from one that may lack the mark of a bound."""
    return name if name in variants else f"{name} {BOUND}"


def _marked(name: str, variant: str) -> str:
    """Return another name of a variant, which is marked as the variant is."""
    if is_bound(variant) and not is_bound(name):
        return f"{name} {BOUND}"
    if is_control(variant) and not is_control(name):
        return f"{name} (control: {variant.rpartition('(control: ')[2]}"
    return name
