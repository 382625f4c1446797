"""Running, resuming, and running elsewhere: always the same numbers."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import psutil
import pytest
from filelock import FileLock
from rich.console import Console

from analogff.study.read.spec import read_study
from analogff.study.results.parts import StoreError
from analogff.study.results.store import Store, load_measurement, load_results
from analogff.study.run import engine as study_run
from analogff.study.run import status
from analogff.study.run.engine import describe_failure, run_study
from analogff.study.run.execute import Outcome, execute
from analogff.study.run.plan import plan_runs
from analogff.study.task import Task
from tests.study.conftest import DEVICE, HEAD, RULE

FF = '[[rule]]\nname = "forward-forward"\nbatch = 20\n'
RULES = FF + RULE + '[[rule]]\nname = "weight-perturbation"\n'
SWEEP = '[sweep]\n"device.read_noise" = [0.0, 0.1]\n'
LABELS = [
    "run",
    "rule",
    "rule.slope",
    "rule.through",
    "rule.learning_rate",
    "device.read_noise",
    "chip",
    "seed",
    "epoch",
]


def run(path, out, *settings, workers=0, **more):
    return run_study(read_study(path, settings), out, workers=workers, console=Console(quiet=True), **more)


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    """Demand the same table to the last bit, but for the time that it took."""
    pd.testing.assert_frame_equal(a.drop(columns="wall_seconds"), b.drop(columns="wall_seconds"), check_exact=True)


def by_run(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(["run", "epoch"]).reset_index(drop=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    path = folder / "study.toml"
    path.write_text(HEAD.replace("epochs = 1", "epochs = 2") + DEVICE + RULES + SWEEP)
    finished = run(path, folder / "out")
    assert finished.failures == () and finished.computed == 3 * 2 * 2
    return path, folder / "out", load_results(folder / "out")


@pytest.mark.slow
def test_one_row_a_point_rule_chip_seed_and_epoch(undisturbed):
    _, folder, frame = undisturbed
    assert len(frame) == 3 * 2 * 2 * 2
    assert not frame.duplicated(["rule", "device.read_noise", "chip", "seed", "epoch"]).any()
    assert set(LABELS) <= set(frame)
    assert list(frame["rule"].unique()) == ["forward-forward", "backprop", "weight-perturbation"]
    assert list(frame["epoch"][:4]) == [1, 2, 1, 2]
    assert len(pd.read_parquet(folder / "results")) == len(frame)
    assert frame["test_error"].between(0, 100).all() and frame["reads"].gt(0).all()
    assert frame.loc[frame["rule"] != "backprop", "rule.through"].isna().all()


def test_goodness_counts_every_image_once_a_layer_and_polarity(undisturbed):
    _, folder, _ = undisturbed
    frame = load_measurement(folder, "goodness")
    assert set(frame["rule"]) == {"forward-forward"}
    counts = frame.groupby(["run", "layer", "polarity"])["count"].sum()
    assert (counts == 50).all() and len(counts) == 4 * 1 * 2  # the 50 validation images, on 4 chips of one layer
    assert (frame["bin_high"] > frame["bin_low"]).all()


def test_resuming_does_nothing_twice(undisturbed, tmp_path):
    path, folder, frame = undisturbed
    before = {part: part.stat().st_mtime_ns for part in (folder / "results").iterdir()}
    assert run(path, folder).computed == 0
    assert {part: part.stat().st_mtime_ns for part in (folder / "results").iterdir()} == before
    lost = sorted(before)[1]
    runs = set(pd.read_parquet(lost)["run"])
    lost.unlink()
    assert run(path, folder).computed == len(runs)
    same(load_results(folder), frame)


def test_a_chip_is_the_same_alone_and_in_a_bank(undisturbed, tmp_path):
    path, _, frame = undisturbed
    tables = []
    for chip, noise in ((0, 0.1), (1, 0.0)):
        out = tmp_path / f"{chip} {noise}"
        run(path, out, f"chips=[{chip}]", f"sweep.device.read_noise=[{noise}]")
        tables.append(load_results(out))
    alone = pd.concat(tables)
    assert len(alone) == len(frame) / 2
    same(by_run(alone), by_run(frame[frame["run"].isin(alone["run"])]))


@pytest.mark.slow
def test_adding_chips_and_values_keeps_what_is_there(undisturbed, tmp_path):
    path, _, frame = undisturbed
    out = tmp_path / "grows"
    small = ["chips=1", "sweep.device.read_noise=[0.1]"]
    assert run(path, out, *small).computed == 3
    assert run(path, out, "chips=1").computed == 3
    assert run(path, out).computed == 6
    same(load_results(out), frame)
    assert len(pd.read_parquet(out / "results")) == len(frame)


def told(path, out, *settings) -> str:
    console = Console(file=io.StringIO(), width=200)
    run_study(read_study(path, settings), out, workers=0, console=console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_smaller_study_is_the_same_study_and_loses_nothing(undisturbed, tmp_path):
    """Points, chips and rules that were dropped are shown nowhere, and are there when they come back."""
    path, folder, frame = undisturbed
    out = tmp_path / "out"
    shutil.copytree(folder, out)
    smaller = {"chips=1": "chip == 0", "sweep.device.read_noise=[0.1]": "`device.read_noise` == 0.1"}
    for setting, rows in smaller.items():
        said = told(path, out, setting)
        assert "6 runs are no part of the study any more" in said and "All 6 runs are there already." in said
        same(load_results(out), frame.query(rows).reset_index(drop=True))
        assert set(load_measurement(out, "goodness")["run"]) <= set(frame.query(rows)["run"])
    one_rule = tmp_path / "one.toml"
    one_rule.write_text(path.read_text().replace(RULES, FF))
    told(one_rule, out)
    assert set(load_results(out)["rule"]) == {"forward-forward"} and len(load_results(out)) == 8
    assert run(path, out).computed == 0
    same(load_results(out), frame)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (["epochs=1"], "12 runs of another study \\(epochs was 2, and is 1\\)"),
        (["chips=[5]"], "another study \\(chips was .0, 1., and is .5.\\)"),
    ],
)
def test_another_study_is_told_by_what_it_asks(undisturbed, tmp_path, settings, reason):
    path, folder, _ = undisturbed
    with pytest.raises(StoreError, match=f"Got {reason}. Use another --out" if "12" in reason else reason):
        run(path, folder, *settings)


def test_another_version_or_unknown_one_is_told(undisturbed, tmp_path):
    path, folder, _ = undisturbed
    out = tmp_path / "out"
    shutil.copytree(folder, out)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["versions"]["analogff"] = "0.1.0"
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match=r"another version \(0.1.0, now "):
        run(path, out, "chips=1")
    (out / "manifest.json").unlink()
    with pytest.raises(StoreError, match="manifest.json cannot be read"):
        run(path, out, "chips=1")


@pytest.mark.slow
def test_every_edit_of_a_label_takes_effect(write_study, tmp_path):
    out = tmp_path / "out"
    for label in ("first", "second", "[ours] $x$", None, "last"):
        named = f'label = "{label}"\n' if label else ""
        run(write_study(rule=RULE + named), out)
        frame = load_results(out)
        assert set(frame["label"]) == {label} if label else "label" not in frame


@pytest.mark.slow
def test_a_new_axis_names_the_old_runs_too(write_study, tmp_path):
    path, out = write_study(device=DEVICE + "mismatch = 0.1\n"), tmp_path / "out"
    run(path, out)
    assert run(path, out, "sweep.device.mismatch=[0.1, 0.3]").computed == 2
    frame = pd.read_parquet(out / "results")
    assert sorted(frame["device.mismatch"]) == [0.1, 0.1, 0.3, 0.3]


@pytest.mark.slow
def test_a_label_decides_no_number_and_names_what_is_there(write_study, tmp_path):
    run(write_study(rule=RULE + "batch = 50\n" + RULE), tmp_path / "out")
    before = load_results(tmp_path / "out")
    assert "label" not in before
    assert run(write_study(rule=RULE + 'label = "slow"\nbatch = 50\n' + RULE), tmp_path / "out").computed == 0
    after = load_results(tmp_path / "out")
    assert list(after["label"].isna()) == [False, False, True, True] and set(after["label"].dropna()) == {"slow"}
    same(after.drop(columns="label"), before)


def test_an_edited_device_is_another_device(write_study, tmp_path):
    chip = "from analogff import Device\nclass Chip(Device):\n    def measure(self, x):\n        return x.clamp(0, 1)\n"
    path = write_study(
        device='[device]\nmodel = "mine.py:Chip"\n', rule=FF + 'slope = "assumed"\n', files={"mine.py": chip}
    )
    run(path, tmp_path / "out")
    (tmp_path / "mine.py").write_text(chip.replace("(0, 1)", "(0, 2)"))
    with pytest.raises(StoreError, match=r"edited code \(mine.py:Chip\)"):
        run(path, tmp_path / "out")


def test_edited_data_are_other_data(write_study, tmp_path):
    def save(seed):
        generator = np.random.default_rng(seed)
        for name in ("train.npz", "test.npz"):
            np.savez(tmp_path / name, images=generator.random((20, 3, 3)), labels=np.arange(20) % 4)

    sizes = HEAD.replace('"digits"', '"."').replace("= 200", "= 10").replace("= 50", "= 5")
    path = write_study(head=sizes, rule=FF)
    save(0)
    run(path, tmp_path / "out")
    assert run(path, tmp_path / "out").computed == 0
    save(1)
    with pytest.raises(StoreError, match=r"edited data \(\.\)"):
        run(path, tmp_path / "out")


@pytest.mark.slow
def test_runs_that_another_driver_finished_meanwhile_are_not_done_again(undisturbed, tmp_path, monkeypatch):
    """It holds the lock when this one has looked what is there, and gives it back before this one asks for it."""
    path, _, frame = undisturbed
    connect = study_run.connect

    def slowly(*where):
        monkeypatch.undo()
        run(path, tmp_path / "out")  # the other one
        return connect(*where)

    monkeypatch.setattr(study_run, "connect", slowly)
    assert run(path, tmp_path / "out").computed == 0
    same(load_results(tmp_path / "out"), frame)


def test_a_failing_task_is_named_and_tried_again(write_study, tmp_path):
    chip = (
        "from analogff import Device\nclass Chip(Device):\n    def __init__(self, n_in, n_out, *, seed, limit: int = 0):\n"
        "        super().__init__(n_in, n_out)\n        self.limit = limit\n    def measure(self, x):\n"
        "        if self.limit and len(x) > self.limit:\n            raise RuntimeError('too hot')\n        return x.relu()\n"
    )
    path = write_study(
        device='[device]\nmodel = "mine.py:Chip"\n',
        rule=FF + 'slope = "assumed"\n',
        files={"mine.py": chip},
        sweep='[sweep]\n"device.limit" = [0, 5]\n',
    )
    for _ in range(2):
        finished = run(path, tmp_path / "out")
        told = [describe_failure(outcome) for outcome in finished.failures]
        assert all("device.limit = 5" in text and "RuntimeError: too hot (mine.py, line 8)" in text for text in told)
        assert sum(len(outcome.task.runs) for outcome in finished.failures) == 2
        assert set(load_results(tmp_path / "out")["device.limit"]) == {0}
    assert finished.computed == 0


def test_a_diverging_run_is_a_marked_row(write_study, tmp_path):
    sweep = '[sweep]\n"rule.learning_rate" = [0.003, 1e30]\n'
    path = write_study(device='[device]\nmodel = "ideal"\n', rule=FF + 'scale = 12.0\nactivity = "mean"\n', sweep=sweep)
    assert run(path, tmp_path / "out").failures == ()
    frame = load_results(tmp_path / "out")
    assert len(frame) == 4
    assert frame.groupby("rule.learning_rate")["diverged"].all().to_dict() == {0.003: False, 1e30: True}
    assert frame["test_error"].notna().all()


@pytest.mark.slow
def test_two_processes_give_the_same_numbers(undisturbed, tmp_path):
    path, _, frame = undisturbed
    assert run(path, tmp_path / "out", workers=2).failures == ()
    same(load_results(tmp_path / "out"), frame)


@pytest.mark.slow
def test_a_folder_has_one_driver_at_a_time(undisturbed, tmp_path):
    path, _, frame = undisturbed
    with FileLock(tmp_path / "lock"):
        with pytest.raises(StoreError, match="another run is at work in"):
            run(path, tmp_path)
        assert not (tmp_path / "results").exists()
    run(path, tmp_path)
    same(load_results(tmp_path), frame)


@pytest.mark.slow
@pytest.mark.parametrize(("parts", "by"), [(0, "SIGKILL"), (1, "SIGKILL"), (3, "SIGKILL"), (1, "SIGTERM")])
def test_a_killed_run_loses_only_what_was_in_flight(undisturbed, tmp_path, parts, by):
    """Killed as soon as some parts are there, and resumed; no worker outlives its driver."""
    path, _, frame = undisturbed
    out = tmp_path / "out"
    command = [sys.executable, "-m", "analogff", "run", str(path), "--out", str(out), "--workers", "2"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while driver.poll() is None and not _parts(out, parts):
        time.sleep(0.01)
    workers = psutil.Process(driver.pid).children(recursive=True)
    os.kill(driver.pid, getattr(signal, by))
    assert driver.wait() == (-signal.SIGKILL if by == "SIGKILL" else 130)
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    kept = set(pd.read_parquet(out / "results")["run"]) if parts else set()
    assert len(kept) >= parts
    assert run(path, out).computed == 12 - len(kept)
    same(load_results(out), frame)
    assert [p for p in out.rglob(".*")] == []


def _parts(out, least: int) -> bool:
    folder = out / "results"
    return folder.exists() and len(list(folder.glob("part-*.parquet"))) >= least


@pytest.mark.slow
def test_half_a_task_is_cleared_away(undisturbed, tmp_path, monkeypatch):
    """Killed between the goodness and the results of a task, and while a part was being written."""
    path, _, frame = undisturbed
    out = tmp_path / "out"
    write = Store.write

    def only_goodness(self, outcome: Outcome):
        write(self, Outcome(outcome.task, tables={k: t for k, t in outcome.tables.items() if k == "goodness"}))

    monkeypatch.setattr(Store, "write", only_goodness)
    run(path, out)
    monkeypatch.undo()
    assert list((out / "goodness").iterdir()) and not list((out / "results").iterdir())
    (out / "results" / ".part-0123456789abcdef.parquet-1.tmp").write_bytes(b"PAR1 and no more")
    (out / ".manifest.json-1.tmp").write_bytes(b"{")
    assert run(path, out, memory_gib=1e-6).computed == 12  # packed otherwise than before
    same(load_results(out), frame)
    goodness = load_measurement(out, "goodness")
    assert not goodness.duplicated(["run", "layer", "polarity", "bin_low"]).any()
    assert [p for p in out.rglob(".*")] == []


@pytest.mark.slow
def test_what_is_measured_on_a_chip_is_the_same_alone_and_in_a_bank(write_study, tmp_path):
    measured = FF + 'probe = "measured"\nscale = "measured"\nloss = "hinton"\ntheta = "measured"\n'
    path = write_study(rule=measured)
    run(path, tmp_path / "bank")
    run(path, tmp_path / "alone", "chips=[1]")
    bank = load_results(tmp_path / "bank")
    same(by_run(load_results(tmp_path / "alone")), by_run(bank[bank["chip"] == 1]))


def test_a_study_whose_devices_are_all_swept(write_study, tmp_path):
    devices = '[sweep]\ndevice = [{ model = "ideal" }, { model = "unknown", family = "relu" }]\n'
    path = write_study(device="", sweep=devices)
    assert run(path, tmp_path / "out").computed == 4


@pytest.mark.slow
def test_only_some_epochs_are_looked_at_and_always_the_last(write_study, tmp_path):
    path = write_study(rule='[[rule]]\nname = "backprop"\nthrough = "oracle"\n')
    every, some = tmp_path / "every", tmp_path / "some"
    run(path, every, "epochs=5", "device.read_noise=0.0")
    run(path, some, "epochs=5", "device.read_noise=0.0", "evaluate_every=2")
    all_epochs, seen = load_results(every), load_results(some)
    assert list(seen["epoch"]) == [2, 4, 5, 2, 4, 5]
    wanted = all_epochs[all_epochs["epoch"].isin([2, 4, 5])].reset_index(drop=True)
    same(seen.drop(columns="run"), wanted.drop(columns="run"))


def test_a_long_task_tells_where_it_stands(write_study, tmp_path, monkeypatch):
    monkeypatch.setattr(status, "EVERY_SECONDS", 0.0)
    path = write_study(head=HEAD.replace("epochs = 1", "epochs = 3").replace("chips = 2", "chips = 1"))
    heard = io.StringIO()
    run_study(read_study(path, ()), tmp_path / "out", workers=0, console=Console(file=heard))
    first = load_results(tmp_path / "out").query("epoch == 1").validation_error.item()
    assert f"backprop, chip 0, seed 0: {first:.3g} % validation error after epoch 1 of 3\n" in heard.getvalue()


def test_a_task_that_nobody_listens_to_goes_on(write_study, tmp_path, monkeypatch):
    monkeypatch.setattr(status, "EVERY_SECONDS", 0.0)
    runs = plan_runs(read_study(write_study(), ()))
    assert not execute(Task(tuple(runs[:1]), str(tmp_path), kept=str(tmp_path))).failure
