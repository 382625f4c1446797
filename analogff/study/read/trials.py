"""The trials of a tuning: settings of each rule from its search space, known before any of them runs."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analogff.catalog import resolve_rule
from analogff.learning.rule import Rule
from analogff.learning.search_space import Range
from analogff.study.case import Case, RuleChoice, Settings
from analogff.study.read.document import MAX_RUNS
from analogff.study.read.tune import Tune
from analogff.support.mistakes import Mistake, StudyError, of_plug_in

NONE_LEFT = "at least one rule with an option to tune"


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
    members: dict[str, list[int]] = {}
    for n, case in enumerate(cases):
        members.setdefault(_who_shares(case) + (f" {n}" if tune.points == "each" else ""), []).append(n)
    settings = {id(case.settings): tune.of_trial(case.settings) for case in cases}
    searches, mistakes = [], []
    for those in members.values():
        case = cases[those[0]]
        try:
            space = _space(case.rule, folder)
            trials = _trials(case, settings[id(case.settings)], space, tune, folder) if space else ()
        except BaseException as error:
            mistakes.append(of_plug_in(error, "rule", f"{case.rule.name} to say what can be tuned"))
            continue
        if space:
            searches.append(Search(space, trials, tuple(those)))
    if not searches and not mistakes:
        advice = "Leave options out of the [[rule]] tables, or remove [tune]."
        mistakes.append(Mistake("tune", NONE_LEFT, "rules whose options are all written or swept", advice))
    runs = sum(len(trial.case.settings.chips) for search in searches for trial in search.trials)
    if runs > MAX_RUNS:
        mistakes.append(
            Mistake("tune", f"at most {MAX_RUNS:,} runs", f"{runs:,}", "Take fewer trials, chips or points.")
        )
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


def _who_shares(case: Case) -> str:
    rule = case.rule
    return json.dumps([rule.name, rule.label, rule.written, rule.options], sort_keys=True, default=str)


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
        Trial(options, Case(settings, case.devices, rule, {"trial": n} | case.values))
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
