"""Diagnostics along training are right, and change nothing that they look at."""

import numpy as np
import pytest
import torch
from pandas.testing import assert_frame_equal
from rich.console import Console

from analogff.figures.draw import draw_one
from analogff.figures.results import Missing
from analogff.study.read.spec import read_study
from analogff.study.results.store import load_measurements, load_results
from analogff.study.run.engine import run_study
from analogff.study.run.kept import kept_chips
from tests.figures.test_kept_gradients import opened
from tests.study.conftest import HEAD
from tests.study.run.test_study_run import same
from tests.study.run.test_unfinished import kept_at_each_look, stop_after_keeping

__all__ = ["kept_at_each_look"]

LOOKS = "\n[diagnostics]\nevery = 3\nrepeats = 4\n"
NOISY = '\n[device]\nmodel = "reram"\nread_noise = 0.05\n'
EXACT = '\n[device]\nmodel = "ideal"\nneuron = "linear"\n'
SHORT = HEAD.replace("train_images = 200", "train_images = 120")
RULES = (
    'name = "forward-forward"\nupdate_decay = 0.1',
    'name = "backprop"',
    'name = "weight-perturbation"',
    'name = "backprop"\nthrough = "probed"',
    'name = "mono-forward"\nwrite = "tiki-taka-2"',
    'name = "node-perturbation"\ndecorrelation = 0.01',
    'name = "multiplexed-gradient-descent"',
    'name = "forward-gradient"',
    'name = "phyll"',
    'name = "asyt"',
)


def table(rule):
    return f"\n[[rule]]\nbatch = 20\n{rule}\n"


def run(path, out):
    finished = run_study(read_study(path, ()), out, workers=0, console=Console(quiet=True))
    assert not finished.failures, finished.failures[0].failure
    return load_results(out)


def plain(state):
    """Yield everything in a nested state with its path."""
    if isinstance(state, (dict, list, tuple)):
        parts = state.items() if isinstance(state, dict) else enumerate(state)
        for name, part in parts:
            yield from ((f"{name}/{path}", value) for path, value in plain(part))
    else:
        yield "", state


def end_of(folder):
    """Return all that chips, rules, ledgers and generators of a study are at its end, but for wall-clock time."""
    found = {}
    for kept in kept_chips(folder):
        name = str(kept.task.runs[0].case.rule.name), kept.task.runs[0].case.rule.options.get("through")
        found |= {(name, path): value for path, value in plain(kept.state) if "wall_seconds" not in path}
    return found


@pytest.mark.slow
@pytest.mark.parametrize("rules", [RULES[:3], pytest.param(RULES[3:], marks=pytest.mark.slow)], ids=["few", "many"])
def test_a_run_is_bitwise_the_same_with_and_without(write_study, tmp_path, rules):
    given = {"head": SHORT, "device": NOISY, "rule": "".join(map(table, rules))}
    more = 'keep = true\nclock = "step"\n'
    without = run(write_study(more=more, **given), tmp_path / "without")
    looked = run(write_study(more=more, sweep=LOOKS, **given), tmp_path / "with")
    columns = [name for name in without if name != "run"]
    same(without[columns], looked[columns])
    mine, theirs = end_of(tmp_path / "with"), end_of(tmp_path / "without")
    assert mine.keys() == theirs.keys() and len(mine) > 100
    for place, value in mine.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, theirs[place].to(value.dtype)) or value.isnan().any(), place
        else:
            assert value == theirs[place], place
    rows = load_measurements(tmp_path / "with")["diagnostics"]
    assert set(rows["step"]) == {0, 3} and set(rows["images"]) == {0, 60}
    assert set(rows["rule"]) == set(without["rule"]) - {"phyll"}, "PhyLL asks its chips for nothing"
    assert "diagnostics" not in load_measurements(tmp_path / "without")


def test_exact_slopes_without_noise_are_the_gradient_itself(write_study, tmp_path):
    rule = table('name = "backprop"\nthrough = "oracle"') + table('name = "backprop"\nbelieved_steepness = 2.0')
    run(write_study(head=SHORT, device=EXACT, rule=rule, sweep=LOOKS), tmp_path / "out")
    rows = load_measurements(tmp_path / "out")["diagnostics"]
    results = load_results(tmp_path / "out").drop_duplicates("run").set_index("run")
    through = rows["run"].map(results["rule.through"])
    exact, steep = rows[through == "oracle"], rows[through == "twin"]
    np.testing.assert_allclose(exact[["cosine", "norm_ratio"]], 1.0, atol=1e-5)
    assert np.isinf(exact["snr"]).all() and np.isinf(steep["snr"]).all()
    # linear neurons: the head's error is right, and the hidden layer's is twice as large
    np.testing.assert_allclose(steep["norm_ratio"], np.where(steep["layer"] == 1, 2.0, 1.0), rtol=1e-4)
    drawn = {drawing.name: drawing.table for drawing in draw_one("update_vs_step", opened(tmp_path / "out"))}
    assert sorted(drawn) == ["update_vs_step-cosine", "update_vs_step-norm_ratio"], "no ratio to noise is finite"
    ratios = drawn["update_vs_step-norm_ratio"]
    assert sorted(ratios["mean"].round(3).unique()) == [1.0, 2.0] and set(ratios["chips"]) == {2}


