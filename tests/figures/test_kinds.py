"""Kinds of figures hold the numbers that they say they hold."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from analogff.figures import mortality_matrix
from analogff.figures.costs import with_front
from analogff.figures.draw import draw_one
from analogff.figures.error_over_chips import per_chip
from analogff.figures.results import Results
from analogff.figures.style import styled
from analogff.study.results.manifest import read_manifest
from analogff.study.results.store import load_measurements, load_results
from tests.helpers import synthetic
from tests.study.conftest import write_study  # noqa: F401
from tests.study.run.test_life import lived

AXES = {"device.adc_bits": [4.0, 6.0, 8.0], "device.read_noise": [0.0, 0.05]}


def of(frame, axes=AXES, tables=None):
    return Results.of(frame, tables or {}, {"study": {"sweep": axes}})


def test_a_heat_map_has_a_cell_for_each_point_and_marks_the_lost_ones():
    frame = synthetic.results(AXES, rules=synthetic.RULES[:2], epochs=1)
    here = (frame["device.adc_bits"] == 4) & (frame["device.read_noise"] == 0.05) & (frame["rule.slope"] == "probed")
    frame.loc[here, ["test_error", "diverged"]] = [np.nan, True]
    there = (frame["device.adc_bits"] == 8) & (frame["device.read_noise"] == 0.0) & (frame["chip"] == 1)
    frame.loc[there, ["test_error", "diverged"]] = [np.nan, True]
    (drawing,) = draw_one("heat_map", of(frame))
    with styled():
        figure = drawing.figure
    panels = {axes.get_title(): axes for axes in figure.axes[:2]}
    assert drawing.name == "heat_map_device_read_noise_device_adc_bits"
    for variant in ("FF assumed", "FF probed"):
        own = drawing.table[drawing.table["variant"] == variant]
        cells = own.pivot(index="device.adc_bits", columns="device.read_noise", values="mean").to_numpy()
        np.testing.assert_allclose(panels[variant].collections[0].get_array(), cells)
    assert drawing.table["mean"].isna().sum() == 1
    for row in drawing.table.dropna().to_dict("records"):
        picked = frame[(frame["device.adc_bits"] == row["device.adc_bits"])]
        picked = picked[picked["device.read_noise"] == row["device.read_noise"]]
        picked = picked[picked["rule.slope"] == row["variant"].removeprefix("FF ")]
        assert row["mean"] == pytest.approx(picked["test_error"].mean())
    crosses = {v: [line for line in axes.lines if line.get_marker() == "x"] for v, axes in panels.items()}
    at = {v: sorted((float(x), float(y)) for m in lines for x, y in m.get_xydata()) for v, lines in crosses.items()}
    assert at["FF probed"] == [(0.86, 2.86), (1.5, 0.5)] and at["FF assumed"] == [(0.86, 2.86)]
    assert [h.get_text() for h in figure.legends[0].get_texts()] == ["all runs diverged", "some runs diverged"]


def test_the_pareto_front_is_what_no_other_point_beats():
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {"joules": generator.integers(1, 9, 60).astype(float), "mean": generator.integers(1, 20, 60) / 2}
    )
    names = generator.choice(["a", "b", "c (oracle, bound)"], 60)
    table = table.assign(variant=names)
    found = with_front(table, "joules")
    rivals = table[table["variant"] != "c (oracle, bound)"]
    for row in found.itertuples():
        beaten = ((rivals["joules"] <= row.joules) & (rivals["mean"] < row.mean)).any()
        beaten |= ((rivals["joules"] < row.joules) & (rivals["mean"] <= row.mean)).any()
        if row.variant.endswith("bound)"):
            assert not row.front
        elif row.front:
            assert not beaten
        elif not beaten:  # one of equal points stands for all
            same = found[(found["joules"] == row.joules) & (found["mean"] == row.mean)]
            assert same["front"].sum() == 1


@pytest.mark.parametrize(("kind", "column"), [("joules", "system_joules"), ("seconds", "device_seconds")])
def test_errors_are_drawn_against_what_was_spent(kind, column):
    frame = synthetic.results(AXES, rules=synthetic.RULES[:4], epochs=2)
    drawing = next(iter(draw_one(f"error_vs_{kind}", of(frame))))
    row = drawing.table.query("variant == 'FF probed' and epoch == 2").iloc[0]
    same = frame[(frame["rule.slope"] == "probed") & (frame["epoch"] == 2)]
    for axis in AXES:
        same = same[same[axis] == row[axis]]
    assert row[column] == pytest.approx(same[column].mean()) and row["mean"] == pytest.approx(same["test_error"].mean())


def test_a_box_is_of_chips_each_the_mean_over_its_seeds():
    axes = {"device.read_noise": [0.0, 0.05]}
    one = synthetic.results(axes, rules=synthetic.RULES[:1], epochs=1, chips=6)
    two = synthetic.results(axes, rules=synthetic.RULES[:1], epochs=1, chips=6, seed=1).assign(seed=1)
    frame = pd.concat([one, two.assign(run="1/" + two["run"])], ignore_index=True)
    (drawing,) = draw_one("error_over_chips", of(frame, axes))
    assert len(drawing.table) == 6 and drawing.name == "error_over_chips-read_noise_0"
    here = frame[frame["device.read_noise"] == 0]
    np.testing.assert_allclose(drawing.table["test_error"], here.groupby("chip")["test_error"].mean())
    assert list(per_chip(here, ["rule"]).columns) == ["rule", "chip", "test_error", "diverged"]
    (panel,) = drawing.figure.axes
    points = [line for line in panel.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points[0].get_xdata(), drawing.table["test_error"])
    median = np.median(drawing.table["test_error"])
    assert any(np.allclose(line.get_xdata(), median) for line in panel.lines)


def life_of(chip, errors):
    """Return the events of one chip: a look, then a copy to each chip and a look, then a set and another copy."""
    rows = [("evaluate", chip, 99.0)]
    for to, error in enumerate(errors):
        rows += [("copy", to, np.nan), ("evaluate", to, error)]
    rows += [("set", to, np.nan), ("copy", 0, np.nan), ("evaluate", 0, 0.0)]
    return [
        {"run": str(chip), "chip": chip, "event": n, "do": do, "chip_now": now, "test_error": error}
        for n, (do, now, error) in enumerate(rows, 1)
    ]


def test_the_mortality_gap_is_what_other_chips_lose():
    errors = np.array([[5.0, 25, 35], [22, 6, 30], [40, 44, 7]])
    events = pd.DataFrame([row for chip in range(3) for row in life_of(chip, errors[chip])])
    cells = mortality_matrix.copies(events)
    wide = cells.pivot(index="trained_on", columns="copied_to", values="test_error").to_numpy()
    np.testing.assert_array_equal(wide, errors)
    gaps = [(25 + 35) / 2 - 5, (22 + 30) / 2 - 6, (40 + 44) / 2 - 7]
    half = t.ppf(0.975, 2) * np.std(gaps, ddof=1) / 3**0.5
    expected = np.mean(gaps), np.mean(gaps) - half, np.mean(gaps) + half, 3
    assert mortality_matrix.gap(cells) == pytest.approx(expected)


LINEAR = '\n[device]\nmodel = "ideal"\nneuron = "linear"\n'
KEPT = """
[[rule]]
name = "backprop"
batch = 20
"""


@pytest.fixture
def kept(write_study, tmp_path):  # noqa: F811
    lived(write_study(more="keep = true\n", device=LINEAR, rule=KEPT), tmp_path / "out")
    folder = tmp_path / "out"
    return Results.of(load_results(folder), load_measurements(folder), read_manifest(folder), folder=folder)


@pytest.mark.slow
def test_confusions_and_fields_are_those_of_the_kept_chips(kept):
    """Without noise the confusions repeat the error, and the fields of linear neurons are their weights."""
    from analogff.study.run.kept import kept_chips
    from analogff.study.run.look_again import awaken

    (matrix,) = draw_one("confusion_matrix", kept)
    wide = matrix.table.pivot(index="true", columns="answer", values="share").to_numpy()
    np.testing.assert_allclose(wide.sum(1), 100)
    lives = [awaken(chips) for chips in kept_chips(kept.folder)]
    labels = lives[0].data.test.labels
    weights = np.bincount(labels, minlength=10) / len(labels)
    np.testing.assert_allclose(100 - weights @ np.diag(wide), kept.frame["test_error"].mean())
    (fields,) = draw_one("receptive_fields", kept)
    table = fields.table.pivot(index="neuron", columns="pixel", values="answer").to_numpy()
    held = next(life for life in lives if life.task.runs[0].chip == 0).chips.devices[0].get_buffer("weights")[0]
    np.testing.assert_allclose(table, 3.0 * held[:16].numpy(), atol=1e-5)
    with styled("ieee"):
        assert len(matrix.figure.axes) == 2 and len(fields.figure.axes) == len(table)


FAMILIES = ["saturating", "non-monotone", "exponential", "softplus", "relu", "sigmoid"]


@pytest.mark.slow
@pytest.mark.parametrize("style", ["ieee", "nature", "poster"])
@pytest.mark.parametrize("numbers", [[2.0, 4.0], None])
def test_a_heat_map_names_every_category(style, numbers):
    axes = {"device.family": FAMILIES} | ({"device.adc_bits": numbers} if numbers else {"device.kind": FAMILIES})
    (drawing,) = draw_one("heat_map", of(synthetic.results(axes, rules=synthetic.RULES[:3], epochs=1), axes))
    with styled(style):
        figure = drawing.figure
    for which, panel in (("y", figure.axes[0]), *[("x", panel) for panel in figure.axes[1:3] if not numbers]):
        labels = [label.get_text() for label in getattr(panel, f"get_{which}ticklabels")()]
        assert sorted(labels) == sorted(FAMILIES)


@pytest.mark.slow
def test_titles_break_at_hyphens_and_not_within_words():
    name = "direct-feedback-alignment of slopes"
    rules = [rule | {"label": None if n else name} for n, rule in enumerate(synthetic.RULES[:4])]
    (drawing,) = draw_one("heat_map", of(synthetic.results(AXES, rules=rules, epochs=1)))
    for style in ("ieee", "nature", "poster"):
        with styled(style):
            title = dataclasses.replace(drawing).figure.axes[0].get_title()
        assert "\n" in title and title.replace("-\n", "-").replace("\n", " ") == name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["error_vs_epoch", "error_vs_joules"])
def test_a_figure_says_at_which_point_of_the_other_axes_it_is(kind):
    drawings = list(draw_one(kind, of(synthetic.results(AXES, rules=synthetic.RULES[:2], epochs=2))))
    assert [drawing.figure.get_suptitle() for drawing in drawings] == ["read noise = 0", "read noise = 0.05"]
