"""What a run shows while it lasts: a moving line on a terminal, plain lines elsewhere."""

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from analogff.study.execute import Outcome


class Progress:
    """Counts finished tasks and runs.

    Args:
        console: Where to show it.
        tasks: How many there are.
        runs: How many runs they hold.
        kept: Runs that were there already.
    """

    def __init__(self, console: Console, tasks: int, runs: int, kept: int):
        self.console = console
        self.tasks, self.runs = tasks, runs
        self.tasks_done = self.runs_done = 0
        self._start = time.monotonic()
        self._bar = Bar(
            TextColumn("runs"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
        )
        if kept:
            console.print(f"{kept} runs are there already, {runs} are left.")

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self._bar.start()
            self._line = self._bar.add_task(f"0 of {self.tasks} tasks", total=self.runs)
        return self

    def __exit__(self, *_: Any) -> None:
        if self.console.is_terminal:
            self._bar.stop()

    def note(self, outcome: Outcome) -> None:
        """Show that a task is finished."""
        self.tasks_done += 1
        self.runs_done += len(outcome.task.runs)
        told = f"{self.tasks_done} of {self.tasks} tasks; {_last(outcome)}"
        if self.console.is_terminal:
            self._bar.update(self._line, completed=self.runs_done, description=told)
            return
        elapsed = time.monotonic() - self._start
        left = elapsed / self.runs_done * (self.runs - self.runs_done)
        self.console.print(
            f"{self.runs_done}/{self.runs} runs, {elapsed:.0f} s, about {left:.0f} s left: {told}", soft_wrap=True
        )


def _last(outcome: Outcome) -> str:
    """Return the last run of a task with its last error."""
    run = outcome.task.runs[-1]
    if outcome.numbers is None:
        return f"{run}: failed"
    error = outcome.numbers["test_error"][-1].as_py()
    return f"{run}: {error:.1f} % test error"
