"""Dispatch of tasks to workers, with retries until the cause of a dead worker is known."""

import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from dask.typing import Key
from distributed import Client, KilledWorker
from distributed.client import Future

from analogff.study import origin
from analogff.study.run.cluster import ClusterError
from analogff.study.run.execute import Outcome, execute
from analogff.study.run.stall import LOOK_SECONDS
from analogff.study.run.watch import Watch
from analogff.study.task import Task
from analogff.support.messages import in_words

WINDOW_PER_THREAD = 2  # one running and one queued for each worker, so that a large study does not fill the scheduler
ROUNDS = 3
"""Retries of a task whose worker died: beside others on other workers, and finally alone."""


class Dispatch:
    """Sends tasks to workers and collects their outcomes.

    A dead worker loses the task that killed it and those queued behind it. So every task whose worker died is retried,
    finally alone, before it counts as the cause.

    Args:
        client: Of the workers.
        tasks: The tasks, in order of priority.
        warn: Called with each warning, a line.
    """

    def __init__(self, client: Client, tasks: Iterable[Task], warn: Callable[[str], None]):
        self.client = client
        threads = client.nthreads()
        self._windows = (WINDOW_PER_THREAD * sum(threads.values()), len(threads), 1)  # type: ignore[union-attr]
        self._rounds = [deque(tasks), *(deque[Task]() for _ in range(1, ROUNDS))]
        self._round = 0
        self._out: dict[Key, Task] = {}
        self._back: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._watch = Watch(client, warn)

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcomes of tasks as they finish.

        Raises:
            ClusterError: If the scheduler or all workers are lost.
        """
        while self._hand_out():
            future = self._next()
            task = self._out.pop(future.key)
            outcome = self._collect(future, task)
            if outcome is not None:
                yield outcome

    def _hand_out(self) -> bool:
        """Submit tasks up to the limit, and return whether any are running."""
        while not self._out and self._round < ROUNDS - 1 and not self._rounds[self._round]:
            self._round += 1
        waiting = self._rounds[self._round]
        while waiting and len(self._out) < self._windows[self._round]:
            future = self.client.submit(execute, waiting[0], pure=False)
            self._out[future.key] = waiting.popleft()
            future.add_done_callback(self._back.put)
        return bool(self._out)

    def _next(self) -> Future:
        while True:
            try:
                return self._back.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._watch.look(self._out)

    def _collect(self, future: Future, task: Task) -> Outcome | None:
        """Return the outcome of a task; None if it is to be retried."""
        if future.status == "cancelled":
            raise ClusterError(
                f"Expected the scheduler at {self.client.scheduler.address} to stay. Got a lost connection. What was "  # type: ignore[union-attr]
                "finished is kept: start it again, and give the same command to go on."
            )
        try:
            outcome = future.result()
            if outcome.numbers is not None:
                origin.demand(task.runs[0].origin, outcome.origin)
            return outcome
        except KilledWorker:
            if self._round < ROUNDS - 1:
                self._rounds[self._round + 1].append(task)
                return None
            return Outcome(task, failure=_killed())
        except origin.OriginError as error:
            return Outcome(task, failure=str(error))
        except Exception as error:  # the connection broke, or the worker lacks a plug-in
            return Outcome(task, failure=in_words(error).splitlines()[0])


def _killed() -> str:
    return (
        f"Expected its worker to live. Got {ROUNDS} that died of it, the last one with nothing else to do. Look for "
        "what ends a process in its device or rule (memory, a library in C, a signal), with --workers 0 for example."
    )
