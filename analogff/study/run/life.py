"""The life of chips after training: events, one after the other, each a row of a table."""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from analogff.data import Dataset, Split
from analogff.device import Ledger, Observable, Sealed, derive_seed
from analogff.device.ledger import TRAINING
from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.network.compensation import calibrate
from analogff.study.case import Case, Step
from analogff.study.events import Compensate, Copy, Distil, Evaluate, Event, Set, Train, Wait
from analogff.study.measurements.life import EVENTS
from analogff.study.run.build import build
from analogff.study.run.changed import keep_what_changed
from analogff.study.run.lesson import lesson
from analogff.study.run.transfer import read_out, transfer
from analogff.study.task import Task
from analogff.system import Prices
from analogff.training.checkpoint import restore, state_of
from analogff.training.clock import clock_of
from analogff.training.loop import error_percent, learn
from analogff.training.progress import Progress
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
        self._compensates = any(isinstance(step.event, Compensate) for step in task.runs[0].case.steps)
        self._gains: list[torch.Tensor] = []
        """What calibration inputs gave when the weights were last written; empty if nobody will ask."""

    def live(self) -> pa.Table | None:
        """Do all events; returns a row for each of them and each run, or None if there are none."""
        steps = [run.case.steps for run in self.task.runs]
        self._calibrate()
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

    def _step(self, n: int, steps: list[Step]) -> pa.Table:
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
            self._copy(event, steps)
        elif isinstance(event, Distil):
            self._distil(event, steps)
        elif isinstance(event, Compensate):
            self._compensate()
        if isinstance(event, (Train, Copy, Distil)):
            self._calibrate()
        self._done += 1
        return self._row(n + 1, event, validation, test)

    def _calibrate(self) -> None:
        """Read the calibration inputs of all arrays, if that is ever of use."""
        if self._compensates:
            self._gains = self._read_gains()

    def _read_gains(self) -> list[torch.Tensor]:
        self.chips.ledger.phase = TRAINING
        sealed = self.chips.seal(Observable.ACTIVITY)
        return [calibrate(layer, self.rule.seed) for layer in (*sealed.layers, sealed.head) if _is_array(layer)]

    def _compensate(self) -> None:
        """Bring the outputs of all arrays back to where calibration inputs had them."""
        layers = zip((*self.rule.network.layers, self.rule.network.head), self.chips.scales, strict=True)
        scales = [scale for layer, scale in layers if _is_array(layer)]
        for scale, then, now in zip(scales, self._gains, self._read_gains(), strict=True):
            scale.correct(torch.where(now > 0, then / now, 1.0))

    def _train_on(self, event: Train, steps: list[Step]) -> None:
        if steps[0].rule is not None:
            self._teach_by(steps)
        if event.images is None:
            self._learn(self.rule, self.chips, self.data, event.epochs or 1)
        else:
            self._learn(self.rule, self.chips, self._some_images(event.images), 1)

    def _teach_by(self, steps: list[Step]) -> None:
        """Let another rule teach, or the same one with other options."""
        task = self._task_of_others(steps)
        now, before = task.runs[0].case.rule, self.task.runs[0].case.rule
        if (now.name, now.options.get("write")) == (before.name, before.options.get("write")):
            return self._rebuild(task)
        self._note_spent()
        self.task = task
        scales = self.chips.scales
        self.rule, self.chips = build(task, self.data, self.seeds, self.chips.devices.state_dict())
        for scale, kept in zip(self.chips.scales, scales, strict=True):
            scale.load_state_dict(kept.state_dict())

    def _rebuild(self, task: Task) -> None:
        """Make the chips and the rule of another task that are in the state of the present ones."""
        state = state_of(self.rule, self.chips, self.progress)
        _, as_made = build(self.task, self.data, self.seeds)
        rule, chips = build(task, self.data, self.seeds)
        kept = keep_what_changed(as_made.state_dict(), state["chips"], chips.state_dict())
        restore(state | {"chips": kept}, rule, chips)
        self.task, self.rule, self.chips = task, rule, chips

    def _copy(self, event: Copy, steps: list[Step]) -> None:
        seeds, task = self._seeds_of(event), self._task_of_others(steps)
        rule, chips = build(task, self.data, seeds)
        kept, fresh = self.rule.state_dict(), rule.state_dict()
        unlike = {name: fresh[name] for name in rule.measured_names} if steps[0].devices else {}
        rule.load_state_dict(kept | unlike)
        chips.ledger.load_state_dict(Ledger(chips.names).state_dict())  # a copy does not begin with a teacher's writes
        if event.by == "readout":
            read_out(self.chips, chips, rule.network, event.reads)
        else:
            transfer(self.chips, self.rule.network, chips, rule.network)
        self._move_to(task, rule, chips, seeds)

    def _distil(self, event: Distil, steps: list[Step]) -> None:
        seeds, task = self._seeds_of(event), self._task_of_others(steps)
        taught = dataclasses.replace(self.data, train=lesson(event, self.rule, self.chips, self.data))
        rule, chips = build(task, self.data, seeds)
        self._move_to(task, rule, chips, seeds)
        self._learn(rule, chips, taught, event.epochs)

    def _move_to(self, task: Task, rule: Rule, chips: Chips, seeds: list[int]) -> None:
        """Go on with other chips, which begin with a count of their own."""
        self._note_spent()
        self.task, self.rule, self.chips, self.seeds = task, rule, chips, seeds

    def _task_of_others(self, steps: list[Step]) -> Task:
        """Return the task of the chips that take the place of the present ones."""
        return self._task_with(
            [
                dataclasses.replace(run.case, devices=step.devices or run.case.devices, rule=step.rule or run.case.rule)
                for run, step in zip(self.task.runs, steps, strict=True)
            ]
        )

    def _learn(self, rule: Rule, chips: Chips, data: Dataset, epochs: int) -> None:
        seconds = torch.from_numpy(spent(rule, chips, self._prices).seconds).to(data.train.images.device)
        past = self.progress.past_epochs + self.progress.epoch
        progress = Progress(device_seconds=seconds, past_epochs=past)
        settings = self.task.runs[0].case.settings
        clock = clock_of(type(rule), rule.options, settings.clock)
        given: dict[str, Any] = dict(augmentation=settings.augmentation, progress=progress, clock=clock)
        learn(rule, chips, data, epochs=epochs, prices=self._prices, **given)
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

    def _task_with(self, cases: list[Case]) -> Task:
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


def _is_array(layer: Sealed) -> bool:
    """Tell whether a layer has cells that may drift, and not digital weights."""
    return not layer.datasheet.readable_weights
