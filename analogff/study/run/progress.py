"""What a run shows while it lasts: a moving line on a terminal and in a notebook, plain lines elsewhere."""

import importlib.util
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column

from analogff.study.run.execute import Outcome
from analogff.study.run.status import status_line
from analogff.support.console import say

_BAR_WIDTH = 20


def can_move(console: Console) -> bool:
    """Return whether a console can redraw a line: a terminal can, and a notebook with ipywidgets."""
    return console.is_terminal or (console.is_jupyter and importlib.util.find_spec("ipywidgets") is not None)


class Progress:
    """Counts finished tasks and runs.

    Args:
        console: Where to show it.
        tasks: How many there are.
        runs: How many runs they hold.
        kept: Runs that were there already.
    """

    def __init__(self, console: Console, tasks: int, runs: int, kept: int):
        self.console, self._moves = console, can_move(console)
        self.tasks, self.runs = tasks, runs
        self.tasks_done = self.runs_done = 0
        self._said: set[str] = set()
        self._start = time.monotonic()
        given = Column(no_wrap=True, overflow="ellipsis", ratio=1)  # what is left beside the bar, its count and times
        self._bar = Bar(
            TextColumn("runs"),
            BarColumn(_BAR_WIDTH),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False, table_column=given),
            console=console,
            expand=True,
        )
        if kept:
            say(console, f"{kept} runs are there already, {runs} are left.")

    def __enter__(self) -> "Progress":
        if self._moves:
            self._bar.start()
            self._line = self._bar.add_task(f"0 of {self.tasks} tasks", total=self.runs)
        return self

    def __exit__(self, *_: object) -> None:
        if self._moves:
            self._bar.stop()

    def note(self, outcome: Outcome) -> None:
        """Show that a task is finished."""
        self.tasks_done += 1
        self.runs_done += len(outcome.task.runs)
        given = f"{self.tasks_done} of {self.tasks} tasks; {_end(outcome)}"
        if self._moves:
            self._bar.update(self._line, completed=self.runs_done, description=given)
            return
        elapsed = time.monotonic() - self._start
        left = elapsed / self.runs_done * (self.runs - self.runs_done)
        say(self.console, f"{self.runs_done}/{self.runs} runs, {elapsed:.0f} s, about {left:.0f} s left: {given}")

    def hear(self, given: str) -> None:
        """Show what a task that is not finished tells of itself."""
        if self._moves:
            self._bar.update(self._line, description=f"{self.tasks_done} of {self.tasks} tasks; {given}")
            return
        elapsed = time.monotonic() - self._start
        say(self.console, f"{self.runs_done}/{self.runs} runs, {elapsed:.0f} s: {given}")

    def warn(self, line: str) -> None:
        """Show what is amiss, in a line that stays."""
        say(self.console, line)

    def warn_once(self, line: str) -> None:
        """Show what is amiss, unless another task said the same."""
        if line not in self._said:
            self._said.add(line)
            self.warn(line)


def _end(outcome: Outcome) -> str:
    if outcome.numbers is None:
        return f"{outcome.task.runs[-1]}: failed"
    return status_line(outcome.task, outcome.numbers)
