"""Tuning: a sub-study of trials, and the choice that the study itself runs with."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analogff.study.case import Case
from analogff.study.read.controls import controls_of
from analogff.study.read.spec import Study
from analogff.study.read.trials import Search, Tuning
from analogff.study.read.validation import Validator
from analogff.study.results.choice import FOLDER, write_choice
from analogff.study.results.names import plain_labels
from analogff.study.results.store import load_results
from analogff.study.results.summary import last_epochs
from analogff.study.run.plan import first_alike, plan_runs
from analogff.study.task import column_value

LOST = 100.0
"""Validation error in percent that a diverged run counts as."""


def trial_study(study: Study, tuning: Tuning) -> Study:
    """Return the trials of a study as a study of their own; trials with equal numbers are run once."""
    cases = [trial.case for search in tuning.searches for trial in search.trials]
    axes = {"trial": list(range(tuning.tune.trials))} | study.axes
    alike = {id(case): case for case in first_alike(cases).values()}
    return dataclasses.replace(study, name=f"{study.name}, tuning", axes=axes, cases=tuple(alike.values()), tuning=None)


def explain(trials: Study, tuning: Tuning) -> str:
    """Return a sentence on the trials."""
    count = sum(len(search.trials) for search in tuning.searches)
    tuned = f"{len(tuning.searches)} rules" if tuning.tune.points == "first" else f"{len(tuning.searches)} points"
    chips = len(trials.cases[0].settings.chips)
    return f"Tuning: {count} trials of {tuned} on {chips} other chips, by the error on validation images."


def with_choice(study: Study, tuning: Tuning, folder: Path) -> Study:
    r"""Return a study with the best options of its trials, and write ``choice.json``.

    .. math:: o^* = \arg\min_o \frac1n \sum_c e_c(o)

    with ``e`` the validation error at the last epoch in percent, 100 for a chip that diverged. Of equals the first is
    chosen, so that the options as written stay unless others are better. Controls take the options of their rule.

    Args:
        study: The study.
        tuning: Its trials.
        folder: Folder of its results, with those of the trials.
    """
    cases = [case for case in study.cases if not case.control]
    names = _labels(cases, study, tuning)
    errors = _Errors(study, tuning, folder / FOLDER)
    given = []
    for search in tuning.searches:
        tried: list[dict[str, Any]] = [{"options": trial.options} | errors.of(trial.case) for trial in search.trials]
        best = min(range(len(tried)), key=lambda n, tried=tried: tried[n]["validation_error"])
        for n in search.cases:
            rule = search.trials[best].case.rule
            cases[n] = dataclasses.replace(cases[n], rule=dataclasses.replace(rule, label=names[n]))
        given.append(_entry(search, cases[search.cases[0]], names[search.cases[0]], tried, best))
    write_choice(folder, {"tune": tuning.tune.model_dump(mode="json"), "rules": given})
    controls = controls_of(cases, Validator(study.folder)) if cases[0].settings.controls else ()
    return dataclasses.replace(study, cases=(*cases, *controls), tuning=None)


class _Errors:
    """Validation errors of trials."""

    def __init__(self, study: Study, tuning: Tuning, folder: Path):
        every = [trial.case for search in tuning.searches for trial in search.trials]
        self._alike = first_alike(every)
        runs = plan_runs(trial_study(study, tuning))
        self._runs = {id(run.case): [r.key for r in runs if r.case is run.case] for run in runs}
        last = last_epochs(load_results(folder)).set_index("run")
        errors = last["validation_error"].mask(last["diverged"].astype(bool)).fillna(LOST)
        self._errors, self._diverged = errors, last["diverged"]

    def of(self, case: Case) -> dict[str, Any]:
        """Return what is known of a trial."""
        runs = self._runs[id(self._alike[id(case)])]
        error = float(np.mean([self._errors[run] for run in runs]))
        return {"validation_error": error, "diverged": int(self._diverged[runs].sum()), "runs": runs}


def _entry(search: Search, case: Case, name: str, tried: list[dict[str, Any]], best: int) -> dict[str, Any]:
    options = search.trials[best].options
    return {
        "rule": case.rule.name,
        "label": name,
        "at": {path: column_value(value) for path, value in case.values.items() if value is not None},
        "space": {option: str(values) for option, values in search.space.items()},
        "chosen": best,
        "options": options,
        "shares": {option: values.share(options[option]) for option, values in search.space.items()},
        "trials": tried,
    }


def _labels(cases: Sequence[Case], study: Study, tuning: Tuning) -> list[str]:
    """Return a label for each case: by what the file tells of its rule, since tuned options may differ by point."""
    rows = [dict(case.labels) for case in cases]
    for search in tuning.searches:
        for n in search.cases:
            rows[n] |= {f"rule.{option}": "tuned" for option in search.space}
    frame = pd.DataFrame(rows)
    late = frame.columns[(frame == "tuned").any()]  # so that other options tell rules apart where they can
    return plain_labels(frame[[*frame.columns.difference(late, sort=False), *late]], list(study.axes))
