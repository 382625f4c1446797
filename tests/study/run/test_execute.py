"""What a study says reaches the chips and the images."""

import pytest

from analogff.data import load_dataset
from analogff.network.normalization import L2, GainControl, Length, Unchanged
from analogff.network.standardization import Standardization
from analogff.study.read.spec import read_study
from analogff.study.run.execute import build, execute
from analogff.study.run.plan import plan_runs
from analogff.study.task import Task


def task(path, *settings):
    study = read_study(path, settings)
    return Task(tuple(plan_runs(study)), str(study.folder))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((), Length()),
        (("normalization=l2",), L2()),
        (("normalization=none",), Unchanged()),
        (("normalization=layer", "device.model=ideal"), Standardization()),
        (("normalization=group", "normalization_groups=2", "device.model=ideal"), Standardization(2)),
        (("normalization=gain-control",), GainControl(max_gain=30.0, offset=0.0)),
        (("normalization=gain-control", "agc_max_gain=5", "agc_offset=-0.1"), GainControl(max_gain=5.0, offset=-0.1)),
    ],
)
def test_a_rule_is_given_the_normalizer_of_its_study(settings, expected, write_study):
    data = load_dataset("digits", train_images=20, validation_images=10)
    rule, _ = build(task(write_study(), *settings), data)
    assert type(rule.network.normalizer) is type(expected)
    assert getattr(rule.network.normalizer, "__dict__", {}) == getattr(expected, "__dict__", {})


@pytest.mark.slow
def test_each_setting_changes_what_is_learned(write_study):
    path, small = write_study(), ("train_images=50", "validation_images=10", "chips=1")
    settings = [(), ("jitter=1",), ("jitter=2",), ("flip=true",), ("normalization=l2",), ("normalization=none",)]
    settings += [
        ("normalization=gain-control", more) for more in ("agc_max_gain=30", "agc_max_gain=3", "agc_offset=0.1")
    ]
    losses = [execute(task(path, *small, *some)).numbers["train_loss"][0].as_py() for some in settings]
    assert len(set(losses)) == len(losses)


@pytest.mark.parametrize("rule", ["forward-forward", "backprop", "weight-perturbation"])
def test_a_task_that_diverges_is_an_outcome_with_rows(rule, write_study):
    outcome = execute(
        task(write_study(), f"rule.name={rule}", "rule.learning_rate=3e38", "train_images=50", "epochs=2")
    )
    assert not outcome.failure
    assert outcome.numbers["diverged"].to_pylist()[-2:] == [True, True]
