"""Events after training: each does what it says, costs what it costs, and is the same in a bank and after a kill."""

import numpy as np
import pytest
import torch
from rich.console import Console

from analogff.device.requested import Requested
from analogff.study.events import seconds_of
from analogff.study.read.spec import read_study
from analogff.study.results.store import load_measurement, load_results
from analogff.study.run.changed import keep_what_changed
from analogff.study.run.engine import run_study
from tests.study.conftest import DEVICE, HEAD, RULE
from tests.study.run.test_unfinished import kept_at_each_look, stop_after_keeping  # noqa: F401

IDEAL = '\n[device]\nmodel = "ideal"\n'
FORWARD = '\n[[rule]]\nname = "forward-forward"\n'
LEARNING = HEAD.replace("train_images = 200\n", "").replace("epochs = 1", "epochs = 5").replace("[8]", "[32]")
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


def test_waiting_ages_a_chip_that_drifts_and_no_other(write_study, tmp_path):
    device, life = '\n[device]\nmodel = "DEVICE"\n', LOOK + event("wait", seconds='"1 year"') + LOOK
    for model, ages in (("pcm", True), ("ideal", False)):
        out = tmp_path / model
        events = lived(write_study(device=device.replace("DEVICE", model), sweep=life), out)
        before, after = (events[events["event"] == n].reset_index() for n in (1, 3))
        assert (before["test_error"] != after["test_error"]).any() == ages
        np.testing.assert_allclose(after["age_seconds"] - before["age_seconds"], 365.25 * 86400)
        assert (after["reads"] == before["reads"]).all()  # looks are no part of the price


def test_a_parameter_that_is_set_to_what_it_was_changes_nothing(write_study, tmp_path):
    noisy = DEVICE + "read_noise = 0.1\n"
    same = event("set", path='"device.read_noise"', value=0.1)
    one = lived(write_study(device=noisy, rule=RULE + FORWARD, sweep=LOOK), tmp_path / "one")
    other = lived(write_study(device=noisy, rule=RULE + FORWARD, sweep=same + LOOK), tmp_path / "other")
    looks = other[other["do"] == "evaluate"]["test_error"]
    np.testing.assert_array_equal(one["test_error"], looks)


def test_a_parameter_that_is_set_acts(write_study, tmp_path):
    """Answers of neurons that are drowned in noise are those of chance."""
    deaf = event("set", path='"device.read_noise"', value=50.0)
    back = event("set", path='"device.read_noise"', value=0.0)
    quiet = DEVICE + "read_noise = 0.0\n"
    events = lived(write_study(device=quiet, sweep=LOOK + deaf + LOOK + back + LOOK), tmp_path / "out")
    first, drowned, again = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3, 5))
    assert (np.abs(drowned - 90) < 4 * 100 * np.sqrt(0.1 * 0.9 / 360)).all()  # 360 images
    np.testing.assert_array_equal(first, again)


def test_columns_that_die_are_silent_from_then_on(write_study, tmp_path):
    """With all of them dead the answer is the same for every image."""
    dead = event("set", path='"device.dead_columns"', value=0.999)
    quiet = DEVICE + 'read_noise = 0.0\nfamily = "relu"\n'
    events = lived(
        write_study(head=LEARNING, device=quiet, rule=RULE + FAST, sweep=LOOK + dead + LOOK), tmp_path / "out"
    )
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


def test_known_weights_are_copied_exactly_where_chips_are_exact(write_study, tmp_path):
    """Programmed weights are known and go with the register; changes of unknown weights do not carry knowledge."""
    rules, life = RULE + FAST + FORWARD + FAST, LOOK + event("copy", to=77) + LOOK
    path = write_study(head=LEARNING, device=IDEAL, rule=rules, sweep=life)
    events = lived(path, tmp_path / "out")
    knowing, grown = (events[events["rule"] == rule] for rule in ("backprop", "forward-forward"))
    before, after = (knowing[knowing["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    np.testing.assert_array_equal(before, after)
    before, after = (grown[grown["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    assert (after > before + 10).all()
    assert (events[events["event"] >= 2]["chip_now"] == 77).all()
    pulses = knowing[knowing["chip"] == 0].set_index("event")["pulses"]
    assert pulses[2] - pulses[1] == 64 * 32  # cells of the one array; the digital head is a move of numbers


def test_a_register_costs_a_sum_and_three_numbers_a_weight():
    register = Requested()
    assert register.add(torch.ones(2, 3, 4)) == (12.0, 144.0)
    register.add(torch.ones(2, 3, 4))
    assert not register.absolute and torch.equal(register.weights, torch.full((2, 3, 4), 2.0))
    register.set(torch.zeros(2, 3, 4))
    assert register.absolute and not register.weights.any()


def test_a_student_learns_from_answers_alone(write_study, tmp_path):
    taught = event("distil", to=5, epochs=5) + LOOK
    path = write_study(head=LEARNING, device=IDEAL, rule=RULE + FAST, sweep=LOOK + taught)
    events = lived(path, tmp_path / "out")
    teacher, student = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    assert (student < teacher + 5).all() and (student < 20).all()  # chance has 90
    reads = events[events["chip"] == 0].set_index("event")["reads"]
    assert reads[2] > 2 * reads[1]  # the teacher's answers are paid too


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


def test_a_life_is_the_same_alone_and_in_a_bank(write_study, tmp_path):
    life = event("set", path='"device.read_noise"', value=0.1) + event("train", images=100) + event("copy", to=9) + LOOK
    two = lived(write_study(rule=RULE + FORWARD, sweep=life), tmp_path / "two")
    one = lived(
        write_study(head=HEAD.replace("chips = 2", "chips = [1]"), rule=RULE + FORWARD, sweep=life), tmp_path / "one"
    )
    mine = two[two["chip"] == 1].reset_index(drop=True)
    assert mine.drop(columns="run").equals(one.drop(columns="run"))


def test_a_life_goes_on_after_a_kill(write_study, tmp_path, monkeypatch, kept_at_each_look):  # noqa: F811
    head = HEAD.replace("epochs = 1", "epochs = 3")
    path = write_study(head=head, rule=RULE + FORWARD, sweep=event("copy", to=9) + event("train", images=100) + LOOK)
    whole = lived(path, tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_after_keeping(patch, 2)
        assert run_study(read_study(path, ()), tmp_path / "out", workers=0, console=Console(quiet=True)).failures
    assert lived(path, tmp_path / "out").equals(whole)


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
    path = write_study(head=LEARNING, more=more, device=IDEAL, rule=FORWARD + FAST, sweep=life)
    events = lived(path, tmp_path / "out")
    before, after = (events[events["event"] == n]["test_error"].to_numpy() for n in (1, 3))
    np.testing.assert_array_equal(before, after)
    one = events[events["chip"] == 0].set_index("event")
    assert one["pulses"][1] >= 64 * 32  # their writes count
