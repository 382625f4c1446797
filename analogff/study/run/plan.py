"""From a study to its runs and their keys."""

import hashlib
import json
from typing import Any

from analogff.study.case import Case, DeviceChoice
from analogff.study.origin import engine, known
from analogff.study.read.spec import Study
from analogff.study.task import Run
from analogff.support.mistakes import Mistake, StudyError


def plan_runs(study: Study) -> tuple[Run, ...]:
    """Return every run of a study: each case, with each learning seed, on each chip.

    Raises:
        StudyError: If two of them are the same run, since a row belongs to one run.
    """
    runs = [
        Run(_key(decisive, chip, seed), case, chip, seed, origin)
        for case, decisive, origin in ((case, _numbers_of(case, study), _origin(case, study)) for case in study.cases)
        for seed in case.settings.seeds
        for chip in case.settings.chips
    ]
    first: dict[str, Run] = {}
    for run in runs:
        if first.setdefault(run.key, run) is not run:
            raise StudyError([_same_run(first[run.key], run)])
    return tuple(runs)


def _same_run(first: Run, second: Run) -> Mistake:
    path = "rule" if first.case.values == second.case.values else "sweep"
    advice = "Remove one of the [[rule]] tables or swept values that mean the same."
    return Mistake(path, "runs that differ", f"the same run twice, as ({first}) and ({second})", advice)


def _key(decisive: str, chip: int, seed: int) -> str:
    return hashlib.sha256(f"{decisive} {chip} {seed}".encode()).hexdigest()[:20]


def _numbers_of(case: Case, study: Study) -> str:
    """Return everything that decides a case's numbers, and nothing else (such as its name)."""
    return f"{_written(case, lambda device: device.parameters)} {study.shapes[case.settings.data].fingerprint}"


def _origin(case: Case, study: Study) -> dict[str, str]:
    return known(case, study.shapes[case.settings.data].fingerprint)


def bank_key(case: Case) -> str:
    """Return the common settings of the runs of a bank."""
    return _written(case, _common)


def _common(device: DeviceChoice) -> dict[str, Any]:
    rest = {name: value for name, value in device.parameters.items() if name not in device.per_chip}
    return rest | {name: "per chip" for name in device.per_chip}


def _written(case: Case, parameters: Any) -> str:
    settings = case.settings.model_dump(mode="json", exclude={"name", "chips", "seeds"})
    devices = [[d.reference, d.fingerprint, parameters(d)] for d in case.devices]
    rule = [case.rule.name, case.rule.fingerprint, case.rule.options]
    return json.dumps([engine(), settings, devices, rule], sort_keys=True, default=str)
