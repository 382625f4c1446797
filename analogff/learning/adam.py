"""Adam for changes instead of weights: what it wants a weight to move by, without ever seeing the weight."""

from collections.abc import Callable

import torch

from analogff.device.numerics.gpu import has_triton

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    r"""Adam's step, one a weight, with decay of the changes asked so far.

    .. math::
        m \to \beta_1 m + (1 - \beta_1) g, \quad v \to \beta_2 v + (1 - \beta_2) g^2, \quad
        \Delta = -\eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon} - \eta \lambda A, \quad
        A \to A + \Delta

    torch's optimizers move a parameter, and a chip shows none. One pass over gradient, registers and change; each
    number depends on its own weight only.

    What changes from step to step is in `numbers`, on the device, so that a CUDA graph that recorded `apply` goes by
    what `prepare` writes before each replay.

    Args:
        shape: Of the weights, the chips first.
        device: Where they are.
        update_decay: ``lambda``.

    Reference:
        Kingma & Ba, Adam (arXiv 1412.6980), algorithm 1; defaults as in torch. Decay apart from the gradient's
        moments: Loshchilov & Hutter, AdamW (arXiv 1711.05101), algorithm 2; here of the changes, since nobody knows
        the weights that a chip was born with.
    """

    state_names = ("steps", "mean", "square", "asked")

    def __init__(self, shape: tuple[int, ...], device: torch.device, update_decay: float = 0.0):
        self.steps = 0
        self.update_decay = update_decay
        self.mean, self.square, self.change = (torch.zeros(shape, device=device) for _ in range(3))
        self.asked = torch.zeros(shape, device=device) if update_decay else None
        """``A``; None without a cost."""
        self.numbers = torch.zeros(3, device=device)
        """The rate over the bias of the mean, the root of one over the bias of the square, and the rate of decay."""

    def step(self, gradient: torch.Tensor, rate: float, share: torch.Tensor | None = None) -> torch.Tensor:
        """Return the change that follows a gradient; see `apply`."""
        self.prepare(rate)
        return self.apply(gradient, share)

    def prepare(self, rate: float) -> None:
        """Begin the next step."""
        self.steps += 1
        size = rate / (1 - FIRST_DECAY**self.steps)
        shrink = (1 - SECOND_DECAY**self.steps) ** -0.5
        self.numbers.copy_(torch.tensor([size, shrink, rate * self.update_decay]), non_blocking=True)

    def apply(
        self, gradient: torch.Tensor, share: torch.Tensor | None = None, most: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the change of the step that was begun, or each chip's share of it; valid until the next step.

        Args:
            gradient: The gradient.
            share: Of each chip, ``(chips, 1, 1)``; None for all of it.
            most: The greatest change, to which larger ones are cut, ``(chips or 1, 1, 1)``; None without a limit.
        """
        dense = (gradient.contiguous(), self.mean, self.square, self.change)
        numbers = (self.numbers, FIRST_DECAY, SECOND_DECAY, EPSILON)
        _pass_on(gradient.device)(*dense, self.asked, share, *numbers)
        if most is not None:
            cut_asked(self.change, self.asked, most)
        return self.change


def cut_asked(change: torch.Tensor, asked: torch.Tensor | None, most: torch.Tensor) -> None:
    """Cut a change to the greatest, and take what was cut from the sum of all that was asked."""
    cut = change.clamp(-most, most)
    if asked is not None:
        asked.add_(cut - change)
    change.copy_(cut)


def compiled_step(gradient, mean, square, change, asked, share, numbers, first, second, epsilon):
    """Fill ``change`` with Adam's step, and bring the registers up to date, all dense and in a CPU's memory."""
    from analogff.learning.adam_cpu import adam_step  # here, since it takes a second to import

    size, shrink, decay = numbers.tolist()
    g, m, v, delta = (t.view(-1).numpy() for t in (gradient, mean, square, change))
    adam_step(g, m, v, delta, size, shrink, first, second, epsilon)
    if asked is not None:
        change.sub_(asked, alpha=decay)
    _finish(change, asked, share)


def torch_step(gradient, mean, square, change, asked, share, numbers, first, second, epsilon):
    """Do what `compiled_step` does in torch operations, on any device."""
    mean.lerp_(gradient, 1 - first)
    square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
    torch.sqrt(square, out=change).mul_(numbers[1]).add_(epsilon).reciprocal_()
    change.mul_(mean).mul_(-numbers[0])
    if asked is not None:
        change.sub_(asked * numbers[2])
    _finish(change, asked, share)


def _finish(change: torch.Tensor, asked: torch.Tensor | None, share: torch.Tensor | None) -> None:
    if share is not None:
        change.mul_(share)
    if asked is not None:
        asked.add_(change)


def _pass_on(device: torch.device) -> Callable[..., None]:
    """Return what takes a step on a device."""
    if device.type == "cpu":
        return compiled_step
    if has_triton(device):
        from analogff.learning.adam_cuda import adam_step

        return adam_step
    return torch_step
