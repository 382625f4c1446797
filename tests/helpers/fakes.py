"""Small devices with known physics, so that rules are never tested against hardware_models."""

import dataclasses

import torch

from analogff.device import Datasheet, Device, Digital, Truth, product
from analogff.network import LayerSpec, fabricate_chips


class Curved(Digital):
    """An exact linear layer with a neuron-wise curve and white read noise from a counted generator."""

    def __init__(self, n_in, n_out, *, seed, curve=torch.relu, printed=None, noise=0.0):
        super().__init__(n_in, n_out, seed=seed)
        self.curve, self.noise = curve, noise
        self.register_buffer("reads", torch.zeros((), dtype=torch.int64))
        self.datasheet = dataclasses.replace(
            self.datasheet,
            neuron=printed or curve,
            readable_weights=False,
            dacs=None,
            adcs=None,
        )

    def measure(self, x, bias=None):
        y = torch.stack([self.curve(a) for a in super().measure(x, bias)])
        self.reads += 1
        if not self.noise:
            return y
        generator = torch.Generator().manual_seed(int(self.reads))
        return y + self.noise * torch.randn(y.shape[1:], generator=generator)

    def sums(self, x):
        return super().measure(x)

    def oracle(self, x, bias=None):
        a = super().measure(x, bias)
        with torch.enable_grad():
            a.requires_grad_()
            (slope,) = torch.autograd.grad(self.curve(a).sum(), a)
        return Truth(slope, self.weights)


class Mixed(Curved):
    """As `Curved`, with each output the neuron's own and half of the next one's."""

    def __init__(self, n_in, n_out, **told):
        super().__init__(n_in, n_out, **told)
        self.register_buffer("mixing", torch.eye(n_out) + 0.5 * torch.eye(n_out).roll(1, 1))

    def measure(self, x, bias=None):
        return super().measure(x, bias) @ self.mixing.mT

    def pullback(self, x, error, bias=None):
        return error @ self.mixing * self.oracle(x, bias).slope


class Tanh(Device):
    """The ten-line device: one chip, no weights, only measure."""

    def measure(self, x, bias=None):
        return torch.tanh(x if bias is None else x + bias)


class Leaky(Device):
    """One chip with weights of its own and no bias port."""

    def __init__(self, n_in, n_out, *, seed, gain=1.0):
        super().__init__(n_in, n_out, datasheet=Datasheet(n_in=n_in, n_out=n_out))
        self.gain = gain
        generator = torch.Generator().manual_seed(seed)
        self.weights: torch.Tensor
        self.register_buffer("weights", torch.randn(n_out, n_in, generator=generator) / n_in**0.5)

    def measure(self, x):
        return self.gain * torch.nn.functional.leaky_relu(x @ self.weights.T)

    def pulse(self, change):
        self.weights += change


def make_chips(*, sizes=(20, 16, 12), classes=10, seeds=(0, 1), model=Curved, head=None, **parameters):
    """Fabricate a small network of one fake device."""
    specs = [LayerSpec(model, parameters)] * (len(sizes) - 1)
    return fabricate_chips(specs, sizes, classes, seeds=seeds, head=head)


def make_batch(batch=30, n_in=20, classes=10, seed=0):
    """Draw images in [0, 1] and labels."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, n_in, generator=generator), torch.randint(0, classes, (batch,), generator=generator)


def weights_of(chips):
    """Look into the chips, as only a test may."""
    return [device.weights.clone() for device in chips.devices]


def counted(chips, quantity):
    """Return a quantity of every layer's training, which must be that of all chips."""
    each = [torch.as_tensor(getattr(chips.ledger.of(name), quantity)).expand(chips.chips) for name in chips.names]
    assert all((count == count[0]).all() for count in each)
    return [count[0].item() for count in each]


def capture_gradients(rule):
    """Let a rule compute its gradients without writing them; returns the list that they will be put in."""
    captured = {}
    for index, optimizer in enumerate(rule.optimizers):

        def keep(gradient, cut=True, index=index):
            captured[index] = gradient.clone()
            return torch.zeros_like(gradient)

        optimizer._step = keep
    return captured


__all__ = [
    "Curved",
    "Leaky",
    "Tanh",
    "capture_gradients",
    "counted",
    "make_batch",
    "make_chips",
    "product",
    "weights_of",
]


def given_probes(slope):
    """Return options of a slope whose probes are of a given size, and so cost no reads but their own."""
    return {"slope": slope, "max_step": "free"} | ({"probe": 0.6} if slope == "probed" else {})
