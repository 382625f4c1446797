"""With every flaw at zero each device is exact linear algebra and its neuron, most often a rectifier."""

import pytest
import torch

from analogff.device import fabricate
from tests.helpers.devices import EXPORTED, FLAWLESS, NEURONS, inputs


@pytest.mark.parametrize("model", FLAWLESS)
def test_without_flaws_a_device_is_exact(model):
    n_in, n_out, chips = 13, 7, 3
    device = fabricate(model, n_in, n_out, seeds=range(chips), parameters=FLAWLESS[model])
    x, w = inputs(chips, 5, n_in), device.weights.clone()
    bias, neuron = torch.linspace(-1, 1, n_out), NEURONS.get(model, torch.relu)

    def exact(w, bias=0.0):
        return neuron(torch.einsum("cji,cbi->cbj", w.double(), x.double()) + bias).float()

    assert torch.allclose(device(x), exact(w), atol=1e-5)
    assert torch.allclose(device(x, bias), exact(w, bias), atol=1e-5)
    step = 100 / n_in**0.5 * 1e-6  # what a pulse changes where pulses are discrete; two roundings at most
    change = step * torch.randint(-20, 21, w.shape, generator=torch.Generator().manual_seed(1))
    device.pulse(change)
    assert (device.weights - w - change).abs().max() < 2 * step
    device.program(w + 0.1)
    device.wait(1e5)
    assert torch.allclose(device(x), exact(w + 0.1), atol=1e-4)


def test_every_exported_device_has_an_ideal_limit():
    assert set(EXPORTED) == set(FLAWLESS)


@pytest.mark.parametrize("model", FLAWLESS)
def test_weights_start_normal(model):
    device = fabricate(model, 400, 200, seeds=[5], parameters=FLAWLESS[model])
    scaled = device.weights * 400**0.5
    n = scaled.numel()
    assert abs(scaled.mean()) < 4 / n**0.5
    assert abs(scaled.std() - 1) < 4 / (2 * n) ** 0.5
