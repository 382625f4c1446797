"""Ways to know the slope of a neuron that nobody has a model of.

Forward-Forward climbs ``dG/dW_ji = (2/n) y_j f'(a_j) x_i``, and ``f'`` belongs to the physics. Each class here
says in its `needs` what it must see to do without it.
"""

import abc
from typing import Any, ClassVar, NamedTuple

import torch

from analogff.device import Marked, Observable, Sealed
from analogff.forward_forward.probing import ProbeSize


class Reading(NamedTuple):
    """What a layer showed; each ``(chips, batch, n_out)``."""

    y: torch.Tensor
    """The activity."""
    slope: torch.Tensor | None
    """The slope of each neuron, as believed; None if it is taken to be 1 where there is an activity."""

    def back(self, gradient: torch.Tensor) -> torch.Tensor:
        """Return the derivative with respect to the weighted sums, as believed, of what has this one by activity.

        Shapes:
            ``(chips, batch, n_out)``; the answer may be written over ``gradient``.
        """
        if self.slope is None:
            return torch.where(self.y > 0, gradient, 0)
        return gradient.mul_(self.slope)


class Slope(abc.ABC):
    """A way to read one layer together with its slopes."""

    needs: ClassVar[Observable]

    @abc.abstractmethod
    def read(self, layer: Sealed, x: torch.Tensor | Marked) -> Reading:
        """Read a layer, ``x``: ``(chips, batch, n_in)``, written out or `Marked`."""

    def state_dict(self) -> dict[str, Any]:
        """Return what was measured so far."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # noqa: B027 (most remember nothing)
        """Restore what `state_dict` gave."""


class Assumed(Slope):
    r"""Take ``f' = 1`` where ``y > 0``: the Hebbian term ``y x^T``.

    Exact for a rectifier, an ascent direction per sample for any increasing ``f``, wrong for one that is not
    monotone.
    """

    needs = Observable.ACTIVITY

    def read(self, layer, x):  # noqa: D102
        return Reading(layer.measure(x), None)


class Probed(Slope):
    r"""Let the hardware differentiate its own goodness, with a small bias on all neurons at once.

    .. math:: y f' \approx \frac{y_+^2 - y_-^2}{2 d}, \qquad y_\pm = f(a \pm d/2)

    Two reads, whatever the number of neurons. The difference is symmetric: its error is of second order in
    ``d``, and it shares no noise with the activity, as the one-sided ``y (y_+ - y) / d`` does.

    Args:
        size: The bias ``d``: small against the curvature of the neurons, large against their noise and the
            converter's step.
    """

    needs = Observable.PROBE

    def __init__(self, size: ProbeSize):
        self.size = size

    def read(self, layer, x):  # noqa: D102
        return Reading(*probe(layer, x, self.size.of(layer, x)))  # y slope = (up^2 - down^2) / 2d

    def state_dict(self):  # noqa: D102
        return self.size.state_dict()

    def load_state_dict(self, state):  # noqa: D102
        self.size.load_state_dict(state)


class Oracle(Slope):
    """Ask the simulator: the bound that no hardware can reach."""

    needs = Observable.ORACLE

    def read(self, layer, x):  # noqa: D102
        y = layer.measure(x)
        return Reading(y, layer.oracle(x).slope)


def probe(layer: Sealed, x: torch.Tensor | Marked, size: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the activity and the slopes that two reads show, whose biases are ``size`` apart."""
    up, down = layer.probe(x, (size / 2, -size / 2))
    return up.add(down).mul_(0.5), up.sub(down).mul_(1 / size)
