"""Banked devices of which one property is known exactly."""

import dataclasses

import torch

from analogff.device import Datasheet, Device


class Known(Device):
    """An exact linear array with rectified outputs from 0 to 8 and white noise; everything else is for a subclass."""

    banked = True

    def __init__(self, n_in, n_out, *, seed, noise=0.02, high=8.0):
        sheet = Datasheet(n_in=n_in, n_out=n_out, bias_port=True, input_min=0.0)
        super().__init__(n_in, n_out, datasheet=sheet)
        self.noise, self.high = noise, high
        self.random = torch.Generator().manual_seed(int(seed[0]))
        self.weights: torch.Tensor
        self.register_buffer("weights", self.draw(len(seed), n_out, n_in) / n_in**0.5)

    def draw(self, *shape):
        return torch.randn(*shape, generator=self.random)

    def measure(self, x, bias=None):
        a = self.sum(x)
        return self.convert((a if bias is None else a + bias).clamp(0, self.high) + self.noise * self.disturb(a))

    def sum(self, x):
        return x @ self.weights.mT

    def disturb(self, a):
        return self.draw(*a.shape)

    def convert(self, y):
        return y

    def pulse(self, change):
        self.weights += change


class Uneven(Known):
    """Output converters of 64 codes, one a column, whose thresholds lie off by normal errors of ``uneven`` steps."""

    def __init__(self, n_in, n_out, *, seed, uneven=0.3, **more):
        super().__init__(n_in, n_out, seed=seed, **more)
        self.step = self.high / 63
        ideal = (torch.arange(1, 64) - 0.5) * self.step
        errors = uneven * self.step * self.draw(len(seed), n_out, 63)
        self.thresholds: torch.Tensor
        self.register_buffer("thresholds", (ideal + errors).sort(-1).values)

    def convert(self, y):
        return torch.searchsorted(self.thresholds, y.mT.contiguous()).mT * self.step


class Drooping(Known):
    """Sums that fall with the total of the inputs, as on a shared supply."""

    def __init__(self, n_in, n_out, *, seed, droop=0.02, **more):
        super().__init__(n_in, n_out, seed=seed, **more)
        self.droop = droop

    def sum(self, x):
        return super().sum(x) * (1 - self.droop * x.sum(2, keepdim=True))


class Coupled(Known):
    """Every output hears a share of its neighbors' sums."""

    def __init__(self, n_in, n_out, *, seed, share=0.05, **more):
        super().__init__(n_in, n_out, seed=seed, **more)
        beside = torch.ones(n_out, n_out).triu(1).tril(1)
        self.mixing = torch.eye(n_out) + share * (beside + beside.mT)

    def sum(self, x):
        return super().sum(x) @ self.mixing


class Remembering(Known):
    """Noise that is correlated from read to read, and from neuron to neuron."""

    def __init__(self, n_in, n_out, *, seed, lag=0.5, common=0.3, **more):
        super().__init__(n_in, n_out, seed=seed, **more)
        self.lag, self.common = lag, common

    def disturb(self, a):
        chips, rows, columns = a.shape
        fresh = self.common**0.5 * self.draw(chips, rows, 1) + (1 - self.common) ** 0.5 * self.draw(*a.shape)
        slow = [fresh[:, 0]]
        for row in range(1, rows):
            slow.append(self.lag * slow[-1] + (1 - self.lag**2) ** 0.5 * fresh[:, row])
        return torch.stack(slow, 1)


class Powerful(Known):
    """Weights that fade by a power law from 20 seconds on, each chip with an exponent of its own."""

    def __init__(self, n_in, n_out, *, seed, **more):
        super().__init__(n_in, n_out, seed=seed, **more)
        self.age, self.nu = 0.0, 0.05 + 0.02 * self.draw(len(seed), 1, 1)
        self.fresh = self.weights.clone()

    def wait(self, seconds):
        self.age += seconds
        self.weights = self.fresh * (1 + self.age / 20) ** -self.nu


class Constant(Known):
    """A device that does not listen."""

    def sum(self, x):
        return torch.zeros(*x.shape[:2], self.datasheet.n_out)

    def convert(self, y):
        return torch.ones_like(y)


class Bent(Known):
    """Cells whose current rises as the hyperbolic sine of the signal on their line."""

    bend = 0.5

    def sum(self, x):
        return super().sum(torch.sinh(self.bend * x) / self.bend)


class Hungry(Known):
    """Signals of its own unit, in which 1 is a thousand times too much; it prints what it takes, if it is told so."""

    def __init__(self, n_in, n_out, *, seed, greatest=None, **more):
        super().__init__(n_in, n_out, seed=seed, **more)
        self.datasheet = dataclasses.replace(self.datasheet, input_max=greatest)

    def sum(self, x):
        return super().sum(1000 * x)
