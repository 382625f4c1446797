"""How far one step may move a weighted sum, found by reading."""

from collections.abc import Sequence
from typing import Literal

import torch

from analogff.device import Observable, Sealed, SharedInputs, rows_of, whole
from analogff.slopes.probe_size import span
from analogff.system import work

REACHES = (1.0, 2.0, 4.0, 8.0)
"""Distances that are looked at, in biases that move answers by as much as they are spread."""
TURNED = -0.25
"""Agreement at which slopes have turned, in units of what noise leaves of it; without any it is 0, and never below."""
LEAST = 0.2
"""What noise leaves at least, where it leaves anything."""
SHARE = 0.3
"""Part of the way to where slopes have turned that a step may go."""


Limit = Literal["auto", "free", "measured"]


def limits(choice: Limit, layers: Sequence[Sealed], learning_rate: float) -> "list[MaxStep]":
    """Return the limit of each layer's steps; none if steps are free.

    Args:
        choice: ``auto`` measures where the rule may see slopes (PROBE or more) and every layer has a bias port.
        layers: The hidden layers.
        learning_rate: The learning rate.
    """
    seen = all(layer.level >= Observable.PROBE and layer.datasheet.bias_port for layer in layers)
    measured = choice == "measured" or (choice == "auto" and seen)
    return [MaxStep(learning_rate) for _ in layers] if measured else []


class MaxStep:
    r"""The share of a learning rate that a layer can take, of every chip.

    A step of Adam moves a weighted sum by up to :math:`\eta \sum_i |x_i|`. Where a neuron's slope has another sign by
    then, the step leads anywhere. So the rate shrinks by

    .. math:: \min\left(1, \frac{0.3\, \delta^*}{\eta \langle \sum_i |x_i| \rangle}\right)

    with the distance at which slopes have turned:

    .. math:: c(\delta) = \frac{\langle s(a - \delta/2)\, s(a + \delta/2) \rangle}
        {\langle |s(a - \delta/2)\, s(a + \delta/2)| \rangle}, \qquad c(\delta^*) = -c(0) / 4

    in which ``s`` are differences of two reads, and :math:`c(0)`, from two of each, is what noise leaves of agreement.
    A curve that only rises, or only falls, never turns, and learns at the full rate.

    Args:
        learning_rate: The learning rate.
    """

    state_names = ("share",)

    def __init__(self, learning_rate: float):
        self.learning_rate = learning_rate
        self.share: torch.Tensor | None = None

    def of(self, layer: Sealed, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        """Return the share, ``(chips, 1, 1)``; measured at the first call."""
        if self.share is None:
            rows = whole(rows_of(x, layer.datasheet.windows))
            reach = rows.abs().sum(-1).view(layer.chips, -1).mean(-1).view(-1, 1, 1)
            self.share = (SHARE * turning_distance(layer, x) / (self.learning_rate * reach)).clamp(max=1)
        return self.share


def turning_distance(layer: Sealed, x: torch.Tensor | SharedInputs) -> torch.Tensor:
    """Return the distance at which slopes have turned, ``(chips, 1, 1)``; infinite if nowhere.

    Between the distances that are looked at it is interpolated.
    """
    unit, *_ = span(layer, x)

    def difference(middle: torch.Tensor) -> torch.Tensor:
        up, down = layer.probe(x, (middle + unit / 2, middle - unit / 2))
        layer.compute(*work.elementwise(up[0].numel(), operations=3, operands=2, results=0))  # two make an agreement
        return up - down

    middle = torch.zeros_like(unit)
    nearer, at = torch.zeros_like(unit), _agreement(difference(middle), difference(middle))
    least = TURNED * at.clamp(min=LEAST)
    found = torch.full_like(unit, torch.inf)
    for reach in REACHES:
        distance = reach * unit
        there = _agreement(difference(-distance / 2), difference(distance / 2))
        crossing = nearer + (distance - nearer) * ((at - least) / (at - there).clamp(min=1e-12))
        found = torch.where((there < least) & found.isinf(), crossing, found)
        nearer, at = distance, there
    return found


def _agreement(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    products = (first * second).flatten(1)
    return (products.sum(-1) / products.abs().sum(-1).clamp(min=1e-30)).view(-1, 1, 1)
