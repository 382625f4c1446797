"""Adam for changes instead of weights: what it wants a weight to move by, without ever seeing the weight."""

from collections.abc import Callable
from typing import Any

import torch

from analogff.device.gpu import has_triton

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    r"""Adam's step, one a weight.

    .. math::
        m \to \beta_1 m + (1 - \beta_1) g, \quad v \to \beta_2 v + (1 - \beta_2) g^2, \quad
        \Delta = -\eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    torch's optimisers move a parameter, and a chip shows none. One pass over gradient, moments and change; each
    number depends on its own weight only.

    Args:
        shape: Of the weights.
        device: Where they are.

    Reference:
        Kingma & Ba, Adam (arXiv 1412.6980), algorithm 1; defaults as in torch.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device):
        self.steps = 0
        self.mean, self.square, self.change = (torch.zeros(shape, device=device) for _ in range(3))

    def step(self, gradient: torch.Tensor, rate: float) -> torch.Tensor:
        """Return the change that follows a gradient; valid until the next step."""
        self.steps += 1
        size = rate / (1 - FIRST_DECAY**self.steps)
        shrink = (1 - SECOND_DECAY**self.steps) ** -0.5
        dense = (gradient.contiguous(), self.mean, self.square, self.change)
        _pass_on(gradient.device)(*dense, size, shrink, FIRST_DECAY, SECOND_DECAY, EPSILON)
        return self.change

    def state_dict(self) -> dict[str, Any]:
        """Return its memory."""
        return {"steps": self.steps, "mean": self.mean, "square": self.square}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.steps = state["steps"]
        self.mean.copy_(state["mean"])
        self.square.copy_(state["square"])


def compiled_step(gradient, mean, square, change, size, shrink, first, second, epsilon):
    """Fill ``change`` with Adam's step, and bring the moments up to date, all dense and in a CPU's memory."""
    from analogff.rules.kernels import adam_step  # here, since it takes a second to import

    g, m, v, delta = (t.view(-1).numpy() for t in (gradient, mean, square, change))
    adam_step(g, m, v, delta, size, shrink, first, second, epsilon)


def torch_step(gradient, mean, square, change, size, shrink, first, second, epsilon):
    """Do what `compiled_step` does in torch operations, on any device."""
    mean.lerp_(gradient, 1 - first)
    square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
    torch.sqrt(square, out=change).mul_(shrink).add_(epsilon).reciprocal_()
    change.mul_(mean).mul_(-size)


def _pass_on(device: torch.device) -> Callable[..., None]:
    """Return what takes a step on a device."""
    if device.type == "cpu":
        return compiled_step
    if has_triton(device):
        from analogff.rules.triton_kernels import adam_step

        return adam_step
    return torch_step
