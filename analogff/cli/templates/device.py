"""A device of your own: what is in `measure` is the physics, and nobody looks into it."""

from typing import Annotated

import torch
from annotated_types import Ge, Gt

from analogff import Device
from analogff.device import derive_seed


class MyDevice(Device):
    """A neuron that saturates, with noise; every argument below is a parameter of studies."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int,
        gain: Annotated[float, Gt(0)] = 1.0,
        read_noise: Annotated[float, Ge(0)] = 0.05,
    ):
        super().__init__(n_in, n_out, seed=seed)
        self.gain, self.read_noise = gain, read_noise
        # The seed makes this chip this chip. What changes with use is a buffer, so that a checkpoint has it.
        self.seed = seed
        self.register_buffer("reads", torch.zeros((), dtype=torch.int64))

    # `bias` is added to the weighted sum. A device without such a port leaves it out, and slopes are not probed then.
    def measure(self, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Read the outputs, ``(batch, n_out)``, for weighted sums ``(batch, n_in)``."""
        y = torch.tanh(self.gain * (x if bias is None else x + bias)).clamp(min=0)
        generator = torch.Generator().manual_seed(derive_seed(self.seed, "noise", int(self.reads)))
        self.reads += len(x)
        return y + self.read_noise * torch.randn(y.shape, generator=generator)

    # Weights of its own: write `pulse(self, change)`, and let what you like become of the change. Without it there are
    # digital weights in front. See docs/guides/add-a-device.md.
