"""Controls, run: what they are, against arithmetic of their own, and how results show them."""

import io

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from rich.console import Console

from analogff.data import load_dataset
from analogff.device import Digital, derive_seed, fabricate
from analogff.figures.results import Results
from analogff.figures.style import looks
from analogff.study.case import LINEAR_DIGITAL, NO_DEVICE, SAME_SIZE_DIGITAL
from analogff.study.read.spec import read_study
from analogff.study.results.comparison import beaten_by_controls, labeled
from analogff.study.results.manifest import read_manifest
from analogff.study.results.names import is_control, variant_labels
from analogff.study.results.report import report
from analogff.study.results.store import load_results
from analogff.study.run.engine import run_study
from tests.study.conftest import DEVICE, HEAD

RULE = '\n[[rule]]\nname = "backprop"\nbatch = 20\ndecay_from = 1\n[[rule]]\nname = "forward-forward"\n'
SWEEP = '\n[sweep]\n"device.read_noise" = [0.05, 0.5]\n'


def run(path, folder, *settings):
    assert not run_study(read_study(path, settings), folder, workers=0).failures
    return load_results(folder), read_manifest(folder)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controls")
    (folder / "study.toml").write_text(f"{HEAD}controls = true\n{DEVICE}{RULE}{SWEEP}")
    return run(folder / "study.toml", folder / "out")


@pytest.mark.slow
def test_no_device_is_chance_level(done):
    frame, _ = done
    labels = load_dataset("digits", train_images=200, validation_images=50).test.labels
    chance = float(100 * (labels != 0).double().mean())  # equal answers for all classes: the first one
    assert frame[frame["control"] == NO_DEVICE]["test_error"].to_numpy() == pytest.approx([chance] * 4)


def test_linear_digital_is_softmax_regression(done):
    """Against torch's own Adam and cross-entropy, on images of equal length, in the order of the learning seed."""
    frame, _ = done
    data = load_dataset("digits", train_images=200, validation_images=50)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(derive_seed(0, "order", 0)))

    def seen(images):
        return images / images.square().mean(-1, keepdim=True).sqrt()

    for chip in (0, 1):
        weights = fabricate(Digital, 64, 10, seeds=[derive_seed(chip, 0)]).weights[0].clone().requires_grad_()
        adam = torch.optim.Adam([weights], lr=0.001)
        losses = []
        for batch in order.split(20):
            loss = torch.nn.functional.cross_entropy(
                seen(data.train.images[batch]) @ weights.T, data.train.labels[batch]
            )
            losses.append(loss.item())
            adam.zero_grad()
            loss.backward()
            adam.step()
        wrong = (seen(data.test.images) @ weights.T).argmax(-1) != data.test.labels
        rows = frame[(frame["control"] == LINEAR_DIGITAL) & (frame["rule"] == "backprop") & (frame["chip"] == chip)]
        assert rows["train_loss"].tolist() == pytest.approx([np.mean(losses)], rel=1e-4)
        assert rows["test_error"].tolist() == pytest.approx(
            [float(100 * wrong.double().mean())], abs=0.6
        )  # two images of 360


def test_same_size_digital_is_the_rule_on_exact_layers(done, write_study, tmp_path):
    frame, _ = done
    exact, _ = run(write_study(device='\n[device]\nmodel = "ideal"\n', rule=RULE), tmp_path / "exact")
    same = frame[frame["control"] == SAME_SIZE_DIGITAL]
    for number in ("test_error", "train_loss", "reads", "pulses"):
        assert same[number].tolist() == exact[number].tolist()


def test_controls_are_rows_of_their_rule_and_nobody_s_rivals(done):
    frame, manifest = done
    assert set(frame["rule"]) == {"backprop", "forward-forward"}
    assert frame.groupby("rule")["control"].value_counts().to_list() == [2] * 6  # once, whatever the read noise
    last, axes = labeled(frame, manifest)
    assert set(last["variant"]) == {"backprop", "FF"}
    console = Console(file=io.StringIO(), width=200)
    report(frame, manifest, console)
    told = console.file.getvalue()
    assert "backprop (control: linear digital)" in told
    assert not any("control" in line for line in told.splitlines() if "has the least error" in line)


def test_a_rule_that_a_control_beats_is_named(done):
    frame, manifest = done
    worst = frame.assign(test_error=np.where(frame["control"].isna(), 50.0, 60.0))
    assert list(beaten_by_controls(worst, manifest)) == []
    mine = frame["control"].isna() & (frame["device.read_noise"] == 0.5) & (frame["rule"] == "backprop")
    worst.loc[mine, "test_error"] = 60.0
    at = "At read noise = 0.5: backprop, 60.00 %, is no better than"
    assert list(beaten_by_controls(worst, manifest)) == [f"{at} no device, 60.00 %.", f"{at} linear digital, 60.00 %."]


def test_figures_draw_digital_controls_gray_and_leave_chance_level_out(done):
    frame, manifest = done
    results = Results.of(frame, {}, manifest)
    assert {NO_DEVICE} == set(frame["control"].dropna()) - set(results.frame["control"].dropna())
    look = looks(results.variants)
    for variant in results.variants:
        red, green, blue = to_rgb(look[variant].color)
        assert (red == green == blue) == is_control(variant), variant
    flat = results.frame[results.frame["variant"] == "FF (control: linear digital)"]
    assert set(flat["device.read_noise"]) == {0.05, 0.5}


def test_a_label_cannot_pass_for_a_control(done):
    frame, _ = done
    fake = "FF (control: no device)"
    labels = variant_labels(frame.assign(label=frame["rule"].map({"backprop": fake})), ["device.read_noise"])
    assert not labels[frame["control"].isna()].map(is_control).any()
    assert labels[frame["control"].notna()].map(is_control).all()
