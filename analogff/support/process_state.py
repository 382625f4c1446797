"""State that all code of a process shares: the same for every task, and as it was after anybody else's code ran."""

import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch

_CPU = torch.device("cpu")
_SHARED = {
    "torch": torch,
    "torch.Tensor": torch.Tensor,
    "torch.nn.functional": torch.nn.functional,
    "torch.linalg": torch.linalg,
    "numpy": np,
    "os": os,
}
"""Namespaces that numbers or files of everybody depend on."""
_INHERITED = frozenset(dir(torch.Tensor.__base__))  # what is set on the class beside them hides them
_exit = os._exit


class PatchedError(ValueError):
    """Somebody replaced what everybody uses.

    Args:
        who: Whose code did it.
        replaced: The names of what it replaced.
    """

    def __init__(self, who: str, replaced: Sequence[str]):
        self.got = f"another {' and '.join(replaced)}"
        self.advice = "It was put back. Give your own version a name of its own."
        super().__init__(f"Expected {who} to change nothing that all devices share. Got {self.got}. {self.advice}")


class _Setting(NamedTuple):
    """One piece of state: how to read it, how to write it, and what a task finds; None for what it was."""

    read: Callable[[], Any]
    write: Callable[[Any], Any]
    standard: Any = None


def _set_default_device(device: torch.device) -> None:
    torch.set_default_device(None if device == _CPU else device)  # a default that is set slows every call


def _signals() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}


def _set_signals(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        if threading.current_thread() is threading.main_thread() and handler is not None:
            signal.signal(number, handler)


_SETTINGS = (
    _Setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"),
    _Setting(torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    _Setting(torch.get_default_device, _set_default_device, _CPU),
    _Setting(torch.is_grad_enabled, torch.set_grad_enabled, True),
    _Setting(torch.get_num_threads, torch.set_num_threads, 1),  # more would split sums, and round them, differently
    _Setting(torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms, False),
    _Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    _Setting(os.getcwd, os.chdir),
    _Setting(np.geterr, lambda how: np.seterr(**how)),
    _Setting(_signals, _set_signals),
)
_GENERATORS = (
    _Setting(torch.get_rng_state, torch.set_rng_state),
    _Setting(np.random.get_state, np.random.set_state),
    _Setting(random.getstate, random.setstate),
)
_lock = threading.Lock()
_depths: dict[tuple[int, int], int] = {}  # of guards, by process and thread


@contextmanager
def guarded(who: str) -> Iterator[None]:
    """Let code of others run, and leave the process as it was: settings, generators, folder, torch and NumPy.

    A process that one device ends by ``os._exit`` would end without a word, so that it raises `SystemExit` inside.

    Args:
        who: Whose code it is, for the message.

    Raises:
        PatchedError: If a function of torch or NumPy was replaced; it is put back.
    """
    _enter()
    before = [(setting, setting.read()) for setting in (*_SETTINGS, *_GENERATORS)]
    names = {place: dict(vars(space)) for place, space in _SHARED.items()}
    try:
        yield
    finally:
        _restore(before, alone=_leave())
        replaced = _put_back(names)
    if replaced:
        raise PatchedError(who, replaced)


@contextmanager
def standard(who: str, seed: int) -> Iterator[None]:
    """Do the same as `guarded`, and begin with the settings and generators that every process begins a task with.

    Args:
        who: Whose code it is, for the message.
        seed: Of the global generators. What draws from them is no honest device, but need not depend on its neighbors.
    """
    with guarded(who):
        for setting in _SETTINGS:
            _write(setting, setting.standard)
        torch.set_flush_denormal(False)  # it cannot be read
        torch.set_rng_state(torch.Generator().manual_seed(seed % 2**63).get_state())
        np.random.set_state(np.random.RandomState(seed % 2**32).get_state())
        random.setstate(random.Random(seed).getstate())
        yield


def _restore(before: list[tuple[_Setting, Any]], *, alone: bool) -> None:
    """Write what was read; where another thread is at work, what a task begins with, which is what it relies on."""
    for setting, value in before:
        _write(setting, value if alone else setting.standard)


def _write(setting: _Setting, value: Any) -> None:
    """Write a value where it differs; some of them cost time, or may be written once only."""
    if value is None:
        return
    now = setting.read()
    if isinstance(now, torch.Tensor) or isinstance(now, tuple) or now != value:
        setting.write(value)


def _here() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def _enter() -> None:
    with _lock:
        _depths[_here()] = _depths.get(_here(), 0) + 1
        os._exit = _exit_of_this_thread


def _leave() -> bool:
    """Close the innermost guard of this thread, and tell whether no other thread is inside one."""
    with _lock:
        here = _here()
        _depths[here] -= 1
        if not _depths[here]:
            del _depths[here]
        if not _depths:
            os._exit = _exit
        return all(place == here or place[0] != here[0] for place in _depths)


def _exit_of_this_thread(status: int) -> NoReturn:
    if _here() in _depths:
        raise SystemExit(f"os._exit({status})")
    _exit(status)  # the thread that ends a worker with its driver, and a forked child


def _put_back(names: dict[str, dict[str, Any]]) -> list[str]:
    """Undo replacements, and return their names."""
    replaced = []
    for place, before in names.items():
        space, now = _SHARED[place], dict(vars(_SHARED[place]))
        known = before.keys() | _INHERITED if space is torch.Tensor else before.keys()
        for name in known & now.keys():
            if now[name] is not before.get(name) and not name.startswith("_") and _foreign(now[name], place):
                setattr(space, name, before[name]) if name in before else delattr(space, name)
                replaced.append(f"{place}.{name}")
    return sorted(replaced)


def _foreign(value: Any, place: str) -> bool:
    """Tell whether something was not put there by the library itself, as torch does when it loads its compiler."""
    code = getattr(value, "__code__", None)
    home = Path(getattr(sys.modules[place.partition(".")[0]], "__file__", "")).parent
    return code is None or not Path(code.co_filename).is_relative_to(home)
