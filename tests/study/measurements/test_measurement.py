"""A measurement is one file and one line: it is taken, kept, resumed, stored, checked, loaded and handed to figures."""

import sys

import pandas as pd
import pyarrow as pa
import pytest
from rich.console import Console

from analogff.data import load_dataset
from analogff.figures.draw import draw_all
from analogff.figures.results import Results
from analogff.study import measurements
from analogff.study.measurements import catalog
from analogff.study.measurements.measurement import Due, Measurement
from analogff.study.read.spec import read_study
from analogff.study.results.manifest import read_manifest
from analogff.study.results.parts import StoreError
from analogff.study.results.store import load_measurements, load_results
from analogff.study.run.engine import run_study
from analogff.study.run.execute import build
from analogff.study.run.plan import plan_runs
from analogff.study.task import Task
from tests.study.conftest import RULE
from tests.study.run.test_study_run import same
from tests.study.run.test_unfinished import LONG, NOISY, kept_at_each_look, stop_after_keeping

__all__ = ["kept_at_each_look"]

ACTIVITY = '''
"""Mean activity of each layer, epoch by epoch."""

import pyarrow as pa

from analogff.study.measurements.measurement import Due, Measurement, measured_images


def mean_activity(task, rule, data, epoch):
    layers = rule.network.activities(measured_images(data).images)
    rows = [
        (run.key, epoch, layer, float(activity[chip].mean()))
        for layer, activity in enumerate(layers, 1)
        for chip, run in enumerate(task.runs)
    ]
    return pa.table(dict(zip(["run", "epoch", "layer", "mean_activity"], map(list, zip(*rows)))))


MEASUREMENT = Measurement(
    name="activity",
    columns={"epoch": pa.int64(), "layer": pa.int64(), "mean_activity": pa.float64()},
    key=("epoch", "layer"),
    due=Due.EVERY_EVALUATION,
    take=mean_activity,
)
'''


@pytest.fixture
def with_activity(tmp_path, monkeypatch):
    """Add a file to the folder of measurements, and a line to their list."""
    folder = tmp_path / "measurements"
    folder.mkdir()
    (folder / "mean_activity.py").write_text(ACTIVITY)
    monkeypatch.setattr(measurements, "__path__", [*measurements.__path__, str(folder)])
    monkeypatch.setattr(catalog, "MEASUREMENTS", (*catalog.MEASUREMENTS, "mean_activity"))
    yield
    sys.modules.pop("analogff.study.measurements.mean_activity", None)


def run(path, out):
    return run_study(read_study(path), out, workers=0, console=Console(quiet=True))


@pytest.mark.slow
def test_a_new_measurement_is_one_file_and_one_line(
    with_activity, kept_at_each_look, write_study, tmp_path, monkeypatch
):
    path = write_study(head=LONG, device=NOISY, rule=RULE + '[[rule]]\nname = "forward-forward"\n')
    run(path, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        stop_after_keeping(patch, 1)
        assert len(run(path, tmp_path / "out").failures) == 2
    assert run(path, tmp_path / "out").computed == 4

    tables = load_measurements(tmp_path / "out")
    assert list(tables) == ["goodness", "layers", "activity"]
    table = tables["activity"]
    pd.testing.assert_frame_equal(table, load_measurements(tmp_path / "undisturbed")["activity"], check_exact=True)
    assert list(table) == ["run", "rule", "epoch", "layer", "mean_activity"]
    assert len(table) == 4 * 3 * 1 and set(table["epoch"]) == {2, 4, 5} and table["rule"].nunique() == 2
    assert table["mean_activity"].nunique() == len(table) and not table.duplicated(["run", "epoch", "layer"]).any()

    results = Results.of(load_results(tmp_path / "out"), tables, read_manifest(tmp_path / "out"))
    pd.testing.assert_frame_equal(results.tables["activity"], table)
    assert draw_all(tmp_path / "out")

    next((tmp_path / "out" / "activity").glob("*.parquet")).unlink()
    with pytest.raises(StoreError, match="activity/part-.* as analogff wrote it. Got no such file"):
        run(path, tmp_path / "out")


@pytest.mark.slow
def test_a_measurement_changes_neither_errors_nor_prices(with_activity, write_study, tmp_path, monkeypatch):
    """Its reads are evaluation. They move the read noise of later reads, so this chip has none."""
    path = write_study(head=LONG, device='[device]\nmodel = "ideal"\n', rule=RULE)
    run(path, tmp_path / "with")
    monkeypatch.setattr(catalog, "MEASUREMENTS", ())
    run(path, tmp_path / "without")
    assert load_measurements(tmp_path / "without") == {}
    same(load_results(tmp_path / "with"), load_results(tmp_path / "without"))


def toy(take, due=Due.LAST_EVALUATION, key=("layer",)):
    return Measurement(name="toy", columns={"epoch": pa.int64(), "layer": pa.int64()}, key=key, due=due, take=take)


def test_a_measurement_is_booked_as_evaluation_and_checked(write_study):
    study = read_study(write_study())
    task = Task(plan_runs(study), str(study.folder))
    data = load_dataset("digits", train_images=200, validation_images=50)
    rule, chips = build(task, data)
    keys = [run.key for run in task.runs]

    def twice(_task, rule, data, epoch):
        rule.predict(data.validation.images)
        return pa.table({"run": [keys[0]] * 2, "epoch": [epoch] * 2, "layer": [1, 1]})

    with pytest.raises(ValueError, match="Expected measurement toy with each run, layer once. Got one twice."):
        toy(twice).table(task, rule, data, 1)
    assert chips.ledger.total("reads") == 0 and chips.ledger.total("reads", "evaluation") > 0
    with pytest.raises(ValueError, match="toy with the columns run, epoch, layer. Got run, layer. Return what it"):
        toy(lambda *_: pa.table({"run": keys, "layer": [1, 1]})).table(task, rule, data, 1)
    assert toy(lambda *_: None).table(task, rule, data, 1) is None


@pytest.mark.parametrize("key, due", [(("depth",), Due.LAST_EVALUATION), (("layer",), Due.EVERY_EVALUATION)])
def test_a_measurement_has_a_key_that_tells_its_rows_apart(key, due):
    with pytest.raises(ValueError, match="Expected measurement toy with a key among its columns"):
        toy(None, due, key)
