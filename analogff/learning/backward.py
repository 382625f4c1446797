"""The three ways in which backprop can see a layer."""

import abc
from typing import ClassVar

import torch
from typing_extensions import override

from analogff.device import Sealed
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.network.twin import Response, Twin


class BackwardView(abc.ABC):
    """A layer as backprop sees it.

    Args:
        layer: The layer.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    """What is believed, if it changes while the rule learns."""

    def __init__(self, layer: Sealed):
        self.layer = layer

    @abc.abstractmethod
    def respond(self, x: torch.Tensor) -> Response:
        """Return the answer to ``x`` that is carried forward, and the derivative that is believed."""

    @abc.abstractmethod
    def learn(self, optimizer: PulseOptimizer, errors: torch.Tensor, x: torch.Tensor) -> None:
        """Take one optimizer step down ``sum_b e_bj x_bi``."""

    def finish_epoch(self) -> None:  # noqa: B027 (only a model has something to deploy)
        """Do what is due before the chip is tested."""


class ThroughTwin(BackwardView):
    """Forward on the chip; the twin's derivative, at the inputs that the chip really had."""

    state_names = ("twin",)

    def __init__(self, layer: Sealed, seed: int):
        super().__init__(layer)
        self.twin = Twin(layer, seed)
        layer.program(self.twin.weights)

    @override
    def respond(self, x):
        return self.twin.respond(x)._replace(y=self.layer.measure(x))

    @override
    def learn(self, optimizer, errors, x):
        self.twin.change(optimizer.descend(errors, x))


class InModel(BackwardView):
    """Forward in the twin too, with the printed noise; the chip is programmed with the result."""

    state_names = ("twin",)

    def __init__(self, layer: Sealed, seed: int, generator: torch.Generator | None):
        super().__init__(layer)
        self.twin = Twin(layer, seed)
        self.generator = generator

    @override
    def respond(self, x):
        response = self.twin.respond(x)
        if self.generator is None:
            return response
        sigma = torch.as_tensor(self.layer.datasheet.read_noise, dtype=x.dtype, device=x.device).view(-1, 1, 1)
        noise = torch.randn(response.y.shape[1:], generator=self.generator).to(x.device)
        return response._replace(y=response.y + sigma * noise)

    @override
    def learn(self, optimizer, errors, x):
        self.twin.change(optimizer.wanted(errors, x))

    @override
    def finish_epoch(self):
        self.layer.program(self.twin.weights)


class ThroughOracle(BackwardView):
    """Forward on the chip; the simulator's own derivative."""

    @override
    def respond(self, x):
        return Response(self.layer.measure(x), *self.layer.oracle(x))

    @override
    def learn(self, optimizer, errors, x):
        optimizer.descend(errors, x)
