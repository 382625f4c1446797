"""Checkpoints of long tasks, so that a killed run resumes them."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import torch

from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.study.results.parts import StoreError
from analogff.study.task import Run, Task, key_of
from analogff.support.atomic import clear_half_done
from analogff.support.messages import in_words
from analogff.training.checkpoint import load, restore, save, state_of
from analogff.training.loop import Progress

FOLDER = "unfinished"
"""Subfolder of the results with a checkpoint for each unfinished task."""
_NAMES = 16 * "[0-9a-f]" + ".pt"  # pattern of our files; others are left alone
_NUMBERS = "results"  # one row for each run and evaluation, among the tables of measurements
EVERY_SECONDS = 300.0  # shorter tasks never write; a bank of large nets takes seconds to write


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
            state = load(path)
            tables = {name: _from_tensor(table) for name, table in state["looks"].items()}
            return restore(state["run"], rule, chips), Looks(tables.pop(_NUMBERS), tables)
        except Exception as error:
            raise ValueError(
                f"Expected {path} to restore its runs. Got {in_words(error)}. Remove it; they will begin anew."
            ) from error

    def keep(self, rule: Rule, chips: Chips, progress: Progress, looks: Looks) -> None:
        """Write a checkpoint after an evaluation, if there is a folder and some time has passed."""
        if self._folder is None or not self._folder.is_dir() or time.monotonic() - self._written < EVERY_SECONDS:
            return
        state = {
            "runs": [run.key for run in self.task.runs],
            "run": state_of(rule, chips, progress),
            "looks": {name: _to_tensor(table) for name, table in (looks.tables | {_NUMBERS: looks.numbers}).items()},
        }
        try:
            save(state, self._folder / _name(self.task))
        except Exception as error:  # a full disk or a state that cannot be written must not end the task
            self.warn(
                f"Expected to keep unfinished tasks in {self._folder}. Got {in_words(error)}. They go on, and begin "
                "anew if the run is interrupted."
            )
            self._folder = None
        self._written = time.monotonic()


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
