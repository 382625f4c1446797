"""Events after training: each does what it says, costs what it costs, and is the same in a bank and after a kill."""

import numpy as np
import pytest
import torch
from rich.console import Console

from analogff.device.requested import Requested
from analogff.network.compensation import VECTORS
from analogff.study.events import seconds_of
from analogff.study.read.spec import read_study
from analogff.study.results.store import load_measurement, load_results
from analogff.study.run import execute, unfinished
from analogff.study.run.build import build, load_data
from analogff.study.run.changed import keep_what_changed
from analogff.study.run.engine import run_study
from analogff.study.run.kept import kept_chips
from analogff.study.run.life import Life
from analogff.study.run.plan import plan_runs
from analogff.study.task import Task
from analogff.support.mistakes import StudyError
from analogff.training.progress import Progress
from tests.study.conftest import DEVICE, HEAD, RULE
from tests.study.run.test_unfinished import kept_at_each_look, stop_after_keeping  # noqa: F401

IDEAL = '\n[device]\nmodel = "ideal"\n'
FORWARD = '\n[[rule]]\nname = "forward-forward"\n'
LEARNING = HEAD.replace("train_images = 200\n", "").replace("epochs = 1", "epochs = 5").replace("[8]", "[32]")
SHORT = LEARNING.replace("chips = 2", "chips = 1") + "train_images = 500\n"
FAST = "batch = 20\nlearning_rate = 0.01\n"
LOOK = '\n[[event]]\ndo = "evaluate"\n'


def event(do, **fields):
    return f'\n[[event]]\ndo = "{do}"\n' + "".join(f"{name} = {value}\n" for name, value in fields.items())


def lived(path, out):
    finished = run_study(read_study(path, ()), out, workers=0, console=Console(quiet=True))
    assert not finished.failures, finished.failures[0].failure
    return load_measurement(out, "events")


def test_a_look_without_noise_repeats_that_of_the_training(write_study, tmp_path):
    events = lived(write_study(device=IDEAL, sweep=LOOK), tmp_path / "out")
    results = load_results(tmp_path / "out")
    for column in ("test_error", "validation_error", "reads", "pulses", "device_seconds", "system_joules"):
        np.testing.assert_array_equal(events[column], results[column])
    assert list(events["do"]) == ["evaluate"] * 2 and list(events["images"]) == [0, 0]


@pytest.mark.slow
def test_waiting_ages_a_chip_that_drifts_and_no_other(write_study, tmp_path):
    device, life = '\n[device]\nmodel = "DEVICE"\n', LOOK + event("wait", seconds='"1 year"') + LOOK
    for model, ages in (("pcm", True), ("ideal", False)):
        out = tmp_path / model
        events = lived(write_study(device=device.replace("DEVICE", model), sweep=life), out)
        before, after = (events[events["event"] == n].reset_index() for n in (1, 3))
        assert (before["test_error"] != after["test_error"]).any() == ages
        np.testing.assert_allclose(after["age_seconds"] - before["age_seconds"], 365.25 * 86400)
        assert (after["reads"] == before["reads"]).all()  # looks are no part of the price


@pytest.mark.slow
def test_a_parameter_that_is_set_to_what_it_was_changes_nothing(write_study, tmp_path):
    noisy = DEVICE + "read_noise = 0.1\n"
    same = event("set", path='"device.read_noise"', value=0.1)
    one = lived(write_study(device=noisy, rule=RULE + FORWARD, sweep=LOOK), tmp_path / "one")
    other = lived(write_study(device=noisy, rule=RULE + FORWARD, sweep=same + LOOK), tmp_path / "other")
    looks = other[other["do"] == "evaluate"]["test_error"]
    np.testing.assert_array_equal(one["test_error"], looks)


@pytest.mark.slow
def test_a_parameter_that_is_set_acts(write_study, tmp_path):
    """Answers of neurons that are drowned in noise are those of chance."""
    deaf = event("set", path='"device.read_noise"', value=50.0)
    back = event("set", path='"device.read_noise"', value=0.0)
    quiet = DEVICE + "read_noise = 0.0\n"
    events = lived(write_study(device=quiet, sweep=LOOK + deaf + LOOK + back + LOOK), tmp_path / "out")
    first, drowned, again = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3, 5))
    assert (np.abs(drowned - 90) < 4 * 100 * np.sqrt(0.1 * 0.9 / 360)).all()  # 360 images
    np.testing.assert_array_equal(first, again)


