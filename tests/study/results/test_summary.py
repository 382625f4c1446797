"""Means over chips, their intervals, and axes that did nothing."""

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analogff.study.results.report import report
from analogff.study.results.summary import interval_over_chips, summarize, unchanged_axes

MANIFEST = {"study": {"sweep": {"device.read_noise": [0.0, 0.1]}}}


def results(errors, seeds=(0,)):
    """Return a table of two epochs with given errors ``{(rule, slope, noise): errors of chips}`` at the last."""
    rows = []
    for (rule, slope, noise), of_chips in errors.items():
        for chip, error in enumerate(of_chips):
            for seed in seeds:
                for epoch in (1, 2):
                    rows.append(
                        {
                            "run": f"{rule} {slope} {noise} {chip} {seed}",
                            "rule": rule,
                            "rule.slope": slope,
                            "rule.learning_rate": 0.1,
                            "device.read_noise": noise,
                            "chip": chip,
                            "seed": seed,
                            "epoch": epoch,
                            "test_error": error + (10 if epoch == 1 else seed),
                            "diverged": False,
                        }
                        | dict.fromkeys(["validation_error", "train_loss", "reads", "conversions", "pulses"], 5)
                        | dict.fromkeys(["device_seconds", "device_joules", "wall_seconds"], 0.5)
                    )
    return pd.DataFrame(rows)


def test_interval_is_students_t_over_chips():
    frame = results({("ff", "probed", 0.0): [10.0, 12.0, 17.0]}, seeds=(0, 2))
    row = summarize(frame, MANIFEST).iloc[0]
    # Chip means are 11, 13, 18: mean 14, s = sqrt(13), and t(0.975, 2) = 4.30265 from a table.
    half = 4.30265 * np.sqrt(13 / 3)
    assert row["mean"] == pytest.approx(14)
    assert (row["low"], row["high"]) == (pytest.approx(14 - half, rel=1e-5), pytest.approx(14 + half, rel=1e-5))
    assert (row["chips"], row["reads"], row["diverged"]) == (3, 5, 0)


@pytest.mark.slow
def test_interval_covers_as_often_as_it_says():
    generator, n, trials = np.random.default_rng(0), 5, 2000
    covered = 0
    for _ in range(trials):
        frame = pd.DataFrame({"chip": range(n), "test_error": generator.normal(20, 3, n)})
        _, low, high, _ = interval_over_chips(frame)
        covered += low < 20 < high
    assert covered / trials == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / trials))


def test_one_chip_has_no_interval_and_a_lost_chip_is_not_counted():
    frame = results({("ff", "probed", 0.0): [10.0], ("ff", "probed", 0.1): [10.0, np.nan]})
    table = summarize(frame, MANIFEST)
    assert list(table["chips"]) == [1, 1] and table["low"].isna().all() and list(table["mean"]) == [10, 10]


def test_variants_and_points_are_rows_in_order():
    errors = {("ff", s, n): [1.0, 2.0] for n in (0.1, 0.0) for s in ("probed", "assumed")}
    table = summarize(results(errors | {("bp", None, 0.0): [3.0, 4.0]}), MANIFEST)
    assert list(table.columns[:2]) == ["rule", "device.read_noise"]
    labels = ["ff probed", "ff assumed", "ff probed", "ff assumed", "bp"]  # the rate tells nothing apart
    assert list(table["rule"]) == labels
    assert list(table["device.read_noise"]) == [0.1, 0.1, 0.0, 0.0, 0.0]


def test_an_axis_that_changed_nothing_is_told():
    same = results({("ff", "probed", 0.0): [1.0, 2.0], ("ff", "probed", 0.1): [1.0, 2.0]})
    other = results({("bp", None, 0.0): [1.0, 2.0], ("bp", None, 0.1): [1.0, 2.5]})
    axes = ["device.read_noise"]
    assert unchanged_axes(same, axes) == axes
    assert unchanged_axes(pd.concat([same, other]), axes) == []
    assert unchanged_axes(same[same["device.read_noise"] == 0], axes) == []  # one value shows nothing
    console = Console(record=True, width=200, file=io.StringIO())
    report(same, MANIFEST, console)
    assert "Warning: the sweep over device.read_noise changed nothing" in console.export_text()


def test_an_axis_that_changed_only_the_life_after_training_is_not_told():
    frame = results({("ff", "probed", 0.0): [1.0, 2.0], ("ff", "probed", 0.1): [1.0, 2.0]})
    axes = ["device.read_noise"]
    lives = pd.DataFrame({"run": frame["run"].unique()}).assign(event=1, reads=5, pulses=0, validation_error=np.nan)
    assert unchanged_axes(frame, axes, lives.assign(test_error=3.0)) == axes
    assert unchanged_axes(frame, axes, lives.assign(test_error=[3.0, 3.0, 3.0, 4.0])) == []


def test_an_unchanged_option_is_told_though_its_column_differs():
    frame = results({("ff", "probed", 0.0): [1.0, 2.0], ("ff", "assumed", 0.0): [1.0, 2.0]})
    assert unchanged_axes(frame, ["rule.slope"]) == ["rule.slope"]
    frame["rule.0.slope"] = frame["rule.slope"]
    assert unchanged_axes(frame, ["rule.0.slope", "device.read_noise"]) == ["rule.0.slope"]
