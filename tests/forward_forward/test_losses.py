import math

import pytest
import torch

from analogff.forward_forward.losses import LOSSES, hinton, scff


@pytest.mark.parametrize("name", LOSSES)
def test_pulls_are_the_derivatives_of_the_loss(name):
    positive = torch.randn(50, dtype=torch.float64).exp().requires_grad_()
    negative = torch.randn(50, dtype=torch.float64).exp().requires_grad_()
    pull = LOSSES[name](positive, negative, 3.0, 1.2)
    expected = torch.autograd.grad(pull.loss.sum(), (positive, negative))
    torch.testing.assert_close(pull.positive, expected[0])
    torch.testing.assert_close(pull.negative, expected[1])


@pytest.mark.parametrize("name", LOSSES)
def test_nothing_overflows(name):
    """log(1 + exp(x)) of public code is NaN past 88."""
    good = torch.tensor([0.0, 1e4, 0.0, 1e4])
    pull = LOSSES[name](good, good.flip(0), 10.0, 1.0)
    assert all(torch.isfinite(part).all() for part in pull)


@pytest.mark.parametrize("name", LOSSES)
def test_positive_goodness_is_raised_and_negative_lowered_on_an_undecided_pair(name):
    pull = LOSSES[name](torch.ones(1), torch.ones(1), 4.0, 1.0)
    assert pull.positive.item() < 0 < pull.negative.item()


def test_hinton_and_symba_are_at_ln2_where_nothing_is_known():
    one = torch.ones(1)
    assert LOSSES["hinton"](one, one, 5.0, 1.0).loss.item() == pytest.approx(2 * math.log(2))
    assert LOSSES["symba"](one, one, 5.0, 1.0).loss.item() == pytest.approx(math.log(2))


def test_scff_is_two_thresholds_and_a_penalty():
    """The authors' loss written out, and its limit of one threshold and no penalty, which is hinton's."""
    positive, negative = torch.randn(2, 50, dtype=torch.float64)
    expected = torch.log(1 + torch.exp(-2 * (positive - 0.3))) + torch.log(1 + torch.exp(2 * (negative - 1.1)))
    pull = scff(positive, negative, 2.0, 0.3, slack=0.8, penalty=0.05)
    torch.testing.assert_close(pull.loss, expected + 0.05 * positive.abs())
    for ours, theirs in zip(
        scff(positive, negative, 2.0, 0.3, slack=0, penalty=0), hinton(positive, negative, 2.0, 0.3), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_the_penalty_pulls_a_goodness_below_zero_up():
    positive = torch.tensor([-2.0, 2.0], dtype=torch.float64, requires_grad=True)
    pull = scff(positive, positive.detach(), 1.0, 0.0, penalty=3.0)
    torch.testing.assert_close(pull.positive, torch.autograd.grad(pull.loss.sum(), positive)[0])