@pytest.mark.slow
def test_columns_that_die_are_silent_from_then_on(write_study, tmp_path):
    """With all of them dead the answer is the same for every image."""
    dead = event("set", path='"device.dead_columns"', value=0.999)
    quiet = DEVICE + 'read_noise = 0.0\nfamily = "relu"\n'
    events = lived(write_study(head=SHORT, device=quiet, rule=RULE + FAST, sweep=LOOK + dead + LOOK), tmp_path / "out")
    before, after = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    assert (before < 30).all() and (after > 75).all()


def test_what_training_has_changed_stays_and_all_else_is_new():
    made = {"weights": torch.zeros(2), "noise": torch.tensor(0.1), "reads": torch.tensor(0)}
    now = {"weights": torch.ones(2), "noise": torch.tensor(0.1), "reads": torch.tensor(7)}
    other = {"weights": torch.zeros(2), "noise": torch.tensor(0.3), "reads": torch.tensor(0)}
    kept = keep_what_changed(made, now, other)
    assert {name: value.tolist() for name, value in kept.items()} == {
        "weights": [1.0, 1.0],
        "noise": pytest.approx(0.3),
        "reads": 7,
    }
    with pytest.raises(ValueError, match="its weights has shape"):
        keep_what_changed(made, now, other | {"weights": torch.zeros(3)})
    with pytest.raises(ValueError, match="its reads would be lost"):
        keep_what_changed(made, now, {name: v for name, v in other.items() if name != "reads"})
    dead = {"dead": torch.tensor(True)}  # a fault that is there or not
    assert keep_what_changed(made, now, other | dead)["dead"] and "dead" not in keep_what_changed(
        made | dead, now | dead, other
    )


def test_training_goes_on_with_new_images_and_is_paid(write_study, tmp_path):
    life = event("train", images=100) + event("train", epochs=2) + LOOK
    events = lived(write_study(device=IDEAL, sweep=life), tmp_path / "out")
    trained = load_results(tmp_path / "out").iloc[0]
    rows = events[events["run"] == trained["run"]]
    assert list(rows["images"]) == [100, 500, 500]  # 200 training images, of which 50 more are held out
    read = np.diff([trained["reads"], *rows["reads"]])
    assert read[1] == 4 * read[0] > 0 and read[2] == 0  # 100 images, twice 200, none
    assert rows["test_error"].iloc[-1] < trained["test_error"]
    assert rows["system_joules"].is_monotonic_increasing and rows["age_seconds"].is_monotonic_increasing


COMPENSATED = event("compensate")
DRIFTING = '\n[device]\nmodel = "pcm"\nread_noise = 0.0\nflicker_noise = 0.0\nadc_bits = 0\n'
YEAR = event("wait", seconds='"1 year"')


def test_a_lost_gain_is_measured_and_made_up_for(write_study, tmp_path, monkeypatch):
    """Cells that all drift alike lose one gain, and get it back up to rounding."""
    monkeypatch.setattr("hardware_models.effects.drift.exponent", lambda g, normals: torch.full_like(g, 0.05))
    path = write_study(head=SHORT, device=DRIFTING, rule=FORWARD, sweep=YEAR + COMPENSATED)
    study = read_study(path, ())
    task = Task((plan_runs(study)[0],), str(path.parent))
    data = load_data(study.cases[0].settings, "", task.folder)
    rule, chips = build(task, data)
    life = Life(task, data, rule, chips, Progress())
    fresh = rule.goodness(data.test.images, data.test.labels)
    reads = life.chips.ledger.total("reads")
    life.live()
    spent = life.chips.ledger.total("reads") - reads
    gain = ((365.25 * 86400 + 20) / 20) ** 0.05  # of the law, whose first read is after 20 s
    assert float(chips.scales[0].factor) == pytest.approx(gain, rel=0.01)
    assert chips.scales[-1].factor is None  # of a digital head
    for then, now in zip(fresh, rule.goodness(data.test.images, data.test.labels), strict=True):
        torch.testing.assert_close(then, now, rtol=1e-3, atol=1e-5)
    assert spent == 2 * VECTORS  # then and now


