"""Tuning: equal trials on other chips choose the options that a study runs with."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analogff.cli import main
from analogff.study.read.spec import read_study
from analogff.study.read.trials import shares
from analogff.study.read.tune import FIRST_SEED
from analogff.study.results.choice import describe_choice, read_choice
from analogff.study.results.parts import StoreError
from analogff.study.results.store import load_results
from analogff.study.run import engine, tuning
from analogff.study.run.engine import run_study
from analogff.study.run.plan import plan_runs
from analogff.support.mistakes import StudyError
from tests.study.conftest import DEVICE, HEAD, RULE

FF = '[[rule]]\nname = "forward-forward"\nslope = "assumed"\n'
TUNE = "[tune]\ntrials = 3\n"
SWEEP = '[sweep]\n"device.read_noise" = [0.0, 0.1]\n'


def said(study, out) -> str:
    console = Console(file=io.StringIO(), width=300)
    run_study(study, out, workers=0, console=console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def written(choice: dict, slope: str | None = "assumed") -> str:
    """Return the chosen rules as a user would write them."""
    tables = []
    for rule in choice["rules"]:
        options = {"name": rule["rule"]} | rule["options"] | ({"slope": slope} if rule["rule"] != "backprop" else {})
        tables.append("[[rule]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items()))
    return "".join(tables)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    path = folder / "study.toml"
    path.write_text(f"{HEAD}{DEVICE}{RULE}{FF}{TUNE}")
    return path, folder / "out", said(read_study(path), folder / "out")


def parts(folder: Path) -> dict[Path, int]:
    return {part: part.stat().st_mtime_ns for part in folder.rglob("part-*.parquet")}


@pytest.mark.slow
def test_every_rule_has_equal_trials_on_chips_that_are_not_of_the_study(tuned):
    _, out, told = tuned
    assert "Tuning: 6 trials of 2 rules on 2 other chips" in told
    trials, results = load_results(out / "tuning"), load_results(out)
    assert (trials.groupby(["rule", "trial"])["chip"].nunique() == 2).all() and len(trials) == 2 * 3 * 2
    assert not {*trials["chip"]} & {*results["chip"]} and not {*trials["seed"]} & {*results["seed"]}
    assert trials["test_error"].isna().all() and trials["validation_error"].notna().all()
    first = trials[trials["trial"] == 0]
    assert set(first["rule.learning_rate"]) == {0.001, 0.0015} and set(first["rule.batch"]) == {100}  # the defaults
    assert set(trials.loc[trials["rule"] == "forward-forward", "rule.slope"]) == {"assumed"}  # written, so not tuned


@pytest.mark.slow
def test_the_least_validation_error_is_chosen_and_the_study_runs_with_it(tuned):
    _, out, _ = tuned
    trials, choice = load_results(out / "tuning"), read_choice(out)
    assert choice is not None
    errors = trials.groupby(["rule", "trial"])["validation_error"].mean()
    for rule in choice["rules"]:
        own = errors[rule["rule"]]
        np.testing.assert_allclose([t["validation_error"] for t in rule["trials"]], own)
        assert rule["chosen"] == own.idxmin()
        ran = load_results(out).query("rule == @rule['rule']")
        for option, value in rule["options"].items():
            assert set(ran[f"rule.{option}"]) == {value}


def test_a_study_with_the_chosen_options_written_out_has_the_same_runs(tuned, tmp_path):
    out, path = tmp_path / "out", tmp_path / "written.toml"
    shutil.copytree(tuned[1], out)
    path.write_text(f"{HEAD}{DEVICE}{written(read_choice(out) or {})}")
    by_hand = plan_runs(read_study(path))
    assert [run.key for run in by_hand] == list(load_results(out)["run"].unique())
    assert run_study(read_study(path), out, workers=0, console=Console(quiet=True)).computed == 0


@pytest.mark.slow
def test_a_run_that_ends_between_tuning_and_study_goes_on_there(tuned, tmp_path, monkeypatch):
    path, whole, _ = tuned
    out = tmp_path / "out"

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(engine, "with_choice", die)
        said(read_study(path), out)
    before = parts(out)
    assert before and all("tuning" in part.parts for part in before)
    told = said(read_study(path), out)
    assert "All 12 runs are there already." in told
    assert before.items() <= parts(out).items()
    pd.testing.assert_frame_equal(
        load_results(out).drop(columns="wall_seconds"), load_results(whole).drop(columns="wall_seconds")
    )
    again = parts(out)
    assert "All 4 runs are there already." in said(read_study(path), out) and parts(out) == again


@pytest.mark.slow
def test_more_trials_keep_those_that_are_there(tuned, tmp_path):
    path, _, _ = tuned
    out = tmp_path / "out"
    said(read_study(path), out)
    assert "12 runs are there already, 8 are left." in said(read_study(path, ["tune.trials=5"]), out)
    with pytest.raises(StoreError, match="another study"):
        said(read_study(path, ["layers=[9]"]), out)


def choice_among(study, folder, monkeypatch, errors, diverged=()):
    """Choose as if trials of the only rule had these validation errors, and test errors that favor the last."""
    assert study.tuning is not None
    runs = plan_runs(tuning.trial_study(study, study.tuning))
    rows = [(run.key, 1, run.case.values["trial"], run.chip) for run in runs]
    frame = pd.DataFrame(rows, columns=["run", "epoch", "trial", "chip"])
    frame["validation_error"] = [errors[n][run.chip - FIRST_SEED] for n, run in zip(frame["trial"], runs, strict=True)]
    frame["test_error"] = 50.0 - frame["trial"]
    frame["diverged"] = [
        (n, chip - FIRST_SEED) in diverged for n, chip in zip(frame["trial"], frame["chip"], strict=True)
    ]
    monkeypatch.setattr(tuning, "load_results", lambda _: frame)
    (folder / "tuning").mkdir()
    tuning.with_choice(study, study.tuning, folder)
    (rule,) = (read_choice(folder) or {})["rules"]
    return rule


@pytest.mark.parametrize(
    ("errors", "diverged", "chosen", "least"),
    [
        ([(9, 9), (5, 6), (7, 2)], (), 2, 4.5),
        ([(9, 9), (5, 6), (7, 2)], {(2, 1)}, 1, 5.5),  # 7 and 100
        ([(9, 9), (9, 9), (9, 9)], (), 0, 9),  # as written, unless others are better
        ([(9, np.nan), (90, 90), (99, 99)], (), 0, 54.5),  # an undefined error counts as 100
    ],
)
def test_diverged_counts_as_all_wrong_and_test_errors_count_for_nothing(
    errors, diverged, chosen, least, write_study, tmp_path, monkeypatch
):
    study = read_study(write_study(sweep=TUNE))
    rule = choice_among(study, tmp_path, monkeypatch, errors, diverged)
    assert rule["chosen"] == chosen and rule["trials"][chosen]["validation_error"] == least


def test_what_is_written_or_swept_is_not_tuned(write_study):
    study = read_study(
        write_study(rule=RULE + "batch = 50\n" + FF, sweep=TUNE + '[sweep]\n"rule.learning_rate" = [0.001, 0.01]\n')
    )
    assert study.tuning is not None
    spaces = [set(search.space) for search in study.tuning.searches]
    assert spaces == [
        {"decay_from", "max_step"},
        {"decay_from", "max_step"},
        {"batch", "label_strength"},
        {"batch", "label_strength"},
    ]
    for search in study.tuning.searches:
        for trial in search.trials:
            case = study.cases[search.cases[0]]
            told = {name: value for name, value in case.rule.options.items() if name not in search.space}
            assert told.items() <= trial.case.rule.options.items()


def test_a_choice_serves_all_points_or_each_has_its_own(write_study):
    path = write_study(rule=RULE + FF, sweep=TUNE + SWEEP)
    first, each = (read_study(path, [f"tune.points={points}"]).tuning for points in ("first", "each"))
    assert first is not None and each is not None
    assert [search.cases for search in first.searches] == [(0, 1), (2, 3)]
    assert [search.cases for search in each.searches] == [(0,), (1,), (2,), (3,)]
    noises = [search.trials[0].case.devices[0].parameters["read_noise"] for search in each.searches]
    assert noises == [0.0, 0.1, 0.0, 0.1]
    assert {s.trials[0].case.devices[0].parameters["read_noise"] for s in first.searches} == {0.0}


@pytest.mark.slow
def test_a_rule_keeps_its_name_over_points_that_chose_different_options(write_study, tmp_path, monkeypatch):
    study = read_study(write_study(rule=RULE + FF, sweep=TUNE + 'points = "each"\n' + SWEEP))
    assert study.tuning is not None
    said(study, tmp_path / "out")
    frame = load_results(tmp_path / "out")
    assert frame.groupby("rule")["label"].nunique().to_dict() == {"backprop": 1, "forward-forward": 1}
    told = list(describe_choice(read_choice(tmp_path / "out") or {}))
    assert any(line.startswith("  FF (read noise = 0.1):") for line in told)


@pytest.mark.slow
def test_controls_take_the_options_of_their_rule_and_its_name(write_study, tmp_path):
    study = read_study(write_study(rule=FF, more="controls = true\n", sweep=TUNE))
    assert study.tuning is not None and all(len(search.cases) == 1 for search in study.tuning.searches)
    said(study, tmp_path)
    choice, frame = read_choice(tmp_path) or {}, load_results(tmp_path)
    assert frame["control"].nunique() == 3 and set(frame["label"]) == {"FF"}
    for option, value in choice["rules"][0]["options"].items():
        assert set(frame[f"rule.{option}"]) == {value}
    path = write_study(rule=written(choice), more="controls = true\n", name="written.toml")
    assert [run.key for run in plan_runs(read_study(path))] == list(frame["run"].unique())


def test_a_value_at_an_end_of_its_range_is_warned_of(write_study, tmp_path, monkeypatch):
    rule = choice_among(read_study(write_study(sweep=TUNE)), tmp_path, monkeypatch, [(3, 3), (2, 2), (1, 1)])
    lines = {}
    for share in (0.5, 0.97):
        changed = rule | {"shares": rule["shares"] | {"learning_rate": share, "decay_from": 0.5}}
        lines[share] = list(describe_choice({"tune": {"points": "first"}, "rules": [changed]}))
    assert len(lines[0.5]) == 2 and len(lines[0.97]) == 3
    assert "learning_rate" in lines[0.97][-1] and "lies at an end of its range (0.0001 to 0.01" in lines[0.97][-1]


def test_trials_that_are_the_same_run_are_run_once(write_study):
    study = read_study(write_study(rule=RULE + RULE + 'learning_rate = 0.001\nlabel = "fixed"\n', sweep=TUNE))
    assert study.tuning is not None
    trials = tuning.trial_study(study, study.tuning)
    assert len(trials.cases) == 2 * 3 - 1  # both have the defaults among their trials
    assert len(plan_runs(trials)) == 5 * 2


def test_trials_fill_the_cube_evenly_and_more_begin_with_the_same():
    """Of 2^m points of a Sobol sequence every interval of 2^-m has one, on each axis."""
    some, more = shares(3, 5, seed=1), shares(3, 16, seed=1)
    np.testing.assert_array_equal(some, more[:5])
    for axis in more.T:
        assert sorted(np.floor(16 * axis)) == list(range(16))
    assert not np.array_equal(shares(3, 5, seed=2), some)


def test_all_mistakes_are_told_at_once(write_study, capsys):
    study = write_study(
        head=HEAD.replace("validation_images = 50", "validation_images = 0"),
        device=DEVICE + "read_noise = -1\n",
        sweep="[tune]\nchips = [1, 1000000]\n",
    )
    with pytest.raises(SystemExit) as stop:
        main(["run", str(study)])
    told = capsys.readouterr().err
    assert stop.value.code == 2 and "3 mistakes, so nothing was run." in told
    for start in (
        "validation_images: Expected more than 0 beside [tune]",
        "tune.chips: Expected other chips than those of the study. Got [1].",
        "device.read_noise: Expected",
    ):
        assert f"  {start}" in told, start
    wrong = "[tune]\ntrials = 1\nchips = [5, 5]\nepoch = 3\npoints = 'last'\nseed = -1\n"
    with pytest.raises(StudyError) as refused:
        read_study(write_study(sweep=wrong, rule=RULE + "learning_rate = -1\n"))
    paths = {mistake.path for mistake in refused.value.mistakes}
    assert paths == {"tune.trials", "tune.chips", "tune.epoch", "tune.points", "tune.seed", "rule.0.learning_rate"}


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"more": "tune = true\n"}, "tune: Expected a table. Got true."),
        ({"sweep": TUNE + '[sweep]\n"tune.trials" = [3, 4]\n'}, "sweep.tune.trials: Expected a path that can be swept"),
        ({"sweep": "[tune]\ntrials = 90000\n"}, "tune: Expected at most 100,000 runs. Got 180,000."),
        (
            {"rule": RULE + "learning_rate = 0.01\nbatch = 50\ndecay_from = 0.5\nmax_step = 'auto'\n", "sweep": TUNE},
            "tune: Expected at least one rule with an option to tune. Got rules whose options are all written or swept.",
        ),
        (
            {"sweep": TUNE + "[sweep]\nvalidation_images = [50, 0]\n"},
            "sweep.validation_images: Expected more than 0 beside [tune]",
        ),
    ],
)
def test_a_tuning_that_cannot_be_is_refused(parts, told, write_study):
    with pytest.raises(StudyError, match=".") as refused:
        read_study(write_study(**parts))
    assert told in str(refused.value)


RULE_FILE = """
from analogff.learning.search_space import Choice
from analogff.rules.backprop import Backprop
class Odd(Backprop):
    @classmethod
    def search_space(cls, options):
        return {SPACE}
