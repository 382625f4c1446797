"""What is kept of each layer alone, against counting by hand."""

import pandas as pd
import pytest
import torch
from rich.console import Console

from analogff.data import load_dataset
from analogff.study.measurements.layer_error import MEASUREMENT
from analogff.study.read.spec import read_study
from analogff.study.results.store import load_measurement
from analogff.study.run.engine import run_study
from analogff.study.run.execute import build, execute
from analogff.study.run.plan import plan_runs
from analogff.study.task import Task
from tests.study.conftest import RULE

FF = '[[rule]]\nname = "forward-forward"\n'
IDEAL = '[device]\nmodel = "ideal"\n'


def task(path, *settings):
    study = read_study(path, settings)
    return Task(tuple(plan_runs(study)), str(study.folder))


@pytest.mark.slow
def test_a_layer_answers_with_the_label_of_most_goodness(write_study):
    some = task(write_study(rule=FF, device=IDEAL), "layers=[40,30]")  # wide, so that no two labels tie
    data = load_dataset("digits", train_images=200, validation_images=50)
    rule, chips = build(some, data)
    split = data.validation
    goodness = [rule.goodness(split.images, torch.full_like(split.labels, label)) for label in range(10)]
    expected = [torch.stack([g[layer] for g in goodness]).argmax(0) != split.labels for layer in range(2)]
    trained = chips.ledger.total("reads")
    table = MEASUREMENT.table(some, rule, data, 7).to_pandas()
    assert list(table["layer"]) == [1, 1, 2, 2] and set(table["epoch"]) == {7}
    assert list(table["run"]) == 2 * [run.key for run in some.runs]
    wrong = torch.stack(expected).double().mean(-1).flatten()
    assert list(table["error"]) == pytest.approx((100 * wrong).tolist())
    assert chips.ledger.total("reads") == trained, "looking is no training"


def test_training_images_serve_where_none_are_held_out(write_study):
    some = task(write_study(rule=FF), "validation_images=0")
    data = load_dataset("digits", train_images=200)
    rule, chips = build(some, data)
    MEASUREMENT.table(some, rule, data, 1)
    assert chips.ledger.total("reads", "evaluation") == 200 * 10


def test_a_rule_without_layers_that_answer_keeps_nothing(write_study):
    assert not execute(task(write_study(rule=RULE))).tables


@pytest.mark.slow
def test_the_store_holds_every_epoch_of_every_layer(write_study, tmp_path):
    study = read_study(write_study(rule=FF + RULE), ["layers=[8,12]", "epochs=3"])
    run_study(study, tmp_path / "out", workers=0, console=Console(quiet=True))
    frame = load_measurement(tmp_path / "out", "layers")
    assert set(frame["rule"]) == {"forward-forward"}
    assert len(frame) == 2 * 3 * 2 and frame["error"].between(0, 100).all()
    assert list(frame["epoch"][:6]) == [1, 1, 2, 2, 3, 3] and list(frame["layer"][:2]) == [1, 2]
    assert not frame.duplicated(["run", "epoch", "layer"]).any()
    assert len(pd.read_parquet(tmp_path / "out" / "layers")) == len(frame)
