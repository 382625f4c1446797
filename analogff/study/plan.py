"""From a study to its runs, and from the runs that are left to tasks."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import analogff
from analogff.study.case import Case, DeviceChoice
from analogff.study.mistakes import Mistake, StudyError
from analogff.study.spec import Shape, Study
from analogff.study.task import Run, Task

COPIES_OF_WEIGHTS = 8  # the weights, gradients, changes, two moments of Adam, and temporaries of an update
COPIES_OF_ACTIVITIES = 8
READ_AT_ONCE = 1000  # images in an evaluation batch, more than in a training batch
TASKS_PER_WORKER = 2


def plan_runs(study: Study) -> tuple[Run, ...]:
    """Return every run of a study: each case, with each learning seed, on each chip.

    Raises:
        StudyError: If two of them are the same run, since one row of a table cannot stand for two.
    """
    runs = [
        Run(_key(decisive, chip, seed), case, chip, seed)
        for case, decisive in ((case, _numbers_of(case)) for case in study.cases)
        for seed in case.settings.seeds
        for chip in case.settings.chips
    ]
    first: dict[str, Run] = {}
    for run in runs:
        if first.setdefault(run.key, run) is not run:
            raise StudyError([_same_run(first[run.key], run)])
    return tuple(runs)


def pack(
    runs: Iterable[Run], shapes: Mapping[str, Shape], *, workers: int, memory_gib: float, folder: str
) -> list[Task]:
    """Put runs into banks, so that every worker has something to do and none holds too much.

    A chip's numbers do not depend on its bank, so the packing may change whenever a study is resumed.

    Args:
        runs: Those still to be done.
        shapes: The sizes of the data sets.
        workers: How many tasks are worked on at a time.
        memory_gib: Most memory that the state of one bank may take.
        folder: The study file's folder.

    Returns:
        Tasks, the longest first.
    """
    runs = list(runs)
    common = {name: _bank_key(case) for name, case in {id(run.case): run.case for run in runs}.items()}
    banks: dict[str, list[Run]] = {}
    for run in runs:
        banks.setdefault(f"{common[id(run.case)]}{run.seed}", []).append(run)
    effort = {key: _effort(bank[0].case, shapes) for key, bank in banks.items()}
    share = sum(effort[key] * len(bank) for key, bank in banks.items()) / (TASKS_PER_WORKER * max(1, workers))
    tasks = []
    for key, bank in banks.items():
        largest = min(chips_in(memory_gib, bank[0].case, shapes), max(1, int(share / effort[key])))
        parts = math.ceil(len(bank) / largest)
        tasks += [(effort[key], Task(tuple(bank[n::parts]), folder)) for n in range(parts)]
    return [task for _, task in sorted(tasks, key=lambda t: -t[0] * len(t[1].runs))]


def chips_in(memory_gib: float, case: Case, shapes: Mapping[str, Shape]) -> int:
    """Return how many chips of a case fit in a memory, at least one."""
    shape = shapes[case.settings.dataset]
    batch = max(READ_AT_ONCE, 2 * int(case.rule.options.get("batch", 0)))
    widths = shape.n_in + sum(case.settings.layers) + shape.classes
    numbers = COPIES_OF_WEIGHTS * _weights(case, shape) + COPIES_OF_ACTIVITIES * batch * widths
    return max(1, int(memory_gib * 2**30 / (4 * numbers)))


def _same_run(first: Run, second: Run) -> Mistake:
    path = "rule" if first.case.values == second.case.values else "sweep"
    advice = "Remove one of the [[rule]] tables or swept values that mean the same."
    return Mistake(path, "runs that differ", f"the same run twice, as ({first}) and ({second})", advice)


def _weights(case: Case, shape: Shape) -> int:
    sizes = (shape.n_in, *case.settings.layers, shape.classes)
    return sum(a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))


def _effort(case: Case, shapes: Mapping[str, Shape]) -> float:
    """Return the weights that pass by in a run; rules differ by small factors, which do not matter here."""
    shape = shapes[case.settings.dataset]
    return float(case.settings.epochs * (case.settings.train_images or shape.images) * _weights(case, shape))


def _key(decisive: str, chip: int, seed: int) -> str:
    return hashlib.sha256(f"{decisive} {chip} {seed}".encode()).hexdigest()[:20]


def _numbers_of(case: Case) -> str:
    """Return everything that decides a case's numbers, and nothing that does not (its name, its neighbours)."""
    return _written(case, lambda device: device.parameters)


def _bank_key(case: Case) -> str:
    """Return what the runs of a bank have in common."""
    return _written(case, _common)


def _common(device: DeviceChoice) -> dict[str, Any]:
    rest = {name: value for name, value in device.parameters.items() if name not in device.per_chip}
    return rest | {name: "per chip" for name in device.per_chip}


def _written(case: Case, parameters: Any) -> str:
    settings = case.settings.model_dump(mode="json", exclude={"name", "chips", "seeds"})
    devices = [[d.reference, d.fingerprint, parameters(d)] for d in case.devices]
    rule = [case.rule.name, case.rule.fingerprint, case.rule.options]
    return json.dumps([analogff.__version__, settings, devices, rule], sort_keys=True, default=str)
