"""Where errors from outside end: what a disk, a terminal or a person does to a command becomes a sentence."""

import contextlib
import errno
import json
import os
import re
import signal
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from analogff.support.messages import in_words

OK, FAILED, MISTAKE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
STOPPED = "Interrupted. What was finished is kept: give the same command again to go on."
_AGAIN = "give the same command again. What was finished is kept."
_ELSEWHERE = "or name another place (--out)."
_FULL = ("room on the disk", f"Free some, and {_AGAIN}", FAILED)
_CLOSED = ("a place that can be read and written", f"Get the right to it, {_ELSEWHERE}", MISTAKE)
_NO_FOLDER = ("a folder", f"Move the file that stands in its place, {_ELSEWHERE}", MISTAKE)
_MANY = ("fewer open files", "Raise the limit (ulimit -n), or use fewer --workers.", FAILED)
_REASONS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
    errno.EROFS: _CLOSED,
    errno.ENOTDIR: _NO_FOLDER,
    errno.EEXIST: _NO_FOLDER,
    errno.EISDIR: ("a file", "Move the folder that stands in its place.", MISTAKE),
    errno.ENAMETOOLONG: ("a name that a disk can hold", "Use a shorter name of the study or file, or --out.", MISTAKE),
    errno.ENOENT: ("a file or folder that is there", f"Put it back, {_ELSEWHERE}", MISTAKE),
    errno.EMFILE: _MANY,
    errno.ENFILE: _MANY,
}
_OTHERWISE = ("the system to do what it was asked", f"Mend that, and {_AGAIN}", FAILED)
_LESS = f"Give less --memory or fewer --workers, and {_AGAIN}"
_DAMAGED = (EOFError, UnicodeDecodeError, json.JSONDecodeError, zipfile.BadZipFile, zlib.error)


def guard(act: Callable[[], int]) -> int:
    """Do something, and return its exit status; an error from outside is told in a sentence, and has a status too.

    A mistake in the code is none of these, and stays a traceback.
    """
    with _listening():
        try:
            status = act()
            sys.stdout.flush()  # at the end of the process, nobody could tell what went wrong
            return status
        except KeyboardInterrupt:
            say_error(STOPPED)
            return INTERRUPTED
        except BrokenPipeError:
            _write_into_nothing()
            return PIPE_CLOSED
        except OSError as error:
            told, status = of_system(error)
        except MemoryError:
            told, status = f"Expected memory enough. Got none. {_LESS}", FAILED
        except Exception as error:
            if not _is_damage(error):
                raise
            told, status = f"Expected files that are whole. Got {in_words(error)}. Restore or remove that file.", FAILED
        say_error(told)
        return status


def of_system(error: OSError) -> tuple[str, int]:
    """Return what the operating system refused, with the way out, and the exit status that it makes."""
    expected, advice, status = _REASONS.get(error.errno or 0, _OTHERWISE)
    said = error.strerror or str(error) or type(error).__name__
    name = error.filename2 or error.filename
    where = f"{_of_user(os.fsdecode(name))}: " if isinstance(name, (str, bytes)) else ""
    return f"{where}Expected {expected}. Got {said[:1].lower()}{said[1:]}. {advice}", status


def say_error(text: str) -> None:
    """Tell what went wrong where it disturbs no output; nobody may be there to read it."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


def _of_user(path: str) -> str:
    """Return the file that was to be written, where a hidden one beside it was."""
    return re.sub(r"\.([^/]+)-\d+\.tmp$", r"\1", path)


def _is_damage(error: Exception) -> bool:
    return isinstance(error, _DAMAGED) or type(error).__module__.startswith("pyarrow")


def _write_into_nothing() -> None:
    """Let what is still to be written go nowhere, since whoever read it (``| head``) has gone."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _listening() -> Iterator[None]:
    """Take Ctrl-C, and a batch system that asks to stop, as one and the same."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = (signal.SIGINT, signal.SIGTERM)
    before = {s: signal.signal(s, _stop) for s in heard if signal.getsignal(s) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(_: int, frame: FrameType | None) -> None:
    if _importing(frame):  # libraries take an interrupt in the midst of their import for anything; nothing has begun
        say_error(STOPPED)
        os._exit(INTERRUPTED)
    raise KeyboardInterrupt


def _importing(frame: Any) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
