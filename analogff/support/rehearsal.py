"""Code of others, run in a forked child first: what ends its process, in C or by a fault, does not end the driver."""

import faulthandler
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from analogff.support import process_state

LONGEST_SECONDS = 60.0
"""After so long nothing is found out: what hangs in a child only need not hang here."""
_LOOK_SECONDS = 0.005
_DONE = "\0"
_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP} if hasattr(signal, "SIGHUP") else set()


class End(NamedTuple):
    """How a process ended that should not."""

    who: str
    """Whose code was running."""
    how: str
    """``exit code 3``, ``SIGSEGV``."""


def rehearse(act: Callable[[], Any]) -> End | None:
    """Let something run in a forked child, unseen, and return how it ended the child; None if it did not.

    Returns None where a fork is not safe: outside of Linux, outside of the main thread, and once a GPU is in use. An
    exception does not end a process: it is raised again here.
    """
    safe = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
    if not safe or torch.cuda.is_initialized():
        return None
    with tempfile.TemporaryFile() as marks:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that other threads are there: the child needs none
            child = os.fork()
        if not child:
            _run(act, marks.fileno())
        status = _wait(child)
        marks.seek(0)
        given = marks.read().decode(errors="replace").split("\n")
    return None if status is None or given[-1] == _DONE else _end(status, [who for who in given if who])


def _run(act: Callable[[], Any], marks: int) -> None:
    """Act, and end the process; whose code runs is written down before it does."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        faulthandler.disable()  # which wrote to the file set before
        torch.set_num_threads(1)  # those of the parent are not here
        process_state.listeners.append(lambda who: os.write(marks, f"{who}\n".encode()))
        act()
    except BaseException:  # raised again where it can be reported
        pass
    finally:
        os.write(marks, f"\n{_DONE}".encode())
        process_state.end_process(0)


def _wait(child: int) -> int | None:
    """Return the status of a child that ended; None for one that takes too long, which is ended."""
    start = time.monotonic()
    try:
        while time.monotonic() < start + LONGEST_SECONDS:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                child = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(_LOOK_SECONDS)
        return None
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _end(status: int, given: list[str]) -> End | None:
    if status < 0 and -status in _FROM_OUTSIDE:
        return None
    names = {number.value: number.name for number in signal.Signals}
    how = f"exit code {status}" if status >= 0 else names.get(-status, f"signal {-status}")
    return End(given[-1] if given else "its code", how)
