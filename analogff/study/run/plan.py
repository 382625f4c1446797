"""From a study to its runs and their keys."""

import collections
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from analogff.catalog import is_plug_in
from analogff.study.case import Case, DeviceChoice, RuleChoice, Step
from analogff.study.events import Copy
from analogff.study.origin import engine, known
from analogff.study.read.spec import Study
from analogff.study.settings import Settings
from analogff.study.task import Run
from analogff.support.mistakes import Mistake, StudyError

P = TypeVar("P", Settings, RuleChoice)


def plan_runs(study: Study) -> tuple[Run, ...]:
    """Return every run of a study: each case, with each learning seed, on each chip.

    Raises:
        StudyError: If two of them are the same run, since a row belongs to one run.
    """
    texts, runs = _Texts(), []
    alike = _alike_in_training(study.cases, texts)
    for case in study.cases:
        data = study.shapes[case.settings.data].fingerprint
        # Everything that decides a case's numbers, and nothing else (such as its name).
        decisive = f"{texts.of_case(case, lambda device: device.parameters)} {data}"
        origin, training = known(case, data), alike.get(id(case), "")
        runs += [
            Run(_key(decisive, chip, seed), case, chip, seed, origin, training and _key(training, chip, seed))
            for seed in case.settings.seeds
            for chip in case.settings.chips
        ]
    first: dict[str, Run] = {}
    for run in runs:
        if first.setdefault(run.key, run) is not run:
            raise StudyError([_same_run(first[run.key], run)])
    return tuple(runs)


def _alike_in_training(cases: Iterable[Case], texts: "_Texts") -> dict[int, str]:
    """Return what cases have in common that differ in their events alone, by the id of each such case.

    Code that is no part of the package may draw random numbers that the key of its run decides, so it always trains.
    """
    lives = [case for case in cases if case.steps and not _has_plug_ins(case)]
    common = {id(case): texts.of_training(case) for case in lives}
    times = collections.Counter(common.values())
    return {number: text for number, text in common.items() if times[text] > 1}


def _has_plug_ins(case: Case) -> bool:
    return any(map(is_plug_in, [case.rule.name, *(device.reference for device in case.devices)]))


def first_alike(cases: Iterable[Case]) -> dict[int, Case]:
    """Return for each case, by its id, the first one whose runs have the same numbers."""
    texts, first, alike = _Texts(), {}, {}
    for case in cases:
        decisive = texts.of_case(case, lambda device: device.parameters), case.settings.chips, case.settings.seeds
        alike[id(case)] = first.setdefault(decisive, case)
    return alike


def _same_run(first: Run, second: Run) -> Mistake:
    path = "rule" if first.case.values == second.case.values else "sweep"
    advice = "Remove one of the [[rule]] tables or swept values that mean the same."
    return Mistake(path, "runs that differ", f"the same run twice, as ({first}) and ({second})", advice)


def _key(decisive: str, chip: int, seed: int) -> str:
    return hashlib.sha256(f"{decisive} {chip} {seed}".encode()).hexdigest()[:20]


def bank_keys(cases: Iterable[Case]) -> dict[int, str]:
    """Return the common settings of the runs of a bank, by the id of their case."""
    texts = _Texts()
    return {id(case): texts.of_case(case, _common) for case in cases}


def _common(device: DeviceChoice) -> dict[str, Any]:
    rest = {name: value for name, value in device.parameters.items() if name not in device.per_chip}
    return rest | {name: "per chip" for name in device.per_chip}


class _Texts:
    """Cases as JSON, in which a part that many of them share is written once."""

    def __init__(self):
        self._engine = _json(engine())
        self._shared: dict[int, tuple[Settings | RuleChoice, str]] = {}
        self._kept: list[Case] = []

    def of_case(self, case: Case, parameters: Callable[[DeviceChoice], dict[str, Any]]) -> str:
        """Return a case with some of its parameters."""
        devices = {id(d): _json([d.reference, d.fingerprint, parameters(d)]) for d in case.devices}
        listed = f"[{', '.join(devices[id(device)] for device in case.devices)}]"
        parts = [self._engine, self._part(case.settings, _settings), listed, self._part(case.rule, _rule)]
        if case.steps:
            parts.append(self._steps(case.steps))
        if case.trial:
            parts.append(_json("trial"))
        if case.control:  # each rule has controls of its own, since a row is of one rule
            parts += [_json(case.control), self._part(case.shown, _rule)]
        return f"[{', '.join(parts)}]"

    def of_training(self, case: Case) -> str:
        """Return a case without its events, but for the register that a copy needs, whose work counts."""
        register = any(isinstance(step.event, Copy) and step.event.by == "register" for step in case.steps)
        settings = case.settings.model_copy(update={"event": ()})
        alone = dataclasses.replace(case, settings=settings, steps=())
        self._kept.append(alone)  # so that no other part gets the id of one of its own
        return f"{self.of_case(alone, lambda device: device.parameters)} {register}"

    def _steps(self, steps: tuple[Step, ...]) -> str:
        """Return what events change, besides what the settings say of them."""
        rules = {id(step.rule): step.rule for step in steps if step.rule}
        devices = {id(d): [d.reference, d.fingerprint, d.parameters] for step in steps for d in step.devices}
        changes = {id(s.changes): s.changes for s in steps if s.changes}
        return _json([*map(_rule, rules.values()), *devices.values(), *changes.values()])

    def _part(self, part: P, write: Callable[[P], object]) -> str:
        if id(part) not in self._shared:
            self._shared[id(part)] = part, _json(write(part))  # the part too, so that no other one gets its id
        return self._shared[id(part)][1]


def _settings(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", exclude={"name", "question", "chips", "seeds", "controls", "target_error"})


def _rule(rule: RuleChoice) -> list[object]:
    return [rule.name, rule.fingerprint, rule.options]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
