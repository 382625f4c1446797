"""Code that ends its process ends a child of it, and is named; all else is found out where it can be told."""

import ctypes
import os
import sys
import threading
import time

import pytest
import torch

from analogff.cli import main
from analogff.study.read.document import read_document
from analogff.study.read.survival import require_survivors
from analogff.support import process_state, rehearsal
from analogff.support.process_state import guarded
from analogff.support.rehearsal import End, rehearse

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a fork is safe on Linux only")
CHIP = """
import ctypes, os, torch
from analogff import Device

class Chip(Device):
    def __init__(self, n_in, n_out, *, seed, how: str = "goes on"):
        super().__init__(n_in, n_out)
        if how == "exits":
            ctypes.CDLL(None)._exit(0)
        if how == "faults":
            ctypes.string_at(0)
    def measure(self, x):
        return torch.tanh(x)
"""
STUDY = """
name = "s"
dataset = "digits"
validation_images = 200
layers = [8]
epochs = 1
chips = 1
[device]
model = "mine.py:Chip"
[[rule]]
name = "forward-forward"
slope = "assumed"
"""


def _exit_in_c(status):
    ctypes.CDLL(None)._exit(status)


def _raise():
    raise RuntimeError("an error of its own")


@pytest.mark.parametrize(
    "act, how",
    [
        (lambda: _exit_in_c(3), "exit code 3"),
        (lambda: _exit_in_c(0), "exit code 0"),
        (lambda: ctypes.string_at(0), "SIGSEGV"),
        (os.abort, "SIGABRT"),
        (lambda: os._exit(5), "exit code 5"),  # outside of any guard
        (_raise, None),
        (sys.exit, None),
        (lambda: (torch.ones(300, 300) @ torch.ones(300, 300)).sum(), None),
        (lambda: os.kill(os.getpid(), 9), None),  # by whoever is short of memory
    ],
)
def test_an_end_of_the_process_is_told_and_an_error_is_not(act, how):
    def with_name():
        with guarded("mine.py:Chip"):
            act()

    end = rehearse(act if how == "exit code 5" else with_name)
    assert end == (how and End("its code" if how == "exit code 5" else "mine.py:Chip", how))
    assert not process_state.listeners


def test_the_last_to_run_is_named():
    def both():
        for name in ("mine.py:One", "mine.py:Other"):
            with guarded(name):
                name.endswith("Other") and _exit_in_c(1)

    assert rehearse(both) == End("mine.py:Other", "exit code 1")


def test_what_hangs_in_a_child_is_left_to_the_parent(monkeypatch):
    monkeypatch.setattr(rehearsal, "LONGEST_SECONDS", 0.2)
    assert rehearse(lambda: time.sleep(100)) is None


def test_nothing_is_forked_beside_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(rehearse(lambda: _exit_in_c(3))))
    thread.start()
    thread.join()
    assert found == [None]


@pytest.mark.parametrize("how, said", [("exits", "exit code 0"), ("faults", "SIGSEGV")])
def test_a_plug_in_that_ends_its_process_is_a_mistake(how, said, tmp_path, capsys):
    (tmp_path / "mine.py").write_text(CHIP)
    (tmp_path / "s.toml").write_text(STUDY)
    sentence = f"Expected code that leaves the process running. Got its end with {said} while it was tried. Mend it"
    told = ["--set", f'device.how="{how}"']
    before = sorted(tmp_path.rglob("*"))
    for command in (
        ["run", str(tmp_path / "s.toml"), "--out", str(tmp_path / "out"), "--workers", "0", *told],
        ["check", f"{tmp_path}/mine.py:Chip", "--set", f"how={how}"],
    ):
        with pytest.raises(SystemExit) as stop:
            main(command)
        assert stop.value.code == 2
        assert sentence in " ".join(capsys.readouterr().err.split())
    assert sorted(tmp_path.rglob("*")) == before


def test_a_registered_device_is_not_tried_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    (tmp_path / "s.toml").write_text(STUDY.replace("mine.py:Chip", "ideal"))
    require_survivors(read_document(tmp_path / "s.toml"), tmp_path, ())
