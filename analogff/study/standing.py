"""Where a task stands, in a line: for the driver when it is done, and from the worker while it lasts."""

import math
import time
from collections.abc import Callable

import pyarrow as pa
from distributed import Client, get_worker

from analogff.study.task import Task

EVERY_SECONDS = 60.0  # a short task is done before it says a word


class Teller:
    """Lets the driver know how a long task is going, through the scheduler that both are connected to.

    Args:
        task: The task.
    """

    def __init__(self, task: Task):
        self.task = task
        self._told = time.monotonic()

    def tell(self, numbers: pa.Table) -> None:
        """Say how things stand after a look, where some time has passed and somebody may be listening."""
        if not self.task.kept or time.monotonic() - self._told < EVERY_SECONDS:
            return
        try:
            worker = get_worker()
        except ValueError:  # whoever called did so without a cluster
            return
        epochs = self.task.runs[-1].case.settings.epochs
        told = f"{standing(self.task, numbers)} after epoch {_last(numbers, 'epoch')} of {epochs}"
        worker.log_event(_topic(self.task.kept), told)
        self._told = time.monotonic()


def listen(client: Client, kept: str, hear: Callable[[str], None]) -> None:
    """Call a function, in a thread of the client, with each line that a task tells which is kept in that folder."""
    client.subscribe_topic(_topic(kept), lambda event: hear(event[1]))


def standing(task: Task, numbers: pa.Table) -> str:
    """Return the last run of a task with its last error: that of held-out images, where there are any."""
    validation, test = _last(numbers, "validation_error"), _last(numbers, "test_error")
    error, images = (test, "test") if math.isnan(validation) else (validation, "validation")
    return f"{task.runs[-1]}: {error:.3g} % {images} error"


def _topic(kept: str) -> str:
    return f"analogff at {kept}"  # several studies may be at work at one scheduler


def _last(numbers: pa.Table, column: str) -> float:
    return numbers[column][-1].as_py()
