"""Detection of a stalled thread by another one: what it does, and where in the code."""

import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
"""Time until a stall is reported; each further report takes twice as long."""
_LIBRARIES = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}


class Patience:
    """Decides when a stall is reported."""

    def __init__(self):
        self._start = time.monotonic()
        self._next = PATIENCE_SECONDS

    def out(self) -> float:
        """Return the duration of the stall if a report is due, else 0."""
        seconds = time.monotonic() - self._start
        if seconds < self._next:
            return 0.0
        self._next = 2 * seconds
        return seconds


@contextmanager
def watched(what: str, tell: Callable[[str], None], count: Callable[[], int] = int) -> Iterator[None]:
    """Report when the calling thread makes no progress.

    Args:
        what: Its activity, as the beginning of a sentence.
        tell: Called in another thread with a line.
        count: Grows as long as there is progress; without one the activity should end at once.
    """
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(threading.get_ident(), ended, what, tell, count), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()


def _watch(
    thread: int, ended: threading.Event, what: str, tell: Callable[[str], None], count: Callable[[], int]
) -> None:
    counted, patience = count(), Patience()
    while not ended.wait(LOOK_SECONDS):
        if (now := count()) != counted:
            counted, patience = now, Patience()
        elif seconds := patience.out():
            tell(f"{what} has not got on for {seconds:.0f} s{place_of(thread)}.")


def place_of(thread: int) -> str:
    """Return ``, at file.py, line 7``: the innermost frame of a thread outside of libraries."""
    frame = sys._current_frames().get(thread)
    steps = traceback.extract_stack(frame) if frame else []
    own = [step for step in steps if not any(Path(step.filename).is_relative_to(folder) for folder in _LIBRARIES)]
    return f", at {Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""
