"""Adam's step, on every path there is, against torch's optimizer."""

import importlib
import os

import pytest
import torch

from analogff.learning import adam

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # Triton and the kernels look at it when they are imported


def _triton_step():
    pytest.importorskip("triton")
    return importlib.import_module("analogff.learning.adam_cuda").adam_step


PATHS = {"compiled": lambda: adam.compiled_step, "torch": lambda: adam.torch_step, "triton": _triton_step}
CASES = [
    *((name, "cpu") for name in PATHS if name != "triton" or not torch.cuda.is_available()),
    *(pytest.param(name, "cuda", marks=pytest.mark.gpu) for name in ("torch", "triton")),
]
SHAPE = (3, 23, 29)  # more than a program's block, and no multiple of one


@pytest.mark.parametrize("name, device", CASES)
def test_every_path_takes_the_steps_of_torchs_optimiser(name, device, monkeypatch):
    """A register at zero moves by what Adam wants; oracle in double precision.

    The terms of a change are about as large as the rate, and 20 steps round a few times each in the 24th bit; the
    second decay, 0.999, in single precision leaves a rest that is wrong by 1.3e-5, half of which shows in the root.
    """
    take = PATHS[name]()
    monkeypatch.setattr(adam, "_pass_on", lambda device: take)
    mine = adam.Adam(SHAPE, torch.device(device))
    register = torch.zeros(SHAPE, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([register])
    drawn = torch.Generator().manual_seed(0)
    for step in range(20):
        rate = 1e-3 * (1 + step % 7)
        gradient = torch.randn(3, 29, 23, generator=drawn).mT  # not dense
        gradient = gradient * 10.0 ** (step % 5 - 4)
        register.grad = gradient.double()
        optimizer.param_groups[0]["lr"] = rate
        with torch.no_grad():
            register.zero_()
        optimizer.step()
        change = mine.step(gradient.to(device), rate)
        assert (change.cpu() - register.detach()).abs().max() < 2e-5 * rate


@pytest.mark.parametrize("name, device", CASES)
def test_a_weight_that_no_gradient_reaches_stays(name, device, monkeypatch):
    take = PATHS[name]()
    monkeypatch.setattr(adam, "_pass_on", lambda device: take)
    mine = adam.Adam(SHAPE, torch.device(device))
    gradient = torch.ones(SHAPE, device=device)
    gradient[0] = 0
    for _ in range(3):
        change = mine.step(gradient, 0.1)
    assert not change[0].any() and (change[1:] < 0).all()


@pytest.mark.parametrize("name, device", CASES)
def test_a_weight_cost_takes_back_a_share_of_what_was_asked(name, device, monkeypatch):
    """The change less that of the same steps without a cost is ``-rate * cost * asked``, and what was cut was not asked."""
    take, rate, cost, most = PATHS[name](), 0.1, 0.5, torch.full((1, 1, 1), 0.07, device=device)
    monkeypatch.setattr(adam, "_pass_on", lambda device: take)
    plain, costly = adam.Adam(SHAPE, torch.device(device)), adam.Adam(SHAPE, torch.device(device), cost)
    asked, drawn = torch.zeros(SHAPE, device=device), torch.Generator().manual_seed(0)
    for _ in range(4):
        gradient = torch.randn(SHAPE, generator=drawn).to(device)
        costly.prepare(rate)
        wanted = plain.step(gradient, rate) - rate * cost * asked
        change = costly.apply(gradient, most=most)
        assert torch.allclose(change, wanted.clamp(-most, most), rtol=1e-5, atol=1e-6)
        asked += change
    assert asked.abs().max() > 0.1


def test_each_device_has_its_path():
    assert adam._pass_on(torch.device("cpu")) is adam.compiled_step
    assert adam._pass_on(torch.device("meta")) is adam.torch_step