def test_a_figure_of_a_study_without_diagnostics_says_what_to_write(write_study, tmp_path):
    run(write_study(head=SHORT, device=EXACT, rule=table(RULES[1])), tmp_path / "out")
    with pytest.raises(Missing, match=r"Write \[diagnostics\] with every = 50"):
        list(draw_one("update_vs_step", opened(tmp_path / "out")))


@pytest.mark.slow
def test_perturbation_has_the_cosine_the_norm_and_the_noise_of_its_law(write_study, tmp_path):
    r"""Of a layer with P_l of the weights and a share x of the gradient's square, rho^2 = 1 + (P_l / x - 1) / K."""
    directions, repeats = 4, 64
    looks = f"\n[diagnostics]\nevery = 100\nrepeats = {repeats}\n"
    rule = table(f'name = "weight-perturbation"\ndirections = {directions}\nsize = 1e-3')
    run(write_study(head=SHORT, device=EXACT, rule=rule, sweep=looks), tmp_path / "out")
    rows = load_measurements(tmp_path / "out")["diagnostics"]
    rows["parameters"] = rows["layer"].map({1: 64 * 8, 2: 8 * 10})
    rows["share"] = rows["parameters"] / (1 + directions * (rows["norm_ratio"] ** 2 - 1))
    deviation = np.sqrt(2 / (directions * repeats))  # of the mean of so many squares of normal numbers
    np.testing.assert_allclose(rows.groupby("run")["share"].sum(), 1.0, atol=4 * deviation)
    projected = rows["cosine"] * rows["norm_ratio"] - 1
    assert (projected.abs() < 4 * deviation / np.sqrt(rows["share"])).all()
    first = rows[rows["layer"] == 1]
    np.testing.assert_allclose(first["snr"], 1 / np.sqrt(first["norm_ratio"] ** 2 - 1), rtol=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["forward-gradient", "ffzero"])
def test_directional_derivatives_of_scores_are_right_in_the_mean(write_study, tmp_path, name):
    """The projection on the true gradient is 1; a Gaussian direction's has a variance of at most 2 and its square."""
    directions, repeats = 8, 32
    looks = f"\n[diagnostics]\nevery = 100\nrepeats = {repeats}\n"
    rule = table(f'name = "{name}"\ndirections = {directions}\nsize = 1e-2')
    run(write_study(head=SHORT, device=EXACT, rule=rule, sweep=looks), tmp_path / "out")
    rows = load_measurements(tmp_path / "out")["diagnostics"]
    projected = rows["cosine"] * rows["norm_ratio"]
    np.testing.assert_allclose(projected, 1.0, atol=4 * np.sqrt(2 / (directions * repeats)))
    assert set(rows["layer"]) == {1} and (rows["norm_ratio"] > 1).all()


@pytest.mark.slow
def test_rows_are_those_of_a_chip_alone_and_survive_a_kill(write_study, tmp_path, monkeypatch, kept_at_each_look):
    head = SHORT.replace("epochs = 1", "epochs = 3")
    given = {"head": head, "device": NOISY, "rule": table(RULES[0]) + table(RULES[2]), "sweep": LOOKS}
    path = write_study(**given)
    run(path, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        stop_after_keeping(patch, 1)
        run_study(read_study(path, ()), tmp_path / "out", workers=0, console=Console(quiet=True))
    run(path, tmp_path / "out")
    whole = load_measurements(tmp_path / "undisturbed")["diagnostics"]
    assert_frame_equal(load_measurements(tmp_path / "out")["diagnostics"], whole)
    assert sorted(set(whole["step"])) == [0, 3, 6, 9, 12, 15]
    run(write_study(**given | {"head": head.replace("chips = 2", "chips = [1]")}), tmp_path / "alone")
    alone = load_measurements(tmp_path / "alone")["diagnostics"]
    assert_frame_equal(alone, whole[whole["run"].isin(alone["run"])].reset_index(drop=True))
