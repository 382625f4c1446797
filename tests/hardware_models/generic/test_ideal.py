import torch

from hardware_models.generic.ideal import Ideal


def test_sigmoids_are_logistic_and_their_slopes_too():
    device = Ideal(5, 3, seed=[0, 1], neuron="sigmoid")
    x = torch.linspace(-3, 3, 2 * 4 * 5).view(2, 4, 5)
    a = torch.einsum("cbi,coi->cbo", x.double(), device.weights.double()) + 0.5
    truth = 1 / (1 + torch.exp(-a))
    bias = torch.tensor(0.5)
    torch.testing.assert_close(device.measure(x, bias).double(), truth, rtol=1e-5, atol=0)
    torch.testing.assert_close(device.measure_biased(x, [bias])[0], device.measure(x, bias), rtol=0, atol=0)
    torch.testing.assert_close(device.oracle(x, bias).slope.double(), truth * (1 - truth), rtol=1e-4, atol=0)


def test_a_sigmoid_chip_is_bitwise_the_same_alone_and_in_a_bank():
    bank, alone = Ideal(5, 3, seed=[0, 1, 2], neuron="sigmoid"), Ideal(5, 3, seed=[1], neuron="sigmoid")
    x = torch.linspace(-3, 3, 3 * 7 * 5).view(3, 7, 5)
    assert torch.equal(bank.measure(x)[1], alone.measure(x[1:2])[0])
    assert torch.equal(bank.oracle(x).slope[1], alone.oracle(x[1:2]).slope[0])
