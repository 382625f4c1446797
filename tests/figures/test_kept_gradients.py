"""Figures of kept chips whose rules have gradients and twins hold what these are."""

import numpy as np
import pytest

from analogff.figures.cosine_vs_parameters import law
from analogff.figures.draw import draw_one
from analogff.figures.results import Missing, Results
from analogff.figures.sim_to_real import explained
from analogff.figures.style import styled
from analogff.figures.update_cosine import UPDATES, alignment
from analogff.study.results.manifest import read_manifest
from analogff.study.results.store import load_measurements, load_results
from analogff.study.run.kept import kept_chips
from analogff.study.run.look_again import awaken
from tests.study.conftest import write_study  # noqa: F401
from tests.study.run.test_life import lived

LINEAR = '\n[device]\nmodel = "ideal"\nneuron = "linear"\n'
RULES = """
[[rule]]
name = "backprop"
[[rule]]
name = "backprop"
believed_steepness = 2.0
[[rule]]
name = "forward-forward"
slope = "oracle"
[[rule]]
name = "weight-perturbation"
"""
SWEEP = "\n[sweep]\nlayers = [[8], [40, 40]]\n"


def opened(folder):
    return Results.of(load_results(folder), load_measurements(folder), read_manifest(folder), folder=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    write = write_study.__wrapped__(folder)  # of the module, since it trains
    lived(write(more="keep = true\n", device=LINEAR, rule=RULES, sweep=SWEEP), folder / "out")
    return folder / "out"


@pytest.mark.slow
def test_the_cosine_of_exact_slopes_is_one_and_that_of_perturbation_has_its_law(folder):
    (drawing,) = draw_one("cosine_vs_parameters", opened(folder))
    found = {variant: rows.set_index("parameters")["mean"] for variant, rows in drawing.table.groupby("variant")}
    whole = [64 * 8 + 8 * 10, 64 * 40 + 40 * 40 + 40 * 10]
    right, wrong = sorted(variant for variant in found if variant.startswith("backprop"))
    np.testing.assert_allclose(found[right].loc[whole], 1.0, atol=1e-4)
    assert (found[wrong].loc[whole] < 0.99).all()  # layers take part by powers of a wrong steepness
    (exact,) = [v for v in found if v.startswith("FF")]
    np.testing.assert_allclose(found[exact].loc[[64 * 8, 64 * 40 + 40 * 40]], 1.0, atol=1e-4)
    perturbed = found["weight perturbation"].loc[whole]
    # the estimate grows with the root of the sum of squares of as many normal numbers as there are directions
    spread = 0.5 * np.sqrt(2 / (2 * UPDATES))
    np.testing.assert_allclose(perturbed, law(np.array(whole), directions=2), rtol=3 * spread)
    with styled("ieee"):
        line = next(line for line in drawing.figure.axes[0].lines if len(line.get_xdata()) == 50)
    slope = np.diff(np.log(line.get_ydata())) / np.diff(np.log(line.get_xdata()))
    np.testing.assert_allclose(slope, -0.5, atol=0.01)


@pytest.mark.slow
def test_updates_that_are_looked_at_change_no_weight(folder):
    for kept in kept_chips(folder):
        life = awaken(kept)
        if life.rule.name != "weight-perturbation":  # which must write to know
            before = [device.get_buffer("weights").clone() for device in life.chips.devices]
            assert alignment(life) is not None
            for device, weights in zip(life.chips.devices, before, strict=True):
                np.testing.assert_array_equal(device.get_buffer("weights"), weights)


@pytest.mark.slow
def test_a_twin_is_compared_with_its_chip_at_the_same_inputs(folder):
    drawings = {drawing.name: drawing for drawing in draw_one("sim_to_real", opened(folder))}
    assert len(drawings) == 4
    for drawing in drawings.values():
        table = drawing.table
        steep = 2.0 if "_2" in drawing.name else 1.0
        np.testing.assert_allclose(table["predicted"], steep * table["measured"], atol=1e-4)
        with styled("nature"):
            titles = [axes.get_title() for axes in drawing.figure.axes]
        assert len(titles) == table["layer"].nunique()
        assert all(title.endswith("1.00") == (steep == 1) for title in titles)


def test_the_explained_share_is_one_without_fault_and_none_for_the_mean():
    measured = np.random.default_rng(0).normal(size=1000)
    assert explained(measured, measured) == 1
    assert explained(np.full(1000, measured.mean()), measured) == pytest.approx(0, abs=1e-12)
    assert explained(-measured, measured) < -1


@pytest.mark.slow
def test_one_size_is_no_figure_and_the_message_says_what_to_sweep(folder):
    results = opened(folder)
    one = Results.of(
        load_results(folder)[lambda rows: rows["layers"] == "8"], {}, read_manifest(folder), folder=results.folder
    )
    with pytest.raises(Missing, match=r"several sizes.*Sweep layers"):
        list(draw_one("cosine_vs_parameters", one))


def test_fields_are_read_of_chips_whose_rule_sees_a_loss_alone(folder):
    for drawing in draw_one("receptive_fields", opened(folder)):
        assert "weight perturbation" in set(drawing.table["variant"])
        assert drawing.table["answer"].abs().max() > 0
