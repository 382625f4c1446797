"""Packing of the remaining runs into tasks: which chips form a bank, and why."""

import collections
import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from analogff.catalog import resolve_rule
from analogff.data import DataChoice
from analogff.network import ConvolutionLayer, heard, plan_layers
from analogff.study.case import Case
from analogff.study.events import Distil
from analogff.study.read.spec import Shape
from analogff.study.run.plan import bank_keys
from analogff.study.task import Run, Task
from analogff.training.loop import EVALUATION_BATCH

RULES_COPIES = 6  # gradients, changes, two moments of Adam, and temporaries of an update
LEARNING_COPIES = 8  # of the activities of a training batch, twice as large where negatives are read beside it
EVALUATION_COPIES = 3  # of those of an evaluation batch; between 2 and 3 were measured
TASKS_PER_WORKER = 2
CACHED_BYTES = 24 * 2**20
"""Most weights of a bank on a CPU. A larger bank leaves the caches and is a tenth slower (measured)."""


@dataclasses.dataclass(frozen=True)
class Limit:
    """A limit of a bank's size."""

    chips: int
    """Greatest number of chips."""
    reason: str
    """Reason, in words."""


@dataclasses.dataclass(frozen=True)
class Packing:
    """Tasks, with the reasons for their sizes."""

    tasks: list[Task]
    """The longest first."""
    banks: list[tuple[int, Limit]]
    """The size of each unlimited bank, and the limit that cut it."""
    oversize: tuple[str, ...] = ()
    """Warnings about chips that exceed the memory."""

    def explain(self) -> list[str]:
        """Return a sentence on all tasks, and one for each limit that cut banks."""
        runs, tasks, banks = sum(size for size, _ in self.banks), len(self.tasks), len(self.banks)
        lines = [
            f"{_count(runs, 'run')} in {_count(tasks, 'task')}: {_count(banks, 'bank')} of chips that are "
            "simulated together."
        ]
        cut = collections.Counter(limit for size, limit in self.banks if size > limit.chips)
        for limit, times in cut.items():
            at_most = _count(limit.chips, "chip")
            lines.append(f"{_count(times, 'bank')} cut into tasks of at most {at_most}: {limit.reason}.")
        return [*lines, *self.oversize]


def pack(
    runs: Iterable[Run], shapes: Mapping[DataChoice, Shape], *, workers: int, memory_gib: float, folder: str
) -> Packing:
    """Pack runs into banks, so that every worker has tasks and none exceeds its memory.

    A chip's numbers do not depend on its bank, so the packing may change whenever a study is resumed.

    Args:
        runs: The remaining runs.
        shapes: The sizes of the data sets.
        workers: Number of tasks that run at a time.
        memory_gib: Most memory that the state of one bank may take.
        folder: The study file's folder.
    """
    runs = list(runs)
    common = bank_keys({id(run.case): run.case for run in runs}.values())
    banks: dict[str, list[Run]] = {}
    for run in runs:
        banks.setdefault(f"{common[id(run.case)]}{run.seed}", []).append(run)
    effort = {key: _effort(bank[0].case, shapes) for key, bank in banks.items()}
    share = sum(effort[key] * len(bank) for key, bank in banks.items()) / (TASKS_PER_WORKER * max(1, workers))
    evenly = f"{TASKS_PER_WORKER} tasks for each of {_count(workers, 'worker')}"
    tasks, cuts = [], []
    for key, bank in banks.items():
        even = Limit(max(1, round(share / effort[key])), evenly)
        limit = min(even, *_limits(bank[0].case, shapes, memory_gib, folder), key=lambda limit: limit.chips)
        parts = math.ceil(len(bank) / limit.chips)
        tasks += [(effort[key], Task(tuple(bank[n::parts]), folder)) for n in range(parts)]
        cuts.append((len(bank), limit))
    tasks.sort(key=lambda task: -task[0] * len(task[1].runs))
    return Packing(
        [task for _, task in tasks], cuts, _oversize([bank[0].case for bank in banks.values()], shapes, memory_gib)
    )


def _oversize(cases: Iterable[Case], shapes: Mapping[DataChoice, Shape], memory_gib: float) -> tuple[str, ...]:
    """Return a warning if a chip exceeds the memory, since no task is smaller than a chip."""
    sizes = [size for case in cases if (size := gib_of_a_chip(case, shapes)) > memory_gib]
    if not sizes:
        return ()
    return (
        f"One chip takes about {max(sizes):.3g} GiB, more than the {memory_gib:g} GiB of --memory: it is run alone all "
        "the same. Use fewer --workers or smaller layers if the machine has not that much for each worker.",
    )


def chips_in(memory_gib: float, case: Case, shapes: Mapping[DataChoice, Shape]) -> int:
    """Return the number of chips of a case that fit in a memory, at least one."""
    return max(1, int(memory_gib / gib_of_a_chip(case, shapes)))


def gib_of_a_chip(case: Case, shapes: Mapping[DataChoice, Shape]) -> float:
    """Return the approximate memory of a learning chip."""
    shape = shapes[case.settings.data]
    batch = 2 * min(shape.images, int(case.rule.options.get("batch", 0)))
    vectors = max(LEARNING_COPIES * batch, EVALUATION_COPIES * EVALUATION_BATCH)
    widths = shape.n_in + sum(layer.width for layer in plan_layers(case.settings.layers, shape.image)) + shape.classes
    copies = RULES_COPIES + max((device.copies for device in case.devices), default=1.0)
    numbers = copies * _weights(case, shape) + vectors * widths
    return 4 * numbers / 2**30


def _limits(case: Case, shapes: Mapping[DataChoice, Shape], memory_gib: float, folder: str) -> list[Limit]:
    limits = [Limit(chips_in(memory_gib, case, shapes), f"no more fit in {memory_gib:g} GiB (--memory)")]
    rule = resolve_rule(case.rule.name, Path(folder))
    if not rule.can_bank(rule.Options(**case.rule.options)):
        limits.append(Limit(1, f"{case.rule.name} decides for each chip how often it is read"))
    if any(isinstance(step.event, Distil) and step.event.labels != "true" for step in case.steps):
        limits.append(Limit(1, "each student has a teacher of its own"))
    budget = case.settings.budget
    if budget and budget.of_each_chip:
        limits.append(Limit(1, f"each chip reaches the budget of {budget.of_each_chip[0]} at a step of its own"))
    if case.settings.compute == "cpu":
        cached = max(1, CACHED_BYTES // (4 * _weights(case, shapes[case.settings.data])))
        limits.append(Limit(cached, "larger banks leave the processor's caches"))
    return limits


def _weights(case: Case, shape: Shape) -> int:
    return sum(_cells(case, shape))


def _cells(case: Case, shape: Shape) -> Iterator[int]:
    """Yield the weights of each layer, the head last."""
    lines = shape.n_in
    for layer, planned in zip(case.settings.layers, plan_layers(case.settings.layers, shape.image), strict=True):
        if isinstance(layer, ConvolutionLayer):
            assert planned.options is not None
            yield layer.conv * layer.kernel**2 * planned.options["channels"] // layer.groups
        else:
            yield lines * layer
        lines = heard(planned.width)
    yield lines * shape.classes


def _effort(case: Case, shapes: Mapping[DataChoice, Shape]) -> float:
    """Return the weights that a run processes; small factors between rules are ignored."""
    shape = shapes[case.settings.data]
    return float(case.settings.epochs * (case.settings.train_images or shape.images) * _weights(case, shape))


def _count(number: int, of: str) -> str:
    return f"{number} {of}" if number == 1 else f"{number:,} {of}s"