"""


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ('{"through": Choice(("twin", "oracle"))}', "leave what it must see and program"),
        ('{"inertia": Choice((1, 2))}', "a Range for each of some options of rule.py:Odd. Got inertia."),
        ('{"batch": [1, 2]}', "Got batch."),
        ('{"batch": Choice((1, 0.5))}', "to say what can be tuned"),
        ("1 / 0", "rule.py:Odd to say what can be tuned. Got ZeroDivisionError"),
    ],
)
def test_a_rule_with_a_wrong_search_space_is_named(space, told, write_study):
    path = write_study(
        rule='[[rule]]\nname = "rule.py:Odd"\n',
        files={"rule.py": RULE_FILE.replace("{SPACE}", space)},
        sweep="[tune]\ntrials = 9\n",
    )
    with pytest.raises(StudyError) as refused:
        read_study(path)
    assert "rule: Expected" in str(refused.value) and told in str(refused.value)


@pytest.mark.slow
def test_a_trial_that_fails_is_reported_and_the_study_waits(write_study, tmp_path, capsys):
    broken = RULE_FILE.replace("return {SPACE}", 'return {"batch": Choice((50,))}') + (
        "    def step(self, images, labels):\n        assert self.options.batch != 50, 'the fuse blew'\n"
        "        return super().step(images, labels)\n"
    )
    path = write_study(rule='[[rule]]\nname = "rule.py:Odd"\n', files={"rule.py": broken}, sweep=TUNE)
    with pytest.raises(SystemExit) as stop:
        main(["run", str(path), "--out", str(tmp_path / "out"), "--workers", "0"])
    told = capsys.readouterr()
    assert stop.value.code == 1 and "the fuse blew" in told.err and "follows" not in told.out
    assert not (tmp_path / "out" / "results").exists()
