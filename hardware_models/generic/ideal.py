"""A layer without physics: the limit that every other device reaches when its flaws are set to zero."""

from collections.abc import Sequence
from typing import Literal

import torch
from typing_extensions import override

from analogff.device import Datasheet, Device, SharedInputs, Truth, chipwise, product
from hardware_models import kernels
from hardware_models.effects.nonlinearity import relu
from hardware_models.kernels.streams import Stream


class Ideal(Device):
    r"""An exact layer, ``y = f(W x + b)``, whose pulses land as asked.

    Weights start as ``N(0, 1/n_in)``. No range, resolution or noise; times and energies are those of a plain
    datasheet, so that its cost compares with real devices of the same periphery.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        neuron: The curve ``f``; `sigmoid` is ``1 / (1 + exp(-a))``.
    """

    banked = True

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        neuron: Literal["relu", "linear", "sigmoid"] = "relu",
    ):
        curve = {"relu": relu, "linear": _identity, "sigmoid": torch.sigmoid}[neuron]
        sheet = Datasheet(n_in=n_in, n_out=n_out, bias_port=True, neuron=curve, parallel_pulses=n_out)
        super().__init__(n_in, n_out, datasheet=sheet)
        self.curve = curve
        self.weights: torch.Tensor
        seeds = torch.as_tensor(seed, dtype=torch.int64).reshape(-1)
        self.register_buffer("weights", kernels.normal(seeds, 0, n_out, n_in, Stream.INITIAL) / n_in**0.5)

    @override
    def measure(self, x, bias=None):
        return self._answer(x, bias)

    @override
    def measure_marked(self, x, bias=None):
        return self._answer(x, bias)

    @override
    def can_be_recorded(self):
        return True

    @override
    def pulse(self, change):
        self.weights += change

    @override
    def program(self, weights):
        self.weights.copy_(weights)

    @override
    def oracle(self, x, bias=None):
        a = self._sum(x, bias)
        with torch.enable_grad():
            a = a.detach().requires_grad_()
            slope = torch.autograd.grad(self._curved(a).sum(), a)[0]
        return Truth(slope, self.weights.clone())

    @override
    def measure_biased(self, x, biases):
        a = product(x, self.weights)
        return [self._bend(a + bias) for bias in biases]

    def _answer(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None) -> torch.Tensor:
        return self._bend(self._sum(x, bias))

    def _bend(self, a: torch.Tensor) -> torch.Tensor:
        return a.relu_() if self.curve is relu else self._curved(a)

    def _curved(self, a: torch.Tensor) -> torch.Tensor:
        """Bend sums, ``(chips, ...)``; exponentials of a chip must not depend on its neighbors."""
        return chipwise(torch.sigmoid, a) if self.curve is torch.sigmoid else self.curve(a)

    def _sum(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None) -> torch.Tensor:
        a = product(x, self.weights)
        return a if bias is None else a.add_(bias)


def _identity(a: torch.Tensor) -> torch.Tensor:
    return a
