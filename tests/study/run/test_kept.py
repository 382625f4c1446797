"""Kept chips are exact, stay as they are when somebody looks, and are refused where they are damaged."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from rich.console import Console

from analogff.api.results import Results
from analogff.cli import main
from analogff.figures import draw_all
from analogff.study.case import LINEAR_DIGITAL
from analogff.study.read.spec import read_study
from analogff.study.results.parts import StoreError
from analogff.study.results.store import load_results
from analogff.study.run.engine import run_study
from analogff.study.run.look_again import look_again
from analogff.support.mistakes import StudyError
from analogff.training.checkpoint import load, save
from tests.study.conftest import DEVICE, HEAD, RULE
from tests.study.run.test_life import FORWARD, IDEAL, event

KEEP = "keep = true\n"
QUIET = DEVICE + "read_noise = 0.0\n"


def done(path, out):
    assert not run_study(read_study(path, ()), out, workers=0, console=Console(quiet=True)).failures
    return load_results(out)


def sums(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*.p*"))}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """Kept chips without noise, which looks leave as they are."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "study.toml").write_text(f"{HEAD}{KEEP}{QUIET}{RULE}")
    return folder / "out", done(folder / "study.toml", folder / "out")


@pytest.mark.parametrize("device", [IDEAL, QUIET])
def test_kept_chips_answer_as_they_did(device, write_study, tmp_path):
    trained = done(write_study(more=KEEP, device=device, rule=RULE + FORWARD), tmp_path / "out")
    before = sums(tmp_path / "out")
    again = look_again(tmp_path / "out").set_index("run").loc[trained["run"]]
    for error in ("test_error", "validation_error"):
        np.testing.assert_array_equal(again[error], trained[error])
    assert sums(tmp_path / "out") == before and len(before) > 4


@pytest.mark.slow
def test_they_answer_under_other_conditions(quiet):
    folder, trained = quiet
    drowned = look_again(folder, ["device.read_noise=50.0"])
    assert (np.abs(drowned["test_error"] - 90) < 4 * 100 * np.sqrt(0.1 * 0.9 / 360)).all()
    one = look_again(folder, ["device.0.read_noise=50.0"])  # the one layer, the head is digital
    assert one.equals(drowned)
    again = look_again(folder).set_index("run").loc[trained["run"]]
    np.testing.assert_array_equal(again["test_error"], trained["test_error"])


def test_they_age(write_study, tmp_path):
    pcm = '\n[device]\nmodel = "pcm"\n'
    done(write_study(more=KEEP, device=pcm), tmp_path / "out")
    soon, late = (look_again(tmp_path / "out", [f"wait={t}"])["test_error"] for t in ("1 second", '"1 year"'))
    assert not soon.equals(late)


@pytest.mark.slow
def test_they_are_kept_at_the_end_of_their_life(write_study, tmp_path):
    life = event("copy", to=9) + event("set", path='"device.mismatch"', value=0.0)
    done(write_study(more=KEEP, device=QUIET, sweep=life), tmp_path / "out")
    assert (look_again(tmp_path / "out")["chip_now"] == 9).all()


def test_a_study_without_them_says_what_to_write(write_study, tmp_path):
    done(write_study(), tmp_path / "out")
    with pytest.raises(StoreError, match="to hold trained chips. Got none. Write keep = true"):
        look_again(tmp_path / "out")


def test_a_damaged_file_is_named(write_study, tmp_path):
    done(write_study(more=KEEP), tmp_path / "out")
    file = next((tmp_path / "out/chips").iterdir())
    file.write_bytes(file.read_bytes()[:-100])
    once = rf"^Expected {file} as analogff wrote it. Got damage \(File is not a zip file\). Remove it"
    with pytest.raises(StoreError, match=once):
        look_again(tmp_path / "out")
    with pytest.raises(StoreError, match=once):  # and not that no chips were kept
        draw_all(tmp_path / "out", kind="confusion_matrix")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("device.read_nose=0.1", "Did you mean read_noise?"),
        ("device.read_noise=-1.0", "device.read_noise: Expected a number greater than or equal to 0. Got -1.0."),
        ("rule.learning_rate=1.0", "Expected device.PARAMETER, device.LAYER.PARAMETER or wait. Got rule.learning_rate"),
        ("wait=soon", 'wait: Expected seconds, or a text such as 1 day. Got soon. Write --set wait="1 day".'),
        ("wait=-1", "wait: Expected seconds"),
    ],
)
def test_a_mistaken_setting_is_refused(setting, said, quiet):
    with pytest.raises(StudyError) as refused:
        look_again(quiet[0], [setting])
    assert said in str(refused.value)


