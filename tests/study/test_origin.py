"""A run is filed under the key of what it was computed with, or not at all."""

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from analogff.study.read.spec import read_study
from analogff.study.run import dispatch, execute
from analogff.study.run.engine import describe_failure, run_study
from analogff.study.run.plan import plan_runs
from tests.study.conftest import HEAD

FF = '[[rule]]\nname = "forward-forward"\nbatch = 20\nslope = "assumed"\nlabels = "lines"\n'
CHIP = """
from pathlib import Path
import torch
from analogff import Device
from near import gain

class Chip(Device):
    def __init__(self, n_in, n_out, *, seed, file: Path):
        super().__init__(n_in, n_out)
        self.gain = gain * float(file.read_text())
    def measure(self, x):
        return (self.gain * x).relu()
"""
FILES = {"mine.py": CHIP, "near.py": "gain = 1.0\n", "gain.txt": "1.0"}
DEVICE = '[device]\nmodel = "mine.py:Chip"\nfile = "gain.txt"\n'
EDITS = {
    "mine.py": (CHIP.replace("relu", "tanh"), "mine.py:Chip"),
    "near.py": ("gain = 2.0\n", "mine.py:Chip"),
    "gain.txt": ("2.0", "mine.py:Chip"),
    "train.npz": (None, "data set ."),
}


def save_images(folder, seed, name="train.npz"):
    generator = np.random.default_rng(seed)
    np.savez(folder / name, images=generator.random((20, 9)), labels=np.arange(20) % 4)


@pytest.fixture
def study(write_study, tmp_path):
    for name in ("train.npz", "test.npz"):
        save_images(tmp_path, 0, name)
    sizes = HEAD.replace('"digits"', '"."').replace("= 200", "= 10").replace("= 50", "= 5")
    return write_study(head=sizes, device=DEVICE, rule=FF, files=FILES)


def edit(folder, name):
    text, _ = EDITS[name]
    save_images(folder, 1) if text is None else (folder / name).write_text(text)


def undo(folder, name):
    save_images(folder, 0) if EDITS[name][0] is None else (folder / name).write_text(FILES[name])


def run(study, out, workers=0):
    return run_study(study, out, workers=workers, console=Console(file=io.StringIO()))


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_what_was_edited_after_the_study_was_read_is_refused_and_named(study, tmp_path, name):
    read = read_study(study)
    edit(tmp_path, name)
    finished = run(read, tmp_path / "out")
    assert finished.computed == 0 and len(finished.failures) == 2
    told = describe_failure(finished.failures[0])
    assert f"Got another {EDITS[name][1]}. Undo the edit" in told
    assert not list((tmp_path / "out" / "results").iterdir())
    undo(tmp_path, name)
    assert run(read, tmp_path / "out").computed == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_what_was_edited_while_it_was_loaded_is_refused(study, tmp_path, monkeypatch, name):
    build = execute.build

    def edited(*told):
        built = build(*told)
        edit(tmp_path, name)
        return built

    monkeypatch.setattr(execute, "build", edited)
    assert run(read_study(study), tmp_path / "out").computed == 0


@pytest.mark.parametrize(("name", "kept"), [("mine.py", 2), ("near.py", 2), ("train.npz", 2), ("gain.txt", 0)])
def test_what_was_edited_later_counts_where_it_may_still_be_read(study, tmp_path, monkeypatch, name, kept):
    """Code and images are in memory by then; a file that a device was given may be opened at any time."""
    train = execute.train

    def edited(*args, **more):
        edit(tmp_path, name)
        yield from train(*args, **more)
        undo(tmp_path, name) if kept else None

    monkeypatch.setattr(execute, "train", edited)
    assert run(read_study(study), tmp_path / "out").computed == kept


def test_a_comment_is_no_edit(study, tmp_path):
    read = read_study(study)
    (tmp_path / "mine.py").write_text("# Measured in May.\n" + CHIP)
    assert run(read, tmp_path / "out").computed == 2
    assert run(read_study(study), tmp_path / "out").computed == 0  # all there already


@pytest.mark.slow
def test_a_worker_with_other_code_files_nothing(study, tmp_path, monkeypatch):
    """Whatever it computed: its fingerprints come back with the numbers, and are looked at before they are kept."""
    honest = dispatch.execute

    def other(task):
        return dataclasses.replace(honest(task), origin=dict(task.runs[0].origin) | {"analogff": "0.1 0123"})

    monkeypatch.setattr(dispatch, "execute", other)
    finished = run(read_study(study), tmp_path / "out")
    assert finished.computed == 0 and "Got another analogff." in finished.failures[0].failure
    monkeypatch.setattr(dispatch, "execute", lambda task: dataclasses.replace(honest(task), origin=None))
    assert run(read_study(study), tmp_path / "out").computed == 0  # one so old that it tells nothing
    monkeypatch.undo()
    assert run(read_study(study), tmp_path / "out").computed == 2


def test_a_key_is_of_every_fingerprint(study, tmp_path):
    before = plan_runs(read_study(study))
    for name in EDITS:
        edit(tmp_path, name)
        after = plan_runs(read_study(study))
        assert not {run.key for run in before} & {run.key for run in after}
        assert after[0].origin != before[0].origin
        undo(tmp_path, name)
    assert plan_runs(read_study(study))[0].key == before[0].key
