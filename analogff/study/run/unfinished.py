"""Checkpoints of long tasks, so that a killed run resumes them."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.study.results.parts import StoreError
from analogff.study.task import Run, Task, key_of
from analogff.support.atomic import clear_half_done
from analogff.support.messages import in_words
from analogff.training.checkpoint import load, restore, save, state_of
from analogff.training.progress import Progress

FOLDER = "unfinished"
"""Subfolder of the results with a checkpoint for each unfinished task."""
_NAMES = 16 * "[0-9a-f]" + ".pt"  # pattern of our files; others are left alone
_TRAINED = "trained-"  # how files of trainings that tasks share begin
_NUMBERS = "results"  # one row for each run and evaluation, among the tables of measurements
EVERY_SECONDS = 300.0  # shorter tasks never write; a bank of large nets takes seconds to write
BEFORE_EVENTS_SECONDS = 30.0  # of training that an interrupted life would repeat


@dataclasses.dataclass(frozen=True)
class Looks:
    """Results of a task so far."""

    numbers: pa.Table | None = None
    """One row for each run and evaluation."""
    tables: dict[str, pa.Table] = dataclasses.field(default_factory=dict)
    """Tables of measurements at each evaluation, by name."""

    @property
    def epoch(self) -> int:
        """The epoch of the last look; 0 before the first."""
        return 0 if self.numbers is None else self.numbers["epoch"][-1].as_py()

    def with_tables(self, numbers: pa.Table, measured: Mapping[str, pa.Table]) -> "Looks":
        """Return these results with one more evaluation."""
        more = {name: _joined(self.tables.get(name), table) for name, table in measured.items()}
        return Looks(_joined(self.numbers, numbers), self.tables | more)


class Unfinished:
    """The checkpoint of a long task.

    Args:
        task: The task.
        warn: Called with a line if it cannot be written.
    """

    def __init__(self, task: Task, warn: Callable[[str], None]):
        self.task, self.warn = task, warn
        self._folder = Path(task.kept) if task.kept else None
        self._written = time.monotonic()

    def restore(self, rule: Rule, chips: Chips) -> tuple[Progress, Looks]:
        """Restore a rule and its chips from the file, if there is one.

        Raises:
            ValueError: If the file does not fit.
        """
        if self._folder is None or not (path := self._folder / _name(self.task)).exists():
            return Progress(), Looks()
        try:
            return _stood(load(path), rule, chips)
        except Exception as error:
            raise ValueError(
                f"Expected {path} to restore its runs. Got {in_words(error)}. Remove it; they will begin anew."
            ) from error

    def keep(self, rule: Rule, chips: Chips, progress: Progress, looks: Looks) -> None:
        """Write a checkpoint after an evaluation, if there is a folder and some time has passed."""
        self._keep(rule, chips, progress, looks, EVERY_SECONDS)

    def keep_trained(self, rule: Rule, chips: Chips, progress: Progress, looks: Looks) -> None:
        """Write a checkpoint before the events of a life, which may take long, if training took some time."""
        self._keep(rule, chips, progress, looks, BEFORE_EVENTS_SECONDS)

    def _keep(self, rule: Rule, chips: Chips, progress: Progress, looks: Looks, least_seconds: float) -> None:
        if self._folder is None or not self._folder.is_dir() or time.monotonic() - self._written < least_seconds:
            return
        try:
            save(_standing(self.task, rule, chips, progress, looks), self._folder / _name(self.task))
        except Exception as error:  # a full disk or a state that cannot be written must not end the task
            self.warn(
                f"Expected to keep unfinished tasks in {self._folder}. Got {in_words(error)}. They go on, and begin "
                "anew if the run is interrupted."
            )
            self._folder = None
        self._written = time.monotonic()


class Trained:
    """The end of a training that several tasks have in common, which differ in their events alone.

    The first task that is done with it writes it; those that begin later take it instead of training.

    Args:
        task: The task.
    """

    def __init__(self, task: Task):
        self.task = task
        there = bool(task.training and task.kept) and Path(task.kept).is_dir()
        self._path = Path(task.kept) / f"{_TRAINED}{task.training}.pt" if there else None

    def restore(self, rule: Rule, chips: Chips) -> tuple[Progress, Looks] | None:
        """Restore a rule and its chips, if the file is there and sound."""
        if self._path is None or not self._path.exists():
            return None
        try:
            state = load(self._path)
        except ValueError:  # damaged, so it is trained
            return None
        keys = {theirs: run.key for theirs, run in zip(state["runs"], self.task.runs, strict=True)}
        progress, looks = _stood(state, rule, chips)
        tables = {name: _with_keys(table, keys) for name, table in looks.tables.items()}
        return progress, Looks(None if looks.numbers is None else _with_keys(looks.numbers, keys), tables)

    def keep(self, rule: Rule, chips: Chips, progress: Progress, looks: Looks) -> None:
        """Write the file, if others may need it and none has yet."""
        if self._path is None or self._path.exists():
            return
        with contextlib.suppress(OSError):  # a full disk: the others train
            save(_standing(self.task, rule, chips, progress, looks), self._path)


def forget_trained(folder: Path) -> None:
    """Remove what trainings left for others."""
    for path in folder.glob(f"{_TRAINED}*.pt"):
        path.unlink()
    clear_half_done(folder, f"{_TRAINED}*.pt")


def _standing(task: Task, rule: Rule, chips: Chips, progress: Progress, looks: Looks) -> dict[str, Any]:
    """Return all that a task is after an evaluation."""
    return {
        "runs": [run.key for run in task.runs],
        "run": state_of(rule, chips, progress),
        "looks": {name: _to_tensor(table) for name, table in (looks.tables | {_NUMBERS: looks.numbers}).items()},
    }


def _stood(state: Mapping[str, Any], rule: Rule, chips: Chips) -> tuple[Progress, Looks]:
    """Bring a rule and its chips to where `_standing` found others."""
    tables = {name: _from_tensor(table) for name, table in state["looks"].items()}
    return restore(state["run"], rule, chips), Looks(tables.pop(_NUMBERS), tables)


def _with_keys(table: pa.Table, keys: Mapping[str, str]) -> pa.Table:
    """Return a table whose runs have other keys."""
    place = table.column_names.index("run")
    return table.set_column(place, "run", pa.array([keys[key] for key in table["run"].to_pylist()]))


def gather(folder: Path, left: Iterable[Run], study: str) -> list[Task]:
    """Return the tasks with checkpoints in a folder, as they were packed, and remove obsolete checkpoints.

    Args:
        folder: The folder of checkpoints.
        left: The remaining runs.
        study: The study file's folder.

    Raises:
        StoreError: If a checkpoint is damaged.
    """
    runs = {run.key: run for run in left}
    tasks = []
    for path in sorted(folder.glob(_NAMES)):
        keys = _runs_in(path)
        if keys and all(key in runs for key in keys):
            tasks.append(Task(tuple(runs.pop(key) for key in keys), study))
        elif path.stem == key_of(keys):
            path.unlink()
    clear_half_done(folder, _NAMES)
    return tasks


def forget(folder: Path, task: Task) -> None:
    """Remove the checkpoint of a finished task."""
    (folder / _name(task)).unlink(missing_ok=True)


def _name(task: Task) -> str:
    return f"{task.key}.pt"


def _runs_in(path: Path) -> list[str]:
    try:
        return torch.load(path, weights_only=True, mmap=True)["runs"]  # mmap: the tensors are not read
    except Exception as error:  # its message is not shown: it advises to run the file's content
        raise StoreError(
            f"Expected {path} to hold runs that were begun. Got a damaged file ({type(error).__name__}). Remove it; "
            "they will begin anew."
        ) from error


def _joined(so_far: pa.Table | None, more: pa.Table) -> pa.Table:
    return more if so_far is None else pa.concat_tables([so_far, more])


def _to_tensor(table: pa.Table) -> torch.Tensor:
    """Return a table as bytes in a tensor, which a safe load accepts, with all types preserved."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return torch.frombuffer(bytearray(sink.getvalue()), dtype=torch.uint8)


def _from_tensor(encoded: torch.Tensor) -> pa.Table:
    return pa.ipc.open_stream(encoded.numpy().tobytes()).read_all()
