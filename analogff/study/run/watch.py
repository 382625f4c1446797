"""Supervision of the scheduler and workers: silence is reported, loss ends the wait."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from dask.typing import Key
from distributed import Client

from analogff.study.run.cluster import ClusterError
from analogff.study.run.stall import Patience
from analogff.study.task import Task

ANSWER_SECONDS = 20.0
SILENT_SECONDS = 60.0
"""Interval of the workers' heartbeats."""
GONE_SECONDS = 600.0
"""Time without workers after which the run ends."""


class Watch:
    """Supervises a scheduler and its workers.

    Args:
        client: A client connected to them.
        warn: Called with each warning, a line.
    """

    def __init__(self, client: Client, warn: Callable[[str], None]):
        self.client, self.warn = client, warn
        self._amiss: dict[str, Patience] = {}
        self._without_workers: float | None = None

    def look(self, out: Mapping[Key, Task]) -> None:
        """Report silent workers and a silent scheduler.

        Args:
            out: The running tasks by their keys.

        Raises:
            ClusterError: If no worker is left.
        """
        scheduler: Any = self.client.scheduler
        address = scheduler.address
        try:
            given: Any = self.client.sync(scheduler.identity, n_workers=-1, callback_timeout=ANSWER_SECONDS)
        except (TimeoutError, OSError):
            if self.client.status not in ("running", "connecting"):
                raise _gone(f"the scheduler at {address}", "a lost connection") from None
            self._note({address: f"The scheduler at {address} does not answer"})
            return
        self._workers(given["workers"], address)
        silent = {worker: time.time() - state["last_seen"] for worker, state in given["workers"].items()}
        self._note(
            {
                worker: f"The worker {worker} has not been heard of for {seconds:.0f} s{self._at_work(worker, out)}"
                for worker, seconds in silent.items()
                if seconds > SILENT_SECONDS
            }
        )

    def _workers(self, workers: Mapping, address: str) -> None:
        if workers:
            self._without_workers = None
            return
        now = time.monotonic()
        if self._without_workers is None:
            self._without_workers = now
            self.warn(f"No worker is left at {address}. Waiting for one.")
        if now - self._without_workers > GONE_SECONDS:
            raise _gone(f"a worker at {address}", f"none in {GONE_SECONDS:.0f} s")

    def _at_work(self, worker: str, out: Mapping[Key, Task]) -> str:
        processing: Any = self.client.processing([worker])
        keys = processing.get(worker, ())
        at_work = [str(out[key].runs[0]) for key in keys if key in out]
        return f", with ({'), ('.join(at_work)}) to do" if at_work else ""

    def _note(self, amiss: Mapping[str, str]) -> None:
        """Warn once for each address, and again after some time; recovered addresses are forgotten."""
        self._amiss = {address: self._amiss.get(address) or Patience() for address in amiss}
        for address, what in amiss.items():
            if self._amiss[address].out():
                self.warn(f"{what}.")


def _gone(expected: str, got: str) -> ClusterError:
    return ClusterError(f"Expected {expected}. Got {got}. What was finished is kept: give the same command to go on.")
