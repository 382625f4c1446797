"""Parameters that are files: seen from the study file, and part of what decides a run's numbers."""

import pytest

from analogff.cli import main
from analogff.study.read.spec import read_study
from analogff.study.run.plan import plan_runs
from analogff.support.mistakes import StudyError

CHIP = """
from pathlib import Path
import torch
from analogff import Device
from analogff.device import ContractError

class Scaled(Device):
    def __init__(self, n_in, n_out, *, seed, file: Path, other: Path | None = None):
        super().__init__(n_in, n_out)
        text = file.read_text()
        if not text.strip():
            raise ContractError(f"Expected a number in {file.name}. Got nothing. Write one.")
        self.gain = float(text)

    def measure(self, x, bias=None):
        return torch.tanh(self.gain * (x if bias is None else x + bias))
"""
FF = '[[rule]]\nname = "forward-forward"\n'
DEVICE = '[device]\nmodel = "mine.py:Scaled"\nfile = "data/gain.txt"\n'


@pytest.fixture
def write(write_study, tmp_path):
    def make(text="1.0", device=DEVICE, rule=FF, **parts):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "gain.txt").write_text(text)
        return write_study(device=device, rule=rule, files={"mine.py": CHIP}, **parts)

    return make


def keys(path):
    return [run.key for run in plan_runs(read_study(path))]


def test_a_run_is_another_one_when_its_file_was_edited(write, monkeypatch):
    study = write()
    before = keys(study)
    monkeypatch.chdir("/")
    assert keys(study) == before
    write("2.0")
    assert not set(keys(study)) & set(before)
    write("1.0")
    assert keys(study) == before


@pytest.mark.slow
def test_a_study_runs_from_anywhere_and_sweeps_files(write, tmp_path, monkeypatch, capsys):
    study = write(
        sweep='[sweep]\n"device.file" = ["data/gain.txt", "half.txt"]\n',
    )
    (tmp_path / "half.txt").write_text("0.5")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    with pytest.raises(SystemExit) as stop:
        main(["run", str(study), "--out", str(tmp_path / "out"), "--workers", "0"])
    assert stop.value.code == 0, capsys.readouterr()
    from analogff.study.results.store import load_results

    results = load_results(tmp_path / "out")
    losses = results.groupby("device.file")["train_loss"].mean()
    assert set(losses.index) == {"data/gain.txt", "half.txt"} and losses.nunique() == 2


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (DEVICE.replace("gain.txt", "gian.txt"), ("device.file: Expected a file.", "gian.txt, which is not there.", "Did you mean gain.txt?")),
        (DEVICE.replace('"data/gain.txt"', '"data"'), ("device.file: Expected a file.",)),
        (DEVICE.replace('"data/gain.txt"', "3"), ("device.file: Expected", "Got 3.")),
        (DEVICE.replace('file = "data/gain.txt"\n', ""), ("device.file: Expected a value", "Got nothing. Add file = ...",)),
    ],
)  # fmt: skip
def test_a_file_that_is_not_there_is_named(write, device, said):
    with pytest.raises(StudyError) as refused:
        read_study(write(device=device))
    assert all(part in str(refused.value) for part in said), str(refused.value)


def test_what_a_device_says_of_its_file_is_said_once(write):
    with pytest.raises(StudyError) as refused:
        read_study(write(" "))
    assert str(refused.value) == "device: Expected a number in gain.txt. Got nothing. Write one."


def test_on_the_command_line_a_file_is_seen_from_here(write, tmp_path, monkeypatch, capsys):
    write()
    monkeypatch.chdir(tmp_path)
    for setting, status, said in (
        (["--set", "file=data/gain.txt"], 0, "honors all"),
        (["--set", "file=gain.txt"], 2, "--set.file: Expected a file. Got"),
        ([], 2, "Got nothing. Add --set file=..."),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["check", "mine.py:Scaled", *setting])
        out = capsys.readouterr()
        assert stop.value.code == status and said in out.out + out.err
