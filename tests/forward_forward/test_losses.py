import math

import pytest
import torch

from analogff.forward_forward.losses import LOSSES


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