@pytest.mark.slow
def test_a_compensation_is_the_same_in_a_bank_and_stays_with_a_kept_chip(write_study, tmp_path):
    life = YEAR + COMPENSATED + event("train", images=50) + YEAR + COMPENSATED + LOOK
    pcm = '\n[device]\nmodel = "pcm"\n'
    two = lived(write_study(device=pcm, rule=FORWARD, more="keep = true\n", sweep=life), tmp_path / "two")
    head = HEAD.replace("chips = 2", "chips = [1]")
    one = lived(write_study(head=head, device=pcm, rule=FORWARD, sweep=life), tmp_path / "one")
    mine = two[two["chip"] == 1].reset_index(drop=True)
    assert mine.drop(columns="run").equals(one.drop(columns="run"))
    kept = [scale["factor"] for kept in kept_chips(tmp_path / "two") for scale in kept.state["scales"]]
    assert all((factor > 1).all() for factor in kept if factor is not None) and any(f is not None for f in kept)


def test_another_rate_of_zero_keeps_all_weights(write_study, tmp_path):
    still = event("train", epochs=1, rule="{ learning_rate = 0.0 }")
    rules = RULE + FORWARD
    events = lived(write_study(device=IDEAL, rule=rules, sweep=LOOK + still + LOOK), tmp_path / "out")
    before, after = (events[events["event"] == n] for n in (1, 3))
    np.testing.assert_array_equal(before["test_error"], after["test_error"])
    assert (after["reads"].to_numpy() > before["reads"].to_numpy()).all()


def test_another_rule_takes_over_the_weights_as_they_are(write_study, tmp_path):
    other = event("train", epochs=1, rule='{ name = "direct-feedback-alignment", learning_rate = 0.0 }')
    events = lived(write_study(device=IDEAL, rule=RULE, sweep=LOOK + other + LOOK), tmp_path / "out")
    before, after = (events[events["event"] == n] for n in (1, 3))
    np.testing.assert_array_equal(before["test_error"], after["test_error"])


