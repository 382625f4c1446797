"""Execution of one task in a worker: fabricate, seal, train and evaluate its chips."""

import dataclasses
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from analogff.data import Dataset
from analogff.device import products_in
from analogff.device.ledger import EVALUATION, TRAINING
from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.study import origin
from analogff.study.measurements.catalog import take
from analogff.study.measurements.life import EVENTS
from analogff.study.measurements.measurement import Due
from analogff.study.origin import OriginError
from analogff.study.run.build import build, load_data
from analogff.study.run.diagnosis import Diagnosis
from analogff.study.run.kept import keep_chips
from analogff.study.run.life import Life
from analogff.study.run.stall import watched
from analogff.study.run.status import Teller
from analogff.study.run.unfinished import Looks, Trained, Unfinished
from analogff.study.task import Run, Task
from analogff.support.messages import in_words
from analogff.support.process_state import PatchedError, standard
from analogff.training.clock import clock_of
from analogff.training.epoch import NUMBERS, Epoch
from analogff.training.loop import train
from analogff.training.progress import Progress


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Outcome of a task."""

    task: Task
    """The task."""
    numbers: pa.Table | None = None
    """One row for each run and epoch; None if it failed."""
    tables: Mapping[str, pa.Table] = dataclasses.field(default_factory=dict)
    """Tables of measurements by name, for those that the rule supports."""
    failure: str = ""
    """The error, in a sentence."""
    origin: Mapping[str, str] | None = None
    """Fingerprints of the worker's code and data; None if it reports none."""


def execute(task: Task) -> Outcome:
    """Do a task; an exception of a device or rule is an outcome too, so that other tasks continue."""
    try:
        with standard(f"the code of {task.runs[0]}", int(task.key, 16)):
            return _execute(task)
    except (OriginError, PatchedError) as error:
        return Outcome(task, failure=str(error))
    except BaseException as error:  # a device may also exit, which must not end the worker
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise  # by a user, since workers run in other threads
        return Outcome(task, failure=in_words(error))


def _execute(task: Task) -> Outcome:
    teller, chips = Teller(task), None
    devices = ", ".join(dict.fromkeys(d.reference for d in task.runs[0].case.devices)) or "a digital layer"
    described = f"{task.runs[0]}, on {devices},"
    with watched(described, teller.warn, lambda: _acts(chips)):
        found = _checked(task)
        settings = task.runs[0].case.settings
        state = found[origin.name_of_data(settings.dataset)]
        data = load_data(settings, state, task.folder)
        rule, chips = build(task, data)
        found = _checked(task)  # equal checksums before and after prove what was loaded between
        with products_in(settings.precision):
            looks, progress = _train(task, rule, chips, data, teller)
            tables = looks.tables | take(Due.LAST_EVALUATION, task, rule, data, looks.epoch)
            life = Life(task, data, rule, chips, progress)
            if (events := life.live()) is not None:
                tables = tables | {EVENTS.name: events}
            if settings.keep and not (task.runs[0].case.trial or task.runs[0].case.control):
                keep_chips(life)
    origin.demand_files(task.runs[0].case, Path(task.folder))
    origin.demand_loaded()
    return Outcome(task, looks.numbers, tables, origin=found)


def _train(task: Task, rule: Rule, chips: Chips, data: Dataset, teller: Teller) -> tuple[Looks, Progress]:
    settings, unfinished = task.runs[0].case.settings, Unfinished(task, teller.warn)
    trained, (progress, looks) = Trained(task), unfinished.restore(rule, chips)
    if not progress.epoch and (found := trained.restore(rule, chips)) is not None:
        progress, looks = found
        teller.tell(looks.numbers)
    diagnosis = Diagnosis(task, data, rule, chips)
    epochs = train(
        rule,
        chips,
        data,
        epochs=settings.epochs,
        evaluate_every=settings.evaluate_every,
        wait_seconds=settings.wait_seconds,
        augmentation=settings.augmentation,
        budget=settings.budget,
        progress=progress,
        prices=settings.system,
        test=not task.runs[0].case.trial,
        pipeline=settings.pipeline,
        clock=clock_of(type(rule), rule.options, settings.clock),
        watch=diagnosis.look if diagnosis.chosen else None,
    )
    for epoch in epochs:
        measured = take(Due.EVERY_EVALUATION, task, rule, data, epoch.epoch) | diagnosis.take()
        looks = looks.with_tables(_rows(task.runs, epoch), measured)
        unfinished.keep(rule, chips, progress, looks)
        teller.tell(looks.numbers)
    if task.runs[0].case.steps:
        unfinished.keep_trained(rule, chips, progress, looks)
        trained.keep(rule, chips, progress, looks)
    return looks, progress


def _checked(task: Task) -> Mapping[str, str]:
    """Return the fingerprints of this process, if they are those of the task."""
    found = origin.found(task.runs[0].case, Path(task.folder))
    origin.demand(task.runs[0].origin, found)
    return found


def _acts(chips: Chips | None) -> int:
    """Return the number of reads so far; another thread calls this, so it must not synchronize a GPU."""
    return 0 if chips is None else sum(int(chips.ledger.total("reads", phase)) for phase in (TRAINING, EVALUATION))


def _rows(runs: tuple[Run, ...], epoch: Epoch) -> pa.Table:
    columns = {"run": pa.array([run.key for run in runs]), "epoch": pa.array([epoch.epoch] * len(runs))}
    for name in NUMBERS:
        columns[name] = pa.array(np.broadcast_to(np.asarray(getattr(epoch, name)), (len(runs),)))
    columns["stopped_by"] = pa.array([epoch.stopped_by] * len(runs))
    columns["wall_seconds"] = pa.array([epoch.wall_seconds / len(runs)] * len(runs))
    return pa.table(columns)
