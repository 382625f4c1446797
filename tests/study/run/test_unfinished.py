"""A long task that is killed goes on from its last look, as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest
import torch
from rich.console import Console

from analogff.study.read.spec import read_study
from analogff.study.results.parts import StoreError
from analogff.study.results.store import load_measurements, load_results
from analogff.study.run import execute, unfinished
from analogff.study.run.engine import run_study
from analogff.study.task import key_of
from tests.study.conftest import DEVICE, HEAD, RULE
from tests.study.results.test_integrity import flip
from tests.study.run.test_study_run import RULES, same

LONG = HEAD.replace("epochs = 1", "epochs = 5\nevaluate_every = 2\njitter = 1\nflip = true")
NOISY = DEVICE + "read_noise = 0.05\n"


class Killed(Exception):
    """Stands in for a signal."""


@pytest.fixture
def kept_at_each_look(monkeypatch):
    monkeypatch.setattr(unfinished, "EVERY_SECONDS", 0.0)


def run(path, out, console=None):
    return run_study(read_study(path, ()), out, workers=0, console=console or Console(quiet=True))


def stop_after_keeping(monkeypatch, looks):
    """Let every task be kept so many times and then break."""
    times = {}

    def keep(self, *state):
        kept(self, *state)
        times[self.task.key] = times.get(self.task.key, 0) + 1
        if times[self.task.key] == looks:
            raise Killed

    kept = unfinished.Unfinished.keep
    monkeypatch.setattr(unfinished.Unfinished, "keep", keep)


@pytest.mark.slow
@pytest.mark.parametrize("looks", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_task_goes_on_to_the_same_numbers(write_study, tmp_path, monkeypatch, kept_at_each_look, looks):
    path = write_study(head=LONG, device=NOISY, rule=RULES)
    run(path, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        stop_after_keeping(patch, looks)
        assert len(run(path, tmp_path / "out").failures) == 3  # one a rule
    assert len(list((tmp_path / "out" / "unfinished").iterdir())) == 3

    trained = []
    step = execute.train
    monkeypatch.setattr(
        execute, "train", lambda *a, progress, **k: trained.append(progress.epoch) or step(*a, progress=progress, **k)
    )
    told = Console(record=True, quiet=False, file=open(os.devnull, "w"), width=200)
    assert run(path, tmp_path / "out", told).computed == 6
    assert trained == [2 * looks] * 3
    assert "6 runs go on from where they were." in told.export_text()
    mine, theirs = (load_measurements(f) | {"": load_results(f)} for f in (tmp_path / "out", tmp_path / "undisturbed"))
    assert mine.keys() == theirs.keys() == {"goodness", "layers", ""}
    for name, frame in mine.items():
        same(frame.assign(wall_seconds=0.0), theirs[name].assign(wall_seconds=0.0))
    assert not (tmp_path / "out" / "unfinished").exists()


def test_a_short_task_writes_nothing_on_its_way(write_study, tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "save", lambda *_: pytest.fail("Written."))
    assert not run(write_study(head=LONG, rule=RULE), tmp_path / "out").failures


def test_a_task_that_cannot_be_kept_goes_on(write_study, tmp_path, monkeypatch, kept_at_each_look):
    tried = []
    monkeypatch.setattr(unfinished, "save", lambda state, path: tried.append(path) or 1 / 0)
    told = Console(record=True, file=open(os.devnull, "w"), width=200)
    assert run(write_study(head=LONG, rule=RULE), tmp_path / "out", told).computed == 2
    assert len(tried) == len(set(tried)) == 2  # once a task
    said = " ".join(told.export_text().split())
    assert said.count(f"Expected to keep unfinished tasks in {tmp_path / 'out' / 'unfinished'}. Got ZeroDivision") == 1
    assert "They go on, and begin anew if the run is interrupted." in said


@pytest.mark.slow
def test_a_grown_study_keeps_what_was_begun(write_study, tmp_path, monkeypatch, kept_at_each_look):
    """However the rest is packed now, a bank that was begun stays together."""
    with monkeypatch.context() as patch:
        stop_after_keeping(patch, 1)
        begun = run(write_study(head=LONG.replace("chips = 2", "chips = 4"), rule=RULE), tmp_path / "out").failures
    assert [len(outcome.task.runs) for outcome in begun] == [2, 2]
    grown = write_study(head=LONG.replace("chips = 2", "chips = 5"), rule=RULE)
    told = Console(record=True, file=open(os.devnull, "w"), width=200)
    assert run(grown, tmp_path / "out", told).computed == 5
    assert "4 runs go on from where they were." in told.export_text()
    run(grown, tmp_path / "whole")
    same(load_results(tmp_path / "out"), load_results(tmp_path / "whole"))


def test_our_files_of_no_use_are_removed_and_nobody_elses(write_study, tmp_path):
    folder = tmp_path / "out" / "unfinished"
    folder.mkdir(parents=True)
    stale = f"{key_of(['of another study'])}.pt"
    torch.save({"runs": ["of another study"]}, folder / stale)
    (folder / f".{stale}-1.tmp").write_bytes(b"half of a file")
    torch.save({"runs": ["of another study"]}, folder / "0123456789abcdef.pt")  # whose name is not of its runs
    foreign = ["0123456789abcdef.pt", "mine.pt", "notes.txt", ".draft.tmp", ".mine.pt-1.tmp"]
    for name in foreign[1:]:
        (folder / name).write_bytes(b"somebody's")
    assert run(write_study(head=LONG, rule=RULE), tmp_path / "out").computed == 2
    assert sorted(path.name for path in folder.iterdir()) == sorted(foreign)


def test_a_damaged_file_of_ours_is_named_before_anything_runs(write_study, tmp_path):
    folder = tmp_path / "out" / "unfinished"
    folder.mkdir(parents=True)
    torn = folder / f"{key_of(['a'])}.pt"
    torn.write_bytes(b"half of a file")
    with pytest.raises(StoreError, match=f"Expected {torn} to hold runs.*Remove it; they will begin anew."):
        run(write_study(head=LONG, rule=RULE), tmp_path / "out")
    assert torn.exists()


def test_a_flipped_bit_in_a_kept_task_is_noticed(write_study, tmp_path, monkeypatch, kept_at_each_look):
    path = write_study(head=LONG.replace("chips = 2", "chips = 1"), rule=RULE)
    with monkeypatch.context() as patch:
        stop_after_keeping(patch, 1)
        run(path, tmp_path / "out")
    (kept,) = (tmp_path / "out" / "unfinished").iterdir()
    with zipfile.ZipFile(kept) as archive:
        weights = max((archive.read(name) for name in archive.namelist() if "/data/" in name), key=len)
    flip(kept, kept.read_bytes().index(weights) + len(weights) // 2)
    (failed,) = run(path, tmp_path / "out").failures
    assert f"Expected {kept} to restore its runs. Got ValueError" in failed.failure and "damage" in failed.failure


def test_a_file_that_does_not_fit_is_named(write_study, tmp_path, monkeypatch, kept_at_each_look):
    path = write_study(head=LONG.replace("chips = 2", "chips = 1"), rule=RULE)
    with monkeypatch.context() as patch:
        stop_after_keeping(patch, 1)
        run(path, tmp_path / "out")
    (kept,) = (tmp_path / "out" / "unfinished").iterdir()
    torch.save({"runs": torch.load(kept)["runs"], "run": {}, "looks": {}}, kept)
    (failed,) = run(path, tmp_path / "out").failures
    assert f"Expected {kept} to restore its runs. Got KeyError" in failed.failure
    assert "Remove it; they will begin anew." in failed.failure


KILLED = """
import sys
from pathlib import Path
from analogff.study.run import unfinished
from analogff.study.run.engine import run_study
from analogff.study.read.spec import read_study
unfinished.EVERY_SECONDS = 0.0
run_study(read_study(Path(sys.argv[1]), ()), Path(sys.argv[2]), workers=0)
"""


@pytest.mark.slow
def test_a_real_kill(write_study, tmp_path):
    path = write_study(head=LONG.replace("epochs = 5", "epochs = 400").replace("chips = 2", "chips = 1"), rule=RULE)
    driver = subprocess.Popen([sys.executable, "-c", KILLED, path, tmp_path / "out"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/unfinished/*.pt")):
        assert time.monotonic() < deadline and driver.poll() is None
        time.sleep(0.02)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    finished = run(path, tmp_path / "out")
    assert finished.computed == 1 and not finished.failures
    assert list(load_results(tmp_path / "out")["epoch"]) == list(range(2, 401, 2))