@pytest.mark.slow
def test_known_weights_are_copied_exactly_where_chips_are_exact(write_study, tmp_path):
    """Programmed weights are known and go with the register; changes of unknown weights do not carry knowledge."""
    rules, life = RULE + FAST + FORWARD + FAST, LOOK + event("copy", to=77) + LOOK
    path = write_study(head=SHORT, device=IDEAL, rule=rules, sweep=life)
    events = lived(path, tmp_path / "out")
    knowing, grown = (events[events["rule"] == rule] for rule in ("backprop", "forward-forward"))
    before, after = (knowing[knowing["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    np.testing.assert_array_equal(before, after)
    before, after = (grown[grown["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    assert (after > before + 10).all()
    assert (events[events["event"] >= 2]["chip_now"] == 77).all()
    pulses = knowing[knowing["chip"] == 0].set_index("event")["pulses"]
    assert pulses[2] - pulses[1] == 64 * 32  # cells of the one array; the digital head is a move of numbers


@pytest.mark.slow
def test_a_readout_copies_weights_that_nobody_knew(write_study, tmp_path):
    life = LOOK + event("copy", to=77, by='"readout"', reads=2) + LOOK
    events = lived(write_study(head=SHORT, device=IDEAL, rule=FORWARD + FAST, sweep=life), tmp_path / "out")
    before, after = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    assert (before < 40).all() and (np.abs(after - before) < 3).all()  # up to weights beyond what is read
    one = events[events["chip"] == 0].set_index("event")
    assert one["reads"][2] - one["reads"][1] == 2 * 2 * 64
    assert one["pulses"][2] - one["pulses"][1] == 64 * 32


def test_a_readout_needs_a_curve(write_study):
    life = event("copy", to=77, by='"readout"')
    unprinted = '\n[device]\nmodel = "coupled"\nprints = "nothing"\n'
    with pytest.raises(StudyError, match="prints no neuron curve to be inverted"):
        read_study(write_study(device=unprinted, rule=FORWARD, sweep=life), ())
    with pytest.raises(StudyError, match='by = "readout" beside it'):
        read_study(write_study(device=IDEAL, rule=FORWARD, sweep=event("copy", to=77, reads=3)), ())


def test_a_gain_that_nothing_has_is_refused(write_study):
    box = '\n[device]\nmodel = "acoustic-cavity"\n'
    with pytest.raises(StudyError, match="an array of cells, whose gain may change"):
        read_study(write_study(device=box, rule=FORWARD, sweep=COMPENSATED), ())


def test_a_register_costs_a_sum_and_three_numbers_a_weight():
    register = Requested()
    assert register.add(torch.ones(2, 3, 4)) == (12.0, 144.0)
    register.add(torch.ones(2, 3, 4))
    assert not register.absolute and torch.equal(register.weights, torch.full((2, 3, 4), 2.0))
    register.set(torch.zeros(2, 3, 4))
    assert register.absolute and not register.weights.any()


@pytest.mark.slow
def test_a_student_learns_from_answers_alone(write_study, tmp_path):
    taught = event("distil", to=5, epochs=5) + LOOK
    path = write_study(head=SHORT, device=IDEAL, rule=RULE + FAST, sweep=LOOK + taught)
    events = lived(path, tmp_path / "out")
    teacher, student = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    assert (student < teacher + 10).all() and (student < 30).all()  # chance has 90
    reads = events[events["chip"] == 0].set_index("event")["reads"]
    assert reads[2] > 2 * reads[1]  # the teacher's answers are paid too


@pytest.mark.slow
def test_repeated_events_are_rows_of_their_own(write_study, tmp_path):
    life = """
[[event]]
do = "repeat"
times = 3
[[event.event]]
do = "wait"
seconds = 10
[[event.event]]
do = "evaluate"
"""
    events = lived(write_study(device=IDEAL, sweep=life), tmp_path / "out")
    assert list(events[events["chip"] == 1]["do"]) == ["wait", "evaluate"] * 3
    np.testing.assert_allclose(events[events["chip"] == 1]["age_seconds"].diff().dropna(), [0, 10, 0, 10, 0])


@pytest.mark.slow
def test_a_life_is_the_same_alone_and_in_a_bank(write_study, tmp_path):
    life = event("set", path='"device.read_noise"', value=0.1) + event("train", images=100) + event("copy", to=9) + LOOK
    two = lived(write_study(rule=RULE + FORWARD, sweep=life), tmp_path / "two")
    one = lived(
        write_study(head=HEAD.replace("chips = 2", "chips = [1]"), rule=RULE + FORWARD, sweep=life), tmp_path / "one"
    )
    mine = two[two["chip"] == 1].reset_index(drop=True)
    assert mine.drop(columns="run").equals(one.drop(columns="run"))


@pytest.mark.slow
def test_a_life_goes_on_after_a_kill(write_study, tmp_path, monkeypatch, kept_at_each_look):  # noqa: F811
    head = HEAD.replace("epochs = 1", "epochs = 3")
    path = write_study(head=head, rule=RULE + FORWARD, sweep=event("copy", to=9) + event("train", images=100) + LOOK)
    whole = lived(path, tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_after_keeping(patch, 2)
        assert run_study(read_study(path, ()), tmp_path / "out", workers=0, console=Console(quiet=True)).failures
    assert lived(path, tmp_path / "out").equals(whole)


@pytest.mark.slow
def test_a_life_that_is_killed_does_not_train_again(write_study, tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "BEFORE_EVENTS_SECONDS", 0.0)
    path = write_study(rule=RULE + FORWARD, sweep=event("copy", to=9) + event("train", images=50) + LOOK)
    whole = lived(path, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(Life, "_copy", lambda *_: 1 / 0)
        assert (
            len(run_study(read_study(path, ()), tmp_path / "out", workers=0, console=Console(quiet=True)).failures) == 2
        )
    begun, train = [], execute.train
    monkeypatch.setattr(
        execute, "train", lambda *a, progress, **k: begun.append(progress.epoch) or train(*a, progress=progress, **k)
    )
    assert lived(path, tmp_path / "out").equals(whole)
    assert begun == [1, 1]  # all of their one epoch
    assert (
        load_results(tmp_path / "out")
        .drop(columns="wall_seconds")
        .equals(load_results(tmp_path / "whole").drop(columns="wall_seconds"))
    )


@pytest.mark.slow
def test_lives_that_differ_in_events_alone_train_once(write_study, tmp_path, monkeypatch):
    swept = '\n[sweep]\n"event.0.to" = [9, 11, 13]\n'
    noisy = DEVICE + "read_noise = 0.05\n"
    life = event("copy", to=9) + event("train", images=50) + LOOK
    path = write_study(device=noisy, rule=RULE + FORWARD, sweep=life + swept)
    begun, train = [], execute.train
    with monkeypatch.context() as patch:
        patch.setattr(
            execute,
            "train",
            lambda *a, progress, **k: begun.append(progress.epoch) or train(*a, progress=progress, **k),
        )
        together = lived(path, tmp_path / "together")
    assert sorted(begun) == [0, 0, 1, 1, 1, 1]  # both rules once
    assert not (tmp_path / "together" / "unfinished").exists()
    monkeypatch.setattr(unfinished.Trained, "restore", lambda *_: None)
    assert lived(path, tmp_path / "apart").equals(together)
    ours, theirs = (load_results(tmp_path / name).drop(columns="wall_seconds") for name in ("together", "apart"))
    assert ours.equals(theirs)


def test_numbers_of_events_are_swept(write_study, tmp_path):
    sweep = event("wait", seconds=0) + LOOK + '\n[sweep]\n"event.0.seconds" = [0.0, "1 hour"]\n'
    events = lived(write_study(device=IDEAL, sweep=sweep), tmp_path / "out")
    last = events[(events["event"] == 2) & (events["chip"] == 0)]
    np.testing.assert_allclose(last["age_seconds"].diff().dropna(), [3600])


@pytest.mark.parametrize(("text", "seconds"), [("1 day", 86400), ("1.5 hours", 5400), ("2e3 seconds", 2000), (3, 3)])
def test_durations(text, seconds):
    assert seconds_of(text) == seconds


def test_another_kind_of_device_parameter_counts_in_the_key(write_study, tmp_path):
    """Else a run would be taken for one with another life."""
    lived(write_study(sweep=event("set", path='"device.read_noise"', value=0.1) + LOOK), tmp_path / "out")
    more = write_study(sweep=event("set", path='"device.read_noise"', value=0.2) + LOOK)
    with pytest.raises(ValueError, match="Expected"):
        lived(more, tmp_path / "out")


def test_programmed_first_weights_make_grown_knowledge_portable(write_study, tmp_path):
    """The register then knows the weights of a rule that programs none."""
    life, more = LOOK + event("copy", to=77) + LOOK, 'first_weights = "programmed"\n'
    path = write_study(head=SHORT, more=more, device=IDEAL, rule=FORWARD + FAST, sweep=life)
    events = lived(path, tmp_path / "out")
    before, after = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    np.testing.assert_array_equal(before, after)
    one = events[events["chip"] == 0].set_index("event")
    assert one["pulses"][1] >= 64 * 32  # their writes count


@pytest.mark.slow
def test_every_rule_of_a_study_ages_by_the_finest_clock_that_it_tells_apart(write_study, tmp_path):
    """In training and in events: backprop's one pass a step has the numbers of steps, Forward-Forward's two have not."""
    leaky = '\n[device]\nmodel = "capacitor"\nlifetime_seconds = 1e-3\n'
    rules = FORWARD + '\n[[rule]]\nname = "backprop"\n'
    life = event("train", images=100) + LOOK
    path = write_study(head=HEAD.replace("chips = 2", "chips = 1"), device=leaky, rule=rules, sweep=life)
    swept = path.read_text() + '\n[sweep]\nclock = ["step", "pass", "interleaved"]\n'
    path.write_text(swept)
    lived(path, tmp_path / "out")
    results, looks = load_results(tmp_path / "out"), load_measurement(tmp_path / "out", "events")
    found = {rule: rows.set_index("clock")["train_loss"] for rule, rows in results.groupby("rule")}
    assert len(set(found["backprop"])) == 1 and len(set(found["forward-forward"])) == 3
    errors = looks[(looks["rule"] == "backprop") & (looks["do"] == "evaluate")]["test_error"]
    assert len(errors) == 3 and len(set(errors)) == 1
