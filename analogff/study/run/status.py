"""Status of a task in a line: for the driver at the end, and from the worker while it runs."""

import functools
import math
import time
from collections.abc import Callable

import pyarrow as pa
from distributed import Client, get_worker

from analogff.study.task import Task

EVERY_SECONDS = 60.0  # a short task ends before its first report
_HEAR, _WARN = "status", "warning"


class Teller:
    """Reports the progress of a long task to the driver, through their common scheduler.

    Args:
        task: The task.
    """

    def __init__(self, task: Task):
        self.task = task
        self._told = time.monotonic()
        try:
            self._worker = get_worker() if task.kept else None
        except ValueError:  # called without a cluster
            self._worker = None

    def tell(self, numbers: pa.Table) -> None:
        """Report the status after an evaluation, if some time has passed and a driver may receive it."""
        if time.monotonic() - self._told < EVERY_SECONDS:
            return
        epochs = self.task.runs[-1].case.settings.epochs
        self._say(_HEAR, f"{status_line(self.task, numbers)} after epoch {_last(numbers, 'epoch')} of {epochs}")
        self._told = time.monotonic()

    def warn(self, line: str) -> None:
        """Report a warning at once."""
        self._say(_WARN, line)

    def _say(self, kind: str, line: str) -> None:
        if self._worker is not None:
            self._worker.log_event(_topic(kind, self.task.kept), line)


def listen(client: Client, kept: str, hear: Callable[[str], None], warn: Callable[[str], None]) -> None:
    """Call functions, in a thread of the client, with each line reported by tasks of a folder.

    Args:
        client: Client of the scheduler that the workers report to.
        kept: The folder of checkpoints.
        hear: Called with the status of a task.
        warn: Called with each warning.
    """
    for kind, act in ((_HEAR, hear), (_WARN, warn)):
        client.subscribe_topic(_topic(kind, kept), functools.partial(_act, act))


def _act(act: Callable[[str], None], event: tuple[float, str]) -> None:
    act(event[1])


def status_line(task: Task, numbers: pa.Table) -> str:
    """Return the last run of a task with its last error, on held-out images if there are any."""
    validation, test = _last(numbers, "validation_error"), _last(numbers, "test_error")
    error, images = (test, "test") if math.isnan(validation) else (validation, "validation")
    return f"{task.runs[-1]}: {error:.3g} % {images} error"


def _topic(kind: str, kept: str) -> str:
    return f"analogff {kind} at {kept}"  # several studies may share a scheduler


def _last(numbers: pa.Table, column: str) -> float:
    return numbers[column][-1].as_py()
