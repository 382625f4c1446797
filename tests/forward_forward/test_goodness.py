import pytest
import torch

from analogff.forward_forward.goodness import GOODNESS, make_goodness
from analogff.forward_forward.goodness_objective import HEADROOM, SCALE, GoodnessObjective
from analogff.forward_forward.losses import LOSSES
from analogff.learning.batch import Batch
from analogff.network.normalization import mean_square

NAMES = ("mean", "sum", "cosine")


def written_out(name, y, measure):
    if name == "cosine":
        return torch.cosine_similarity(y, measure.direction.to(y.dtype)[None, None], -1)
    return y.square().mean(-1) if name == "mean" else y.square().sum(-1)


@pytest.mark.parametrize("name", NAMES)
def test_goodness_and_its_derivative(name):
    """Against autograd; the direction has single precision."""
    measure = make_goodness(name, 0, 7, seed=0)
    y = torch.randn(2, 5, 7, dtype=torch.float64, requires_grad=True)
    factors = torch.randn(2, 5, dtype=torch.float64)
    squares = mean_square(y.detach())
    torch.testing.assert_close(
        measure.of(y.detach(), squares), written_out(name, y, measure).detach(), rtol=1e-7, atol=0
    )
    (expected,) = torch.autograd.grad((written_out(name, y, measure) * factors).sum(), y)
    torch.testing.assert_close(measure.gradient(y.detach(), squares, factors), expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", ("mean", "sum"))
def test_the_unit_is_the_derivative_by_an_activity_of_one(name):
    measure, y = make_goodness(name, 0, 6, seed=0), torch.ones(1, 1, 6)
    gradient = measure.gradient(y, mean_square(y), torch.ones(1, 1))
    assert gradient.flatten().tolist() == pytest.approx([measure.unit(6)] * 6)


def test_the_unit_of_a_cosine_is_the_size_of_its_derivative():
    """Of activities whose mean square is 1: |dG/dy| = sin(angle) / sqrt(n), shared by n neurons."""
    n = 4000
    measure, y = make_goodness("cosine", 0, n, seed=0), torch.randn(1, 50, n)
    squares = mean_square(y)
    gradient = measure.gradient(y, squares, torch.ones(1, 50))
    assert gradient.square().mean().sqrt().item() == pytest.approx(measure.unit(n), rel=0.01)


def test_a_cosine_does_not_see_the_length():
    measure, y = make_goodness("cosine", 0, 50, seed=0), torch.rand(2, 9, 50)
    torch.testing.assert_close(measure.of(y, mean_square(y)), measure.of(3 * y, mean_square(3 * y)))
    along = (measure.gradient(y, mean_square(y), torch.ones(2, 9)) * y).sum(-1)
    assert along.abs().max() < 1e-6


def test_silence_has_a_goodness():
    for name in NAMES:
        assert make_goodness(name, 0, 5, seed=0).of(torch.zeros(1, 1, 5), torch.zeros(1, 1)).item() == 0


def test_the_seed_and_the_layer_decide_the_direction():
    drawn = [make_goodness("cosine", layer, 30, seed).direction for layer, seed in [(0, 0), (0, 0), (1, 0), (0, 1)]]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[3])
    assert drawn[0].norm().item() == pytest.approx(1)


@pytest.mark.parametrize("name", ["mean", "sum"])
@pytest.mark.parametrize("loss", ["swish", "symba", "hinton"])
def test_a_measured_scale_and_threshold_know_no_unit_of_the_outputs(name, loss):
    """Volts or millivolts: the loss is the same number, and its derivative only changes its unit."""
    y = torch.rand(2, 20, 30, generator=torch.Generator().manual_seed(0))

    def learned(unit):
        objective = GoodnessObjective(measure=GOODNESS[name], loss=LOSSES[loss], scale=None, theta=None)
        told = y * unit
        return objective.judge(told, told.square().mean(-1), Batch())

    (loss_volts, gradient_volts), (loss_milli, gradient_milli) = learned(1.0), learned(1000.0)
    torch.testing.assert_close(loss_volts, loss_milli)
    torch.testing.assert_close(gradient_volts, gradient_milli * 1000, rtol=1e-4, atol=1e-8)


def test_a_measured_scale_is_kept_from_the_first_reads():
    objective = GoodnessObjective(measure=GOODNESS["mean"], loss=LOSSES["swish"], scale=None, theta=None)
    y = torch.rand(1, 20, 30, generator=torch.Generator().manual_seed(0))
    objective.judge(y, y.square().mean(-1), Batch())
    spread = y.square().std()
    torch.testing.assert_close(objective.steepness, (SCALE * HEADROOM / spread).view(1, 1))
    objective.judge(3 * y, 9 * y.square().mean(-1), Batch())
    torch.testing.assert_close(objective.steepness, (SCALE * HEADROOM / spread).view(1, 1))


def test_a_range_that_ends_at_zero_is_no_end_of_a_goodness():
    y = -torch.rand(1, 20, 30, generator=torch.Generator().manual_seed(0))
    objective = GoodnessObjective(measure=GOODNESS["mean"], loss=LOSSES["swish"], scale=None, theta=None, ceiling=0.0)
    objective.judge(y, y.square().mean(-1), Batch())
    torch.testing.assert_close(objective.steepness, (SCALE * HEADROOM / y.square().std()).view(1, 1))


def test_a_range_that_ends_near_makes_the_scale_smaller():
    """Uniform activities reach 0.99 of their end; a chip of twice the range has twice the headroom."""
    y = torch.rand(3, 100, 100, generator=torch.Generator().manual_seed(0))[:1].repeat(3, 1, 1)
    ceiling = torch.tensor([1.0, 2.0, 50.0])
    objective = GoodnessObjective(
        measure=GOODNESS["mean"], loss=LOSSES["swish"], scale=None, theta=None, ceiling=ceiling
    )
    objective.judge(y, y.square().mean(-1), Batch())
    raised = objective.steepness.flatten() * y[0].square().std() / SCALE
    torch.testing.assert_close(raised, torch.tensor([1 / 0.99, 2 / 0.99, HEADROOM]), rtol=5e-3, atol=0)
