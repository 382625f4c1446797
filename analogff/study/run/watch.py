"""Looking after those who work while nothing comes back: what is silent is named, what is gone ends the wait."""

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
"""A worker says every second that it is there."""
GONE_SECONDS = 600.0
"""After so long without a worker nobody is expected any more."""


class Watch:
    """Looks at a scheduler and its workers.

    Args:
        client: Connected to them.
        warn: Called with a line where something is amiss.
    """

    def __init__(self, client: Client, warn: Callable[[str], None]):
        self.client, self.warn = client, warn
        self._amiss: dict[str, Patience] = {}
        self._without_workers: float | None = None

    def look(self, out: Mapping[Key, Task]) -> None:
        """Say what has not been heard of.

        Args:
            out: The tasks that are at work, by their keys.

        Raises:
            ClusterError: If nobody is left.
        """
        scheduler: Any = self.client.scheduler
        address = scheduler.address
        try:
            told: Any = self.client.sync(scheduler.identity, n_workers=-1, callback_timeout=ANSWER_SECONDS)
        except (TimeoutError, OSError):
            if self.client.status not in ("running", "connecting"):
                raise _gone(f"the scheduler at {address}", "a lost connection") from None
            self._note({address: f"The scheduler at {address} does not answer"})
            return
        self._workers(told["workers"], address)
        silent = {worker: time.time() - state["last_seen"] for worker, state in told["workers"].items()}
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
        """Warn of what is amiss, by address, for the first time or after patience; what is well again is forgotten."""
        self._amiss = {address: self._amiss.get(address) or Patience() for address in amiss}
        for address, what in amiss.items():
            if self._amiss[address].out():
                self.warn(f"{what}.")


def _gone(expected: str, got: str) -> ClusterError:
    return ClusterError(f"Expected {expected}. Got {got}. What was finished is kept: give the same command to go on.")
