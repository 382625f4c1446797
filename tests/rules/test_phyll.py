import pytest
import torch
from pydantic import ValidationError

from analogff.rules.phyll import Phyll
from tests.helpers.fakes import counted, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = Phyll.Options(**options)
    return Phyll(chips.seal(Phyll.needs(chosen)), chosen, seed=0)


def task(batch=60, seed=0):
    """Three classes by the greatest of three lines, behind those that labels are written over."""
    images, _ = make_batch(batch, n_in=9, classes=3, seed=seed)
    return images, images[:, 3:6].argmax(1)


def small(**told):
    return make_chips(sizes=(9, 8, 8), classes=3, seeds=(0,), curve=torch.tanh, **told)


@pytest.mark.parametrize("goodness", ["cosine", "mean"])
def test_a_layer_descends_the_gradient_of_its_loss_by_its_lines(goodness):
    chips = small()
    rule = make_rule(chips, goodness=goodness, inner_steps=1)
    lines, taken = rule.lines[0], {}
    step = lines.optimizer.step

    def keep(gradient, rate):
        taken["gradient"] = gradient.clone()
        return step(gradient, rate)

    lines.optimizer.step = keep
    joined, before = [], lines.weights[0].double().clone().requires_grad_()
    measure = lines.chip.measure
    lines.chip = type("Chip", (), {"measure": lambda h: joined.append(h) or measure(h)})
    lines.chip.datasheet, lines.chip.compute = rule.network.layers[0].datasheet, lambda *_: None
    loss = lines.read(torch.rand(1, 10, 9), rate=0.001).loss
    h = joined[0]
    both = torch.cat([measure(h), h], -1)[0].double()
    y = (both @ before.T).abs()
    if goodness == "cosine":
        found, scale = torch.nn.functional.normalize(y, dim=1) @ lines.objective.measure.direction.double(), 4.0
    else:
        found, scale = y.square().mean(1), 12.0
    expected = torch.nn.functional.softplus(-scale * (found[:5] - found[5:])).mean()
    torch.testing.assert_close(loss[0].double(), expected, rtol=1e-5, atol=1e-6)
    (truth,) = torch.autograd.grad(expected, before)
    torch.testing.assert_close(taken["gradient"][0].double(), truth, rtol=1e-4, atol=1e-6)


def test_the_chip_is_read_as_in_inference_and_never_written():
    chips = small()
    before = weights_of(chips)
    rule = make_rule(chips, inner_steps=5)
    rule.step(*task(10))
    assert counted(chips, "reads") == [20, 20, 0] and counted(chips, "writes") == [0, 0, 0]
    assert all(torch.equal(a, b) for a, b in zip(before, weights_of(chips), strict=True))
    rule.predict(task(10)[0])
    assert counted(chips, "reads") == [50, 50, 0]  # every label


def test_inner_steps_cost_digital_work_and_no_reads():
    work = [Phyll.digital_work(Phyll.Options(inner_steps=n), [(9, 8), (8, 3)], 10).macs for n in (1, 5, 9)]
    assert work[1] - work[0] == pytest.approx(work[2] - work[1]) and work[2] > 5 * work[0]


@pytest.mark.slow
@pytest.mark.parametrize("labels", ["overlay", "lines"])
def test_it_learns_a_small_problem(labels):
    sizes = (9 if labels == "overlay" else 12, 8, 8)
    chips = make_chips(sizes=sizes, classes=3, seeds=(0,), curve=torch.tanh)
    rule = make_rule(chips, labels=labels, learning_rate=0.01)
    losses = [rule.step(*task()).item() for _ in range(40)]
    assert losses[-1] < 0.5 * losses[0]
    images, answers = task(100, seed=5)
    assert (rule.predict(images)[0] == answers).float().mean() > 0.7
    right, wrong = (sum(rule.goodness(images, labels)) for labels in (answers, (answers + 1) % 3))
    assert (right > wrong).float().mean() > 0.7


def test_the_scale_of_a_goodness_is_its_own_unless_it_is_given():
    assert [Phyll.Options(goodness=g).scale for g in ("cosine", "mean")] == [4.0, 12.0]
    assert Phyll.Options(goodness="mean", scale=3).scale == 3


def test_a_way_to_write_what_nobody_writes_is_refused():
    with pytest.raises(ValidationError, match="leaves the chip as it was fabricated, and writes nothing"):
        Phyll.Options(write="sign")
