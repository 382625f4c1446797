"""Gradient descent with momentum, for changes instead of weights."""

import torch

from analogff.learning.adam import cut_asked


class Momentum:
    r"""A step of gradient descent with momentum, one a weight, with decay of the changes asked so far.

    .. math::
        v \to \mu v + g, \qquad \Delta = -\eta v - \eta \lambda A, \qquad A \to A + \Delta

    Without momentum there is no register, and a step is the rate times the gradient. The rest is as in
    `analogff.learning.adam.Adam`.

    Args:
        shape: Of the weights, the chips first.
        device: Where they are.
        momentum: ``mu``.
        update_decay: ``lambda``.

    Reference:
        Polyak, USSR Computational Mathematics and Mathematical Physics 4 (1964), equation 9, in the form of torch.
    """

    state_names = ("velocity", "asked")

    def __init__(self, shape: tuple[int, ...], device: torch.device, momentum: float, update_decay: float = 0.0):
        self.momentum = momentum
        self.velocity = torch.zeros(shape, device=device) if momentum else None
        """``v``; None without momentum."""
        self.asked = torch.zeros(shape, device=device) if update_decay else None
        """``A``; None without a decay."""
        self.change = torch.zeros(shape, device=device)
        self.update_decay = update_decay
        self.numbers = torch.zeros(2, device=device)
        """The rate and the rate of decay, on the device, so that a recorded step goes by what `prepare` writes."""

    def prepare(self, rate: float) -> None:
        """Begin the next step."""
        self.numbers.copy_(torch.tensor([rate, rate * self.update_decay]), non_blocking=True)

    def apply(
        self, gradient: torch.Tensor, share: torch.Tensor | None = None, most: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the change of the step that was begun; arguments as in `analogff.learning.adam.Adam.apply`."""
        if self.velocity is not None:
            gradient = self.velocity.mul_(self.momentum).add_(gradient)
        torch.mul(gradient, -self.numbers[0], out=self.change)
        if self.asked is not None:
            self.change.sub_(self.asked * self.numbers[1])
        if share is not None:
            self.change.mul_(share)
        if self.asked is not None:
            self.asked.add_(self.change)
        if most is not None:
            cut_asked(self.change, self.asked, most)
        return self.change
