"""The life of chips after training: events, one after the other, each a row of a table."""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from analogff.data import Dataset, Split
from analogff.device import Ledger, derive_seed
from analogff.device.ledger import TRAINING
from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.study.events import Copy, Distil, Evaluate, Event, Set, Train, Wait
from analogff.study.measurements.life import EVENTS
from analogff.study.run.build import build
from analogff.study.run.changed import keep_what_changed
from analogff.study.run.transfer import transfer
from analogff.study.task import Task
from analogff.system import Prices
from analogff.training.checkpoint import restore, state_of
from analogff.training.loop import EVALUATION_BATCH, Progress, error_percent, learn
from analogff.training.spent import spent

_COUNTED = ("reads", "pulses")
_SPENT = ("device_seconds", "device_joules", "system_joules")


class Life:
    """Chips that have learned, and what happens to them then.

    Args:
        task: The runs, one a chip.
        data: Where events take images from.
        rule: The rule that taught them.
        chips: The chips, which may be replaced: see the attribute.
        progress: Where their training ended.
    """

    def __init__(self, task: Task, data: Dataset, rule: Rule, chips: Chips, progress: Progress):
        self.task, self.data, self.rule, self.chips = task, data, rule, chips
        self.progress = progress
        self.seeds = [run.chip for run in task.runs]
        """Seeds of the chips that hold the knowledge now."""
        self.waited = np.full(chips.chips, float(task.runs[0].case.settings.wait_seconds))
        self.images = 0
        """Images learned from since training."""
        self._done = 0
        nothing = np.zeros(chips.chips)
        self._before: dict[str, np.ndarray] = dict.fromkeys((*_COUNTED, *_SPENT), nothing)
        """What chips that were replaced have spent."""
        self._prices = task.runs[0].case.settings.system or Prices()

    def live(self) -> pa.Table | None:
        """Do all events; returns a row for each of them and each run, or None if there are none."""
        steps = [run.case.steps for run in self.task.runs]
        rows = [self._step(n, [own[n] for own in steps]) for n in range(len(steps[0]))]
        return pa.concat_tables(rows) if rows else None

    def wait(self, seconds: float) -> None:
        """Let hardware time pass."""
        self.rule.network.wait(seconds)
        self.waited = self.waited + seconds

    def change(self, changes: list[tuple[dict[str, Any], ...]]) -> None:
        """Change parameters of the devices; what training has changed stays, all else is as new chips have it.

        Args:
            changes: For each run and layer, the parameters.
        """
        task = self._task_with(
            [
                dataclasses.replace(
                    run.case,
                    devices=tuple(
                        dataclasses.replace(device, parameters=device.parameters | change)
                        for device, change in zip(run.case.devices, own, strict=True)
                    ),
                )
                for run, own in zip(self.task.runs, changes, strict=True)
            ]
        )
        self._rebuild(task)

    def errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the percentage of validation and of test images that each chip gets wrong."""
        return error_percent(self.rule, self.data.validation), error_percent(self.rule, self.data.test)

    def _step(self, n: int, steps: list[Any]) -> pa.Table:
        event: Event = steps[0].event
        nothing = np.full(self.chips.chips, np.nan)
        validation, test = nothing, nothing
        if isinstance(event, Evaluate):
            validation, test = self.errors()
        elif isinstance(event, Wait):
            self.wait(event.seconds)
        elif isinstance(event, Set):
            self.change([step.changes for step in steps])
        elif isinstance(event, Train):
            self._train_on(event, steps)
        elif isinstance(event, Copy):
            self._copy(event)
        elif isinstance(event, Distil):
            self._distil(event)
        self._done += 1
        return self._row(n + 1, event, validation, test)

    def _train_on(self, event: Train, steps: list[Any]) -> None:
        if steps[0].rule is not None:
            self._teach_by(steps)
        if event.images is None:
            self._learn(self.rule, self.chips, self.data, event.epochs or 1)
        else:
            self._learn(self.rule, self.chips, self._some_images(event.images), 1)

    def _teach_by(self, steps: list[Any]) -> None:
        """Let another rule teach, or the same one with other options."""
        same = steps[0].rule.name == self.task.runs[0].case.rule.name
        task = self._task_with(
            [dataclasses.replace(run.case, rule=step.rule) for run, step in zip(self.task.runs, steps, strict=True)]
        )
        if same:
            return self._rebuild(task)
        self._note_spent()
        self.task = task
        self.rule, self.chips = build(task, self.data, self.seeds, self.chips.devices.state_dict())

    def _rebuild(self, task: Task) -> None:
        """Make the chips and the rule of another task that are in the state of the present ones."""
        state = state_of(self.rule, self.chips, self.progress)
        _, as_made = build(self.task, self.data, self.seeds)
        rule, chips = build(task, self.data, self.seeds)
        kept = keep_what_changed(as_made.devices.state_dict(), state["chips"], chips.devices.state_dict())
        restore(state | {"chips": kept}, rule, chips)
        self.task, self.rule, self.chips = task, rule, chips

    def _copy(self, event: Copy) -> None:
        seeds = self._seeds_of(event)
        rule, chips = build(self.task, self.data, seeds)
        rule.load_state_dict(state_of(self.rule, self.chips, self.progress)["rule"])
        chips.ledger.load_state_dict(Ledger(chips.names).state_dict())  # a copy does not begin with a teacher's writes
        transfer(self.chips, self.rule.network, chips, rule.network)
        self._move_to(rule, chips, seeds)

    def _distil(self, event: Distil) -> None:
        seeds = self._seeds_of(event)
        split = self.data.train
        images, labels = split.images[: event.images], split.labels[: event.images]
        if event.labels == "teacher":
            self.chips.ledger.phase = TRAINING  # its reads are the price of teaching
            answers = [self.rule.predict(part) for part in images.split(EVALUATION_BATCH)]
            (labels,) = torch.cat(answers, -1)  # packing leaves each student alone with its teacher
        rule, chips = build(self.task, self.data, seeds)
        self._move_to(rule, chips, seeds)
        taught = dataclasses.replace(self.data, train=Split(images, labels))
        self._learn(rule, chips, taught, event.epochs)

    def _move_to(self, rule: Rule, chips: Chips, seeds: list[int]) -> None:
        """Go on with other chips, which begin with a count of their own."""
        self._note_spent()
        self.rule, self.chips, self.seeds = rule, chips, seeds

    def _learn(self, rule: Rule, chips: Chips, data: Dataset, epochs: int) -> None:
        seconds = torch.from_numpy(spent(rule, chips, self._prices).seconds).to(data.train.images.device)
        past = self.progress.past_epochs + self.progress.epoch
        progress = Progress(device_seconds=seconds, past_epochs=past)
        settings = self.task.runs[0].case.settings
        given: dict[str, Any] = dict(
            jitter=settings.jitter, progress=progress, prices=self._prices, clock=settings.clock
        )
        learn(rule, chips, data, epochs=epochs, **given)
        self.images += epochs * len(data.train)
        self.progress = progress

    def _some_images(self, count: int) -> Dataset:
        """Return the data with so many training images, drawn by the learning seed for each event."""
        split = self.data.train
        generator = torch.Generator().manual_seed(derive_seed(self.rule.seed, "event", self._done))
        chosen = torch.randperm(len(split), generator=generator)[:count].to(split.images.device)
        return dataclasses.replace(self.data, train=Split(split.images[chosen], split.labels[chosen]))

    def _seeds_of(self, event: Copy | Distil) -> list[int]:
        return [seed + event.to if event.relative else event.to for seed in self.seeds]

    def _task_with(self, cases: list[Any]) -> Task:
        runs = [dataclasses.replace(run, case=case) for run, case in zip(self.task.runs, cases, strict=True)]
        return dataclasses.replace(self.task, runs=tuple(runs))

    def _note_spent(self) -> None:
        """Add what the present chips have spent to that of the earlier ones."""
        self._before = self._spent()

    def _spent(self) -> dict[str, np.ndarray]:
        """Return all that training and teaching have cost, ``(chips,)`` each."""
        cost, count = spent(self.rule, self.chips, self._prices), self.chips.chips
        now = {name: np.broadcast_to(np.asarray(self.chips.ledger.total(name)), (count,)) for name in _COUNTED}
        now |= {"device_seconds": cost.seconds, "device_joules": cost.joules}
        now["system_joules"] = cost.system.joules.total
        return {name: self._before[name] + value for name, value in now.items()}

    def _row(self, event: int, done: Event, validation: np.ndarray, test: np.ndarray) -> pa.Table:
        cost, count = self._spent(), self.chips.chips
        columns: dict[str, Any] = {"run": [run.key for run in self.task.runs], "event": [event] * count}
        columns |= {"chip": [run.chip for run in self.task.runs], "seed": [run.seed for run in self.task.runs]}
        columns |= {"do": [done.do] * count, "chip_now": self.seeds, "images": [self.images] * count}
        columns |= {"age_seconds": cost["device_seconds"] + self.waited} | cost
        columns |= {"validation_error": validation, "test_error": test}
        arrays = {name: pa.array(np.asarray(columns[name]).tolist(), kind) for name, kind in EVENTS.columns.items()}
        return pa.table({"run": pa.array(columns["run"])} | arrays)
