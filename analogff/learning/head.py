"""Learning the softmax head by the delta rule, whatever it is made of."""

import torch

from analogff.device import Sealed
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.network import logit_scale
from analogff.slopes.slopes import Assumed, Slope
from analogff.system import work


class DeltaHead:
    r"""A last layer that learns from its own error.

    .. math:: \frac{\partial L}{\partial W_{ji}} = (p_j - t_j)\, f'(a_j)\, x_i, \quad p = \mathrm{softmax}(f(a))

    A digital head has ``f' = 1`` and is read once; one on a device is read as ``slope`` says.

    Args:
        head: The layer.
        optimizer: Its optimizer.
        slope: How to know the slope of a head that is a device.
    """

    def __init__(self, head: Sealed, optimizer: PulseOptimizer, slope: Slope):
        self.head = head
        self.optimizer = optimizer
        self.slope = Assumed() if head.datasheet.all_digital else slope
        self.scale = logit_scale(head)

    def learn(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take one step, and return the logits from before it, ``(chips, batch, classes)``."""
        reading = self.slope.read(self.head, x)
        logits = reading.y * self.scale
        self.head.compute(*work.softmax_error(*logits.shape[-2:]))
        error = softmax_error(logits, labels) * self.scale
        if reading.slope is not None:
            self.head.compute(*work.modulation(error[0].numel()))
            error = error * reading.slope
        self.optimizer.descend(error, x)
        return logits


def softmax_error(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the derivative of the mean cross-entropy with respect to the logits.

    Labels are ``(batch,)``, or soft: a probability of each class, ``(batch, classes)``.
    """
    target = labels if is_soft(labels) else torch.nn.functional.one_hot(labels, logits.shape[-1])
    return (logits.softmax(-1) - target) / logits.shape[-2]


def cross_entropy_of_chips(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of each chip, ``(chips,)``."""
    return cross_entropy_of_images(logits, labels).mean(-1)


def cross_entropy_of_images(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of each image, ``(chips, batch)``; labels as in `softmax_error`."""
    if is_soft(labels):
        return -(logits.log_softmax(-1) * labels).sum(-1)
    right = labels.expand(logits.shape[:-1]).unsqueeze(-1)
    return -logits.log_softmax(-1).gather(-1, right).squeeze(-1)


def is_soft(labels: torch.Tensor) -> bool:
    """Tell whether labels are probabilities of the classes, and not their numbers."""
    return labels.is_floating_point()
