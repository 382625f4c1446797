"""What one device does to its process reaches no other."""

import os
import random
import signal
import sys
import threading
import warnings

import numpy as np
import pytest
import torch

from analogff.support.process_state import PatchedError, guarded, standard

CHANGES = {
    "precision of products": (torch.get_float32_matmul_precision, lambda: torch.set_float32_matmul_precision("medium")),
    "default dtype": (torch.get_default_dtype, lambda: torch.set_default_dtype(torch.float64)),
    "default device": (torch.get_default_device, lambda: torch.set_default_device("meta")),
    "gradients": (torch.is_grad_enabled, lambda: torch.set_grad_enabled(False)),
    "threads": (torch.get_num_threads, lambda: torch.set_num_threads(7)),
    "deterministic": (torch.are_deterministic_algorithms_enabled, lambda: torch.use_deterministic_algorithms(True)),
    "recursion": (sys.getrecursionlimit, lambda: sys.setrecursionlimit(5000)),
    "folder": (os.getcwd, lambda: os.chdir("/")),
    "NumPy errors": (np.geterr, lambda: np.seterr(all="raise")),
    "signal": (lambda: signal.getsignal(signal.SIGTERM), lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)),
    "torch generator": (lambda: torch.get_rng_state().tolist(), lambda: torch.rand(1)),
    "NumPy generator": (lambda: np.random.get_state()[1].tolist(), lambda: np.random.seed(3)),
    "Python generator": (random.getstate, random.random),
    "os._exit": (lambda: os._exit, lambda: None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_state_is_what_it_was(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read, change = CHANGES[name]
    before = read()
    with pytest.raises(ZeroDivisionError), guarded("a device"):
        change()
        assert name == "os._exit" or read() != before
        raise ZeroDivisionError
    assert read() == before


def test_every_task_begins_alike():
    def seen():
        with standard("a device", seed=5):
            state = [read() for read, _ in list(CHANGES.values())[:6]]
            return state, torch.rand(3).tolist(), np.random.rand(), random.random()

    first = seen()
    with guarded("a test"):
        for name in list(CHANGES)[:5]:
            CHANGES[name][1]()
        torch.rand(5)
        assert seen() == first
    assert first[0] == ["highest", torch.float32, torch.device("cpu"), True, 1, False]


def test_a_task_in_another_thread_is_left_at_work():
    """A task that ends puts nothing back that another one relies on."""
    inside, ended = threading.Event(), threading.Event()
    seen = []

    def second():
        with standard("second", seed=0):
            inside.set()
            ended.wait(10)
            seen.append(torch.get_float32_matmul_precision())

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        thread = threading.Thread(target=second)
        with standard("first", seed=0):
            thread.start()
            assert inside.wait(10)
        ended.set()
        thread.join()
        assert seen == ["highest"]
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize(("space", "name"), [(torch, "relu"), (torch.Tensor, "clamp"), (np, "exp"), (np, "pi")])
def test_a_replaced_function_is_put_back_and_named(space, name):
    before = getattr(space, name)
    with pytest.raises(
        PatchedError, match=f"Expected mine.py to change nothing.*Got another .*{name}. It was put back"
    ):
        with guarded("mine.py"):
            setattr(space, name, lambda *_: 0)
    assert getattr(space, name) is before


def test_what_a_library_does_to_itself_is_no_replacement():
    """As torch wraps its own manual_seed when it loads its compiler."""
    from torch.nn.functional import relu

    with guarded("a device"):
        torch.manual_seed, before = relu, torch.manual_seed  # both are of torch
    torch.manual_seed = before


def test_os_exit_raises_in_the_guarded_thread_alone():
    with guarded("a device"):
        with pytest.raises(SystemExit, match=r"os._exit\(0\)"):
            os._exit(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads and fork
            child = os.fork()
        if child == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
