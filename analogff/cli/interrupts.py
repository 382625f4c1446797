"""Ctrl-C and termination signals. Imports little, since it must be ready before anything else is imported."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

INTERRUPTED = 130
STOPPED = "Interrupted. What was finished is kept: give the same command again to go on."


@contextlib.contextmanager
def handled() -> Iterator[None]:
    """Raise KeyboardInterrupt at Ctrl-C and at SIGTERM, which batch systems send; no-op outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {s: signal.signal(s, _stop) for s in signals if signal.getsignal(s) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say_interrupted() -> None:
    """Print how to resume; the output may be closed."""
    with contextlib.suppress(OSError):
        print(STOPPED, file=sys.stderr)


def _stop(_: int, frame: FrameType | None) -> None:
    if _importing(frame):  # libraries report an interrupted import as a broken installation
        say_interrupted()
        os._exit(INTERRUPTED)
    raise KeyboardInterrupt


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
