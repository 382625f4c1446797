"""Learning in which each layer follows a loss of its own activity."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

import torch
from pydantic import Field, field_validator

from analogff.device import Marked
from analogff.forward_forward.slopes import make_slope
from analogff.normalise import length_of, mean_square
from analogff.rules.base import Rule, RuleOptions, refuse_idle

Local = Callable[[int, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""``(layer, activity, its mean squares) -> (loss of each chip, derivative of the mean loss by activity)``."""


class LayerLocalOptions(RuleOptions):
    """Options of every rule that needs the slopes of a layer, and of no other."""

    slope: Literal["assumed", "probed", "oracle"] = "probed"
    """Where the slope of a neuron comes from: taken as 1, measured with two biased reads, or the truth."""
    probe: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.6
    """Bias between the two reads of slope `probed`, in units of the weighted sum."""

    @field_validator("probe")
    @classmethod
    def _probe_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="slope", used_by="probed")


O = TypeVar("O", bound=LayerLocalOptions)  # noqa: E741


class LayerLocal(Rule[O]):
    r"""A rule whose layers each learn from a loss of their own, all at once.

    .. math:: \Delta W_l \propto -\sum_b \left(\frac{\partial L_l}{\partial y_{lb}} \circ f'(a_{lb})\right) x_{lb}^T

    with ``f'`` as the option `slope` says. A subclass gives the loss.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `LayerLocalOptions`.
        seed: The learning seed.
    """

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.slopes = [self._make_slope() for _ in network.layers]
        *self.layer_writers, self.head_writer = self.writers

    @classmethod
    def needs(cls, options):  # noqa: D102
        return make_slope(options.slope, options.probe).needs

    @classmethod
    def schedule(cls, options):  # noqa: D102
        return "ff-pipelined"

    def _make_slope(self):
        return make_slope(self.options.slope, self.options.probe)

    def descend(self, x: torch.Tensor | Marked, local: Local) -> torch.Tensor:
        """Take every layer one step down its loss, while the signal passes, and return the losses' mean."""
        losses = []
        for n, (layer, slope, writer) in enumerate(
            zip(self.network.layers, self.slopes, self.layer_writers, strict=True)
        ):
            reading = slope.read(layer, x)
            squares = mean_square(reading.y)
            loss, gradient = local(n, reading.y, squares)
            writer.descend(reading.back(gradient), x)
            losses.append(loss)
            if layer is not self.network.layers[-1]:
                x = self.onward(n, reading.y, squares)
        return torch.stack(losses).mean(0)

    def onward(self, layer: int, y: torch.Tensor, squares: torch.Tensor) -> torch.Tensor:
        """Return the next layer's inputs from a layer's activity and its mean squares."""
        return y / length_of(squares.unsqueeze(-1))
