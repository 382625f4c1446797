"""Momentum's step against torch's optimizer, and what it keeps."""

import pytest
import torch

from analogff.catalog import resolve_rule
from analogff.learning import step_work
from analogff.learning.momentum import Momentum

SHAPE = (3, 23, 29)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_are_those_of_torchs_optimizer(momentum):
    mine = Momentum(SHAPE, torch.device("cpu"), momentum)
    register = torch.zeros(SHAPE, requires_grad=True)
    optimizer = torch.optim.SGD([register], momentum=momentum)
    drawn = torch.Generator().manual_seed(0)
    for step in range(20):
        rate = 0.1 * (1 + step % 7)
        register.grad = torch.randn(SHAPE, generator=drawn)
        optimizer.param_groups[0]["lr"] = rate
        with torch.no_grad():
            register.zero_()
        optimizer.step()
        mine.prepare(rate)
        assert torch.allclose(mine.apply(register.grad), register.detach(), rtol=1e-5, atol=1e-6)


def test_what_was_cut_was_not_asked():
    rate, decay, most = 0.1, 0.5, torch.full((1, 1, 1), 0.07)
    mine, asked, drawn = Momentum(SHAPE, torch.device("cpu"), 0.0, decay), torch.zeros(SHAPE), torch.Generator()
    for _ in range(4):
        gradient = torch.randn(SHAPE, generator=drawn)
        mine.prepare(rate)
        change = mine.apply(gradient, most=most)
        wanted = -rate * gradient - rate * decay * asked
        assert torch.allclose(change, wanted.clamp(-most, most), rtol=1e-5, atol=1e-6)
        asked += change


@pytest.mark.parametrize("given, registers", [({}, 2), ({"optimizer": "momentum"}, 1)])
def test_a_register_is_kept_for_each_moment(given, registers):
    options = resolve_rule("backprop").Options(**given)
    assert step_work.registers(options, [(25, 16), (16, 10)]) == registers * step_work.weights([(25, 16), (16, 10)])


def test_plain_descent_keeps_no_register():
    assert Momentum(SHAPE, torch.device("cpu"), 0.0).velocity is None
    options = resolve_rule("backprop").Options(optimizer="momentum", momentum=0.0)
    assert step_work.registers(options, [(25, 16)]) == 0