def test_the_command_prints_then_and_now(quiet, tmp_path, capsys):
    folder, trained = quiet
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", str(folder), "--set", "device.read_noise=50.0", "--csv", str(tmp_path / "a.csv")])
    said = capsys.readouterr().out
    assert not stop.value.code and "as trained / %" in said and "now / %" in said
    assert f"{trained['test_error'].mean():.2f}" in said
    assert (tmp_path / "a.csv").read_text().count("\n") == 3


@pytest.fixture(scope="module")
def beside_controls(tmp_path_factory):
    """Kept chips of two rules at two points, and controls of each rule."""
    folder = tmp_path_factory.mktemp("controls")
    sweep = '\n[sweep]\n"device.read_noise" = [0.0, 0.1]\n'
    (folder / "study.toml").write_text(f"{HEAD}{KEEP}controls = true\n{DEVICE}{RULE}{FORWARD}{sweep}")
    return folder / "out", done(folder / "study.toml", folder / "out")


@pytest.mark.slow
def test_controls_are_nobodys_chips(beside_controls):
    folder, trained = beside_controls
    own = trained[trained["control"].isna()]
    assert len(own) == 8 and len(trained) == 20
    assert set(look_again(folder)["run"]) == set(own["run"])
    with pytest.raises(SystemExit) as left:
        main(["evaluate", str(folder)])
    assert left.value.code == 0


@pytest.mark.slow
def test_controls_that_were_kept_are_left_out(beside_controls, tmp_path):
    """As in folders of version 0.19.0: among other chips, and alone."""
    folder, trained = beside_controls
    shutil.copytree(folder, tmp_path / "out")
    files = sorted((tmp_path / "out/chips").iterdir())
    held = load(files[0])
    described = json.loads(held["task"])
    for run in described["runs"]:
        run |= {"control": LINEAR_DIGITAL, "control_of": run["rule"]}
        run["settings"]["layers"] = []
    save(held | {"task": json.dumps(described)}, files[0])
    left = look_again(tmp_path / "out")
    assert 0 < len(left) < 8 and not set(left["run"]) & {run["key"] for run in described["runs"]}
    for file in files[1:]:
        file.unlink()
    with pytest.raises(StoreError, match="to hold trained chips. Got none. Write keep = true"):
        look_again(tmp_path / "out")


def test_a_chip_of_a_rule_is_no_control(beside_controls):
    folder, trained = beside_controls
    results = Results(folder)
    chip = results.chip(rule="backprop", chip=1, device_read_noise=0.1)
    assert f"{chip!r}" == "KeptChip(backprop, device.read_noise = 0.1, chip 1, seed 0)"
    with pytest.raises(ValueError, match=r"Got 2 of chip 1.*the rules \(backprop, FF\), and values of device"):
        results.chip(rule="backprop", chip=1)


@pytest.mark.parametrize(
    ("file", "said"),
    [("", "--csv: Expected a file. Got the folder"), ("a.txt/b.csv", "--csv: Expected a folder that can be written.")],
)
def test_a_file_that_cannot_be_written_is_told_before_anything_is_read(
    file, said, quiet, tmp_path, monkeypatch, capsys
):
    (tmp_path / "a.txt").write_text("")
    monkeypatch.setattr("analogff.study.run.look_again.look_again", lambda *_: pytest.fail("it looked"))
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", str(quiet[0]), "--csv", str(tmp_path / file)])
    assert stop.value.code == 2 and said in capsys.readouterr().err


def test_a_folder_for_the_errors_is_made(quiet, tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", str(quiet[0]), "--csv", str(tmp_path / "new" / "a.csv")])
    assert not stop.value.code and (tmp_path / "new" / "a.csv").exists()
