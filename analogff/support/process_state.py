"""Shared state of a process: equal for every task, and restored after plug-in code."""

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
"""Namespaces that all numbers and files depend on."""
_INHERITED = frozenset(dir(torch.Tensor.__base__))  # attributes of the class hide them
_exit = os._exit
listeners: list[Callable[[str], Any]] = []
"""Told whose code begins to run."""


class PatchedError(ValueError):
    """Plug-in code replaced a shared function.

    Args:
        who: The plug-in.
        replaced: Names of the replaced functions.
    """

    def __init__(self, who: str, replaced: Sequence[str]):
        self.got = f"another {' and '.join(replaced)}"
        self.advice = "It was put back. Give your own version a name of its own."
        super().__init__(f"Expected {who} to change nothing that all devices share. Got {self.got}. {self.advice}")


class _Setting(NamedTuple):
    """A piece of state: its getter, its setter, and its value for a task; None keeps the present value."""

    read: Callable[[], Any]
    write: Callable[[Any], Any]
    standard: Any = None


def _set_default_device(device: torch.device) -> None:
    torch.set_default_device(None if device == _CPU else device)  # an explicit default slows every call


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
    _Setting(torch.get_num_threads, torch.set_num_threads, 1),  # more threads would split and round sums differently
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
_depths: dict[tuple[int, int], int] = {}  # guards by process and thread


@contextmanager
def guarded(who: str) -> Iterator[None]:
    """Run plug-in code and restore the process: settings, generators, folder, torch and NumPy.

    ``os._exit`` would end the process silently, so it raises `SystemExit` inside.

    Args:
        who: The plug-in, for the message.

    Raises:
        PatchedError: If a function of torch or NumPy was replaced; it is put back.
    """
    for listener in listeners:
        listener(who)
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
    """As `guarded`, starting from the settings and generators of every task.

    Args:
        who: The plug-in, for the message.
        seed: Seed of the global generators. A device should not use them, but its numbers stay independent of its
            neighbors.
    """
    with guarded(who):
        for setting in _SETTINGS:
            _write(setting, setting.standard)
        torch.set_flush_denormal(False)  # it has no getter
        torch.set_rng_state(torch.Generator().manual_seed(seed % 2**63).get_state())
        np.random.set_state(np.random.RandomState(seed % 2**32).get_state())
        random.setstate(random.Random(seed).getstate())
        yield


def _restore(before: list[tuple[_Setting, Any]], *, alone: bool) -> None:
    """Write the saved values; if another thread is active, the values of a task, which it needs."""
    for setting, value in before:
        _write(setting, value if alone else setting.standard)


def _write(setting: _Setting, value: Any) -> None:
    """Write a value if it differs; some setters are slow or work only once."""
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
    """Close the innermost guard of this thread, and return whether no other thread is inside one."""
    with _lock:
        here = _here()
        _depths[here] -= 1
        if not _depths[here]:
            del _depths[here]
        if not _depths:
            os._exit = _exit
        return all(place == here or place[0] != here[0] for place in _depths)


def end_process(status: int) -> NoReturn:
    """End this process at once, whoever is being guarded."""
    _exit(status)


def _exit_of_this_thread(status: int) -> NoReturn:
    if _here() in _depths:
        raise SystemExit(f"os._exit({status})")
    _exit(status)  # the thread that ends a worker with its driver, and forked children


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
    """Return whether a replacement is not the library's own, such as torch's when it loads its compiler."""
    code = getattr(value, "__code__", None)
    home = Path(getattr(sys.modules[place.partition(".")[0]], "__file__", "")).parent
    return code is None or not Path(code.co_filename).is_relative_to(home)
