import torch

from analogff.device import derive_seed, fabricate
from tests.helpers.fakes import Leaky, Tanh


def test_a_bank_of_single_chips_answers_as_each_alone():
    x = torch.randn(3, 6, 5)
    bank = fabricate(Leaky, 5, 4, seeds=[7, 8, 9])
    alone = [Leaky(5, 4, seed=s).measure(x[c]) for c, s in enumerate([7, 8, 9])]
    assert torch.equal(bank.measure(x), torch.stack(alone))


def test_a_parameter_tensor_gives_each_chip_its_own():
    x = torch.randn(2, 6, 5)
    bank = fabricate(Leaky, 5, 4, seeds=[7, 8], parameters={"gain": torch.tensor([1.0, 3.0])})
    assert torch.equal(bank.measure(x)[1], Leaky(5, 4, seed=8, gain=3.0).measure(x[1]))


def test_a_pulse_reaches_only_its_own_chip():
    bank = fabricate(Leaky, 5, 4, seeds=[7, 8])
    before = [d.weights.clone() for d in bank.devices]
    change = torch.zeros(2, 4, 5)
    change[1] = 0.5
    bank.pulse(change)
    assert torch.equal(bank.devices[0].weights, before[0])
    assert torch.equal(bank.devices[1].weights, before[1] + 0.5)


def test_a_fixed_black_box_comes_behind_digital_weights():
    layer = fabricate(Tanh, 5, 4, seeds=[1, 2])
    x, bias = torch.randn(2, 6, 5), torch.tensor(0.3)
    expected = torch.tanh(torch.einsum("cji,cbi->cbj", layer.digital.weights, x) + bias)
    torch.testing.assert_close(layer.measure(x, bias), expected)
    assert (layer.datasheet.n_in, layer.datasheet.n_out, layer.datasheet.bias_port) == (5, 4, True)


def test_initial_weights_have_the_variance_of_one_over_n():
    weights = fabricate(Tanh, 400, 100, seeds=[3]).digital.weights
    # The variance of n normal samples has a relative standard error of sqrt(2/n).
    assert abs(weights.var().item() * 400 - 1) < 4 * (2 / weights.numel()) ** 0.5


def test_derived_seeds_differ_by_part():
    seeds = {derive_seed(s, part) for s in range(50) for part in range(20)}
    assert len(seeds) == 1000 and all(0 <= s < 2**63 for s in seeds)
