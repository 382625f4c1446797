"""Ways to know the slope of a neuron that nobody has a model of.

Forward-Forward climbs ``dG/dW_ji = (2/n) y_j f'(a_j) x_i``, and ``f'`` belongs to the physics. Each class here
says in its `needs` what it must see to do without it.
"""

import abc
from typing import ClassVar, Literal, NamedTuple

import torch
from typing_extensions import override

from analogff.device import Observable, Sealed, SharedInputs
from analogff.slopes.probe_size import ProbeSize
from analogff.system import work

Activity = Literal["read", "mean"]


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
    state_names: ClassVar[tuple[str, ...]] = ()
    """What is measured while the layer learns; see `analogff.support.state`."""

    @abc.abstractmethod
    def read(self, layer: Sealed, x: torch.Tensor | SharedInputs) -> Reading:
        """Read a layer, ``x``: ``(chips, batch, n_in)``, written out or `SharedInputs`."""

    def read_on(self, layer: Sealed, x: torch.Tensor | SharedInputs) -> Reading:
        """Read further inputs of the step that the last `read` was for; what it has measured is not measured again."""
        return self.read(layer, x)


class Assumed(Slope):
    r"""Take ``f' = 1`` where ``y > 0``: the Hebbian term ``y x^T``.

    Exact for a rectifier, an ascent direction per sample for any increasing ``f``, wrong for one that is not
    monotone.
    """

    needs = Observable.ACTIVITY

    @override
    def read(self, layer, x):
        return Reading(layer.measure(x), None)


class Probed(Slope):
    r"""Let the hardware differentiate its own goodness, with a small bias on all neurons at once.

    .. math:: f' \approx \frac{y_+ - y_-}{d}, \qquad y_\pm = f(a \pm d/2)

    Two reads, whatever the number of neurons, and a third one for the activity. The difference is symmetric: its error
    is of second order in ``d``, and it shares no noise with the activity, as the one-sided ``y (y_+ - y) / d`` does.
    With the mean of the two as the activity a third read is saved, and ``y f'`` is ``(y_+^2 - y_-^2) / 2d``. But a
    chip is used without a bias, and the mean is ``f'' d^2 / 8`` away from what it answers then: layers come to rely on
    that, and neurons that are not monotone forget in ten epochs what they knew (``experiments/black-boxes``).

    Args:
        size: The bias ``d``: small against the curvature of the neurons, large against their noise and the
            converter's step.
        activity: What is passed on: the answer to a ``read`` without a bias, or the ``mean`` of the two with one.
    """

    needs = Observable.PROBE
    state_names = ("size",)

    def __init__(self, size: ProbeSize, activity: Activity = "read"):
        self.size = size
        self.activity = activity

    @override
    def read(self, layer, x):
        return self._read(layer, x, self.size.of(layer, x))

    @override
    def read_on(self, layer, x):
        assert self.size.size is not None
        return self._read(layer, x, self.size.size)

    def _read(self, layer: Sealed, x: torch.Tensor | SharedInputs, size: torch.Tensor) -> Reading:
        if self.activity == "mean":
            return Reading(*probe(layer, x, size))
        return Reading(*probe_beside(layer, x, size))


class Oracle(Slope):
    """Ask the simulator: the bound that no hardware can reach."""

    needs = Observable.ORACLE

    @override
    def read(self, layer, x):
        y = layer.measure(x)
        return Reading(y, layer.oracle(x).slope)


def probe(layer: Sealed, x: torch.Tensor | SharedInputs, size: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean activity and the slopes that two reads show, whose biases are ``size`` apart."""
    up, down = layer.probe(x, (size / 2, -size / 2))
    layer.compute(*work.difference(up[0].numel()).times(2))  # the mean is one, too
    return up.add(down).mul_(0.5), up.sub(down).mul_(1 / size)


def probe_beside(
    layer: Sealed, x: torch.Tensor | SharedInputs, size: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the activity of a read without a bias, and the slopes that two reads beside it show, as `probe` does."""
    up, down, y = layer.probe(x, (size / 2, -size / 2, torch.zeros_like(size)))
    layer.compute(*work.difference(up[0].numel()))
    return y, up.sub(down).mul_(1 / size)
