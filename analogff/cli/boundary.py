"""The outermost error handler. Errors of the disk, the terminal or the user become a message and a status."""

import contextlib
import errno
import json
import os
import re
import sys
import zipfile
import zlib
from collections.abc import Callable

from analogff.cli.interrupts import INTERRUPTED, handled, say_interrupted
from analogff.support.messages import in_words

OK, FAILED, MISTAKE, PIPE_CLOSED = 0, 1, 2, 141
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
_OTHERWISE = ("the system to grant the request", f"Mend that, and {_AGAIN}", FAILED)
_LESS = f"Give less --memory or fewer --workers, and {_AGAIN}"
_DAMAGED = (EOFError, UnicodeDecodeError, json.JSONDecodeError, zipfile.BadZipFile, zlib.error)


def guard(act: Callable[[], int]) -> int:
    """Run a command and return its exit status. External errors are printed as a sentence.

    A bug in the code remains a traceback.
    """
    with handled():
        try:
            status = act()
            sys.stdout.flush()  # errors at the end of the process could not be reported
            return status
        except KeyboardInterrupt:
            say_interrupted()
            return INTERRUPTED
        except BrokenPipeError:
            _write_into_nothing()
            return PIPE_CLOSED
        except OSError as error:
            said, status = of_system(error)
        except MemoryError:
            said, status = f"Expected memory enough. Got none. {_LESS}", FAILED
        except Exception as error:
            if not _is_damage(error):
                raise
            said, status = f"Expected files that are whole. Got {in_words(error)}. Restore or remove that file.", FAILED
        say_error(said)
        return status


def of_system(error: OSError) -> tuple[str, int]:
    """Return the message of an error of the operating system, with its advice and exit status."""
    expected, advice, status = _REASONS.get(error.errno or 0, _OTHERWISE)
    said = error.strerror or str(error) or type(error).__name__
    name = error.filename2 or error.filename
    where = f"{_of_user(os.fsdecode(name))}: " if isinstance(name, (str, bytes)) else ""
    return f"{where}Expected {expected}. Got {said[:1].lower()}{said[1:]}. {advice}", status


def say_error(text: str) -> None:
    """Print an error to the standard error stream, which may be closed."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


def _of_user(path: str) -> str:
    """Return the target file of a hidden temporary file."""
    return re.sub(r"\.([^/]+)-\d+\.tmp$", r"\1", path)


def _is_damage(error: Exception) -> bool:
    return isinstance(error, _DAMAGED) or type(error).__module__.startswith("pyarrow")


def _write_into_nothing() -> None:
    """Discard further output, since its reader (``| head``) has exited."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
