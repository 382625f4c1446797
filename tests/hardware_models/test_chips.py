"""Chips are identities: the same numbers alone, in a bank, in pieces, on more threads, and after a restart."""

import inspect
import io
import sys

import pytest
import torch

from analogff.device import fabricate
from hardware_models import kernels
from hardware_models.kernels import reference
from tests.helpers.devices import EXPORTED, inputs, trace

SEEDS = [3, 1, 4]
PER_CHIP = {
    "mismatch": [0.1, 0.0, 0.3],
    "read_noise": [0.0, 0.1, 0.05],
    "adc_bits": [8, 0, 5],
    "step": [0.01, 0.02, 0.1],
}


def _parameters(model):
    """Return what this model takes of the per-chip numbers, as tensors."""
    takes = inspect.signature(model.__init__).parameters
    return {k: torch.tensor(v) for k, v in PER_CHIP.items() if k in takes}


def _bank(model, seeds=SEEDS, parameters=None, size=(13, 7)):
    return fabricate(model, *size, seeds=seeds, parameters=_parameters(model) if parameters is None else parameters)


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("size, batch", [((13, 7), 5), ((97, 41), 33)])
@pytest.mark.parametrize("model", EXPORTED)
def test_a_chip_alone_equals_itself_in_a_bank_bit_by_bit(model, size, batch, one_thread):
    x = inputs(3, batch, size[0])
    together = trace(_bank(model, size=size), x)
    for c, seed in enumerate(SEEDS):
        own = {k: v[c].item() for k, v in _parameters(model).items()}
        alone = trace(_bank(model, [seed], own, size), x[c : c + 1])
        assert all(torch.equal(a, t[c : c + 1]) for a, t in zip(alone, together, strict=True))


@pytest.mark.parametrize("model", EXPORTED)
def test_a_chip_that_is_asked_for_nothing_is_as_if_it_were_not_asked(model, one_thread):
    """While its neighbors are written; so the noise of its next write too is that of its first one."""
    told = {"weight_bits": 12} if "weight_bits" in model.__init__.__kwdefaults__ else {}
    x = inputs(3, 5, 13)
    bank, alone = _bank(model, parameters=told), _bank(model, SEEDS[1:2], told)
    change = torch.linspace(-0.2, 0.3, 91).reshape(1, 7, 13).repeat(3, 1, 1)
    change[1] = 0
    for _ in range(3):
        spent = bank.pulse(change)
        assert spent is None or (spent[1] == 0 and spent[0] > 0)
    for together, one in zip(trace(bank, x), trace(alone, x[1:2]), strict=True):
        assert torch.equal(together[1:2], one)


@pytest.mark.parametrize("model", EXPORTED)
def test_a_batch_equals_its_halves(model):
    """Up to the rounding of the product, which an ADC may lift to a whole step: so without ADC."""
    quiet = {"adc_bits": 0} if "adc_bits" in model.__init__.__kwdefaults__ else {}
    whole, halves = _bank(model, parameters=quiet), _bank(model, parameters=quiet)
    x = inputs(3, 10, 13)
    first = whole(x)
    assert torch.allclose(torch.cat([halves(x[:, :5]), halves(x[:, 5:])], 1), first, atol=1e-5)
    assert torch.allclose(halves(x), whole(x), atol=1e-5)
    assert (whole(x) - first).abs().max() > 1e-3 or not quiet  # and the next read has new noise


@pytest.mark.parametrize("model", EXPORTED)
def test_threads_do_not_change_a_chip(model, one_thread):
    quiet = {"adc_bits": 0} if "adc_bits" in model.__init__.__kwdefaults__ else {}
    x = inputs(3, 128, 97)
    one = _bank(model, parameters=quiet, size=(97, 41))(x)
    torch.set_num_threads(2)
    assert torch.allclose(_bank(model, parameters=quiet, size=(97, 41))(x), one, atol=1e-5)


@pytest.mark.parametrize("model", EXPORTED)
def test_seeds_make_chips(model):
    x = inputs(1, 5, 13).expand(3, -1, -1)
    y = _bank(model, seeds=[1, 1, 2], parameters={})(x)
    assert torch.equal(y[0], y[1]) and not torch.allclose(y[0], y[2], atol=1e-2)


@pytest.mark.parametrize("model", EXPORTED)
def test_a_checkpoint_restores_a_chip_exactly(model):
    device, x = _bank(model), inputs(3, 5, 13)
    trace(device, x)
    file = io.BytesIO()
    torch.save(device.state_dict(), file)
    file.seek(0)
    other = _bank(model, seeds=[7, 8, 9], parameters={})  # all that a chip is lies in its state
    other.load_state_dict(torch.load(file, weights_only=True))
    assert all(torch.equal(a, b) for a, b in zip(trace(device, x), trace(other, x), strict=True))


@pytest.mark.parametrize("model", EXPORTED)
def test_the_global_generator_is_left_alone(model):
    before = torch.get_rng_state()
    trace(_bank(model), inputs(3, 5, 13))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("model", EXPORTED)
def test_the_true_slope_is_that_of_the_device_without_noise(model):
    silent = {
        "mismatch": 0.2,
        "read_noise": 0.0,
        "weight_noise": 0.0,
        "flicker_noise": 0.0,
        "measured_noise": 0.0,
        "bandwidth_hertz": 0.0,
        "samples": 0,
        "adc_bits": 0,
        "dac_bits": 0,
    }
    takes = model.__init__.__kwdefaults__
    device, x = _bank(model, parameters={k: v for k, v in silent.items() if k in takes}), inputs(3, 50, 13)
    slope, weights = device.oracle(x, torch.tensor(0.1))
    h, one = 1e-2, torch.eye(7).unsqueeze(1).unbind()  # one neuron at a time, since neurons may act on each other
    up, down = ([device(x, 0.1 + sign * h * b)[..., j] for j, b in enumerate(one)] for sign in (1, -1))
    measured = (torch.stack(up, -1) - torch.stack(down, -1)) / (2 * h)
    # second order in h but for samples within h of a kink, where the slope jumps
    off = (measured - slope).abs() > 5e-3
    assert off.float().mean() < 0.05
    assert weights.shape == (3, 7, 13)


@pytest.mark.parametrize("model", EXPORTED)
def test_all_chips_in_one_launch_are_the_same_chips(model, monkeypatch):
    """The path that a GPU takes, here on a CPU: reference noise, and the bank as a whole."""
    quiet = {"adc_bits": 0, "dac_bits": 0} if "adc_bits" in model.__init__.__kwdefaults__ else {}
    one_by_one, x = _bank(model, parameters=quiet), inputs(3, 5, 13)
    expected = trace(one_by_one, x)
    for name in ("normal", "uniform", "add_normal_"):
        monkeypatch.setattr(kernels, name, getattr(reference, name))
    for module in [m for name, m in sys.modules.items() if name.startswith("hardware_models.")]:
        if hasattr(module, "chip_groups"):
            monkeypatch.setattr(module, "chip_groups", lambda x: [slice(None)])
    for a, b in zip(trace(_bank(model, parameters=quiet), x), expected, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("model", EXPORTED)
def test_cuda_gives_the_same_chip(model):
    here, there = _bank(model), _bank(model).cuda()
    x = inputs(3, 5, 13)
    step = 8 / 15  # rounding may lift a sample to the next step of the coarsest ADC
    for a, b in zip(trace(here, x)[:1], trace(there, x.cuda())[:1], strict=True):
        assert (a - b.cpu()).abs().max() < step
        assert ((a - b.cpu()).abs() > 1e-4).float().mean() < 0.02
