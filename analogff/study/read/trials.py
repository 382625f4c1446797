"""The trials of a tuning: settings of each rule from its search space, known before any of them runs."""

import contextlib
import dataclasses
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analogff.catalog import resolve_rule
from analogff.learning.rule import Rule
from analogff.learning.search_space import Range
from analogff.study.case import Case, RuleChoice
from analogff.study.read.document import MAX_RUNS
from analogff.study.read.tune import Tune
from analogff.study.settings import Settings
from analogff.support.mistakes import Mistake, StudyError, of_plug_in


@dataclasses.dataclass(frozen=True)
class Trial:
    """One setting of a rule's options."""

    options: dict[str, Any]
    """The tuned options."""
    case: Case
    """What is run: on other chips, at one point."""


@dataclasses.dataclass(frozen=True)
class Search:
    """The search of options that some cases share."""

    space: dict[str, Range]
    """The tuned options."""
    trials: tuple[Trial, ...]
    """The first has the options as written."""
    cases: tuple[int, ...]
    """Positions of the cases in the study; the trials are at the point of the first."""


@dataclasses.dataclass(frozen=True)
class Tuning:
    """The choice of options before a study."""

    tune: Tune
    """The table of the study."""
    searches: tuple[Search, ...]
    """One for each rule and, if asked for, point."""


def plan_tuning(cases: Sequence[Case], tune: Tune, folder: Path) -> Tuning:
    """Return the trials of a study.

    Options that are written in a rule's table or swept stay as they are. A rule of which nothing is left is not tuned.

    Args:
        cases: The cases of the study.
        tune: Its table ``[tune]``.
        folder: The study file's folder.

    Raises:
        StudyError: If rules cannot be tuned, or there are too many runs.
    """
    mistakes: list[Mistake] = []
    spaces: dict[tuple[int, ...], dict[str, Range]] = {}
    for members in _who_share(cases, tune):
        with _told(mistakes, cases[members[0]].rule):
            spaces[members] = _space(cases[members[0]].rule, folder)
    tuned = {members: space for members, space in spaces.items() if space}
    _refuse_number([cases[n] for n, *_ in tuned], tune, mistakes)
    settings = {id(cases[n].settings): tune.of_trial(cases[n].settings) for n, *_ in tuned}
    searches = []
    for members, space in tuned.items():
        case = cases[members[0]]
        with _told(mistakes, case.rule):
            trials = _trials(case, settings[id(case.settings)], space, tune, folder)
            searches.append(Search(space, trials, members))
    if mistakes:
        raise StudyError(mistakes)
    return Tuning(tune, tuple(searches))


def shares(dimensions: int, count: int, seed: int) -> np.ndarray:
    """Return points of the unit cube that fill it evenly, ``(count, dimensions)``; more begin with the same ones."""
    from scipy.stats import qmc

    if not count:
        return np.empty((0, dimensions))
    sampler = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    return sampler.random_base2(math.ceil(math.log2(count)))[:count]


def _who_share(cases: Sequence[Case], tune: Tune) -> list[tuple[int, ...]]:
    """Return the positions of cases that share a choice."""
    members: dict[str, list[int]] = {}
    for n, case in enumerate(cases):
        rule = case.rule
        given = [rule.name, rule.label, rule.written, rule.options, n if tune.points == "each" else 0]
        members.setdefault(json.dumps(given, sort_keys=True, default=str), []).append(n)
    return [tuple(those) for those in members.values()]


@contextlib.contextmanager
def _told(mistakes: list[Mistake], rule: RuleChoice) -> Iterator[None]:
    """Add what a rule raises to some mistakes."""
    try:
        yield
    except BaseException as error:
        mistakes.append(of_plug_in(error, "rule", f"{rule.name} to say what can be tuned"))


def _refuse_number(tuned: list[Case], tune: Tune, mistakes: Sequence[Mistake]) -> None:
    """Refuse no trials, unless they lack by other mistakes, and too many."""
    if not tuned and not mistakes:
        expected, got = "at least one rule with an option to tune", "rules whose options are all written or swept"
        advice = "Leave options out of the [[rule]] tables, or remove [tune]."
        raise StudyError([Mistake("tune", expected, got, advice)])
    runs = tune.trials * sum(len(tune.chip_seeds(case.settings)) for case in tuned)
    if runs > MAX_RUNS:
        advice = "Take fewer trials, chips or points."
        raise StudyError([Mistake("tune", f"at most {MAX_RUNS:,} runs", f"{runs:,}", advice)])


def _space(rule: RuleChoice, folder: Path) -> dict[str, Range]:
    """Return what may be tuned of a rule, without what is written."""
    model: type[Rule] = resolve_rule(rule.name, folder)
    space = model.search_space(model.Options(**rule.options))
    wrong = [name for name, values in space.items() if name not in rule.options or not isinstance(values, Range)]
    if wrong:
        raise ValueError(
            f"Expected search_space to give a Range for each of some options of {rule.name}. Got {', '.join(wrong)}. "
            "Return {} to have nothing tuned."
        )
    return {name: values for name, values in space.items() if name not in rule.written}


def _trials(case: Case, settings: Settings, space: dict[str, Range], tune: Tune, folder: Path) -> tuple[Trial, ...]:
    written = {name: case.rule.options[name] for name in space}
    drawn = [
        {name: values.value(float(share)) for (name, values), share in zip(space.items(), point, strict=True)}
        for point in shares(len(space), tune.trials - 1, tune.seed)
    ]
    rules = [case.rule, *(_with(case.rule, options, folder) for options in drawn)]
    return tuple(
        Trial(options, Case(settings, case.devices, rule, {"trial": n} | case.values, trial=True))
        for n, (options, rule) in enumerate(zip([written, *drawn], rules, strict=True))
    )


def _with(rule: RuleChoice, tuned: dict[str, Any], folder: Path) -> RuleChoice:
    """Return a rule with some options, as if they were written in its table."""
    model: type[Rule] = resolve_rule(rule.name, folder)
    before = model.Options(**rule.options)
    options = model.Options.model_validate_json(json.dumps(rule.options | tuned), strict=True)
    if (model.needs(options), model.programs(options)) != (model.needs(before), model.programs(before)):
        raise ValueError(
            f"Expected search_space of {rule.name} to leave what it must see and program. Got {tuned}, which changes "
            "it. Take the option out."
        )
    return dataclasses.replace(rule, options=options.model_dump(mode="json"))
