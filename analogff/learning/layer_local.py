"""Learning in which each layer follows a loss of its own activity."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal, TypeVar

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.learning.batch import Batch
from analogff.learning.head import DeltaHead
from analogff.learning.rule import Rule, RuleOptions, refuse_unless
from analogff.network.forward import Passed, Read, Signal
from analogff.slopes.make import make_slope
from analogff.slopes.max_step import MaxStep
from analogff.slopes.slopes import Activity, Assumed, Reading, Slope

NEEDS_PROBE = 'slope = "probed" or slope = "fitted"'
Local = Callable[[Passed[Reading], Batch], tuple[torch.Tensor, torch.Tensor]]
"""From a layer that was read to its loss, ``(chips,)``, and the derivative of the mean loss by its activity."""


class LayerLocalOptions(RuleOptions):
    """Options of every rule that needs the slopes of a layer, and of no other."""

    slope: Literal["assumed", "probed", "fitted", "oracle"] = "probed"
    """Where the slope of a neuron comes from: taken as 1, measured with two biased reads beside each, taken from
    response curves that occasional probes keep up to date, or the truth."""
    probe: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["measured"] = "measured"
    """Bias between the two reads of a probe, in units of the weighted sum; `measured`: for each layer of each chip,
    from its noise and its curvature."""
    activity: Activity = "read"
    """What a probed layer passes on: the answer to a third read, without a bias, or the `mean` of the two with one. The
    mean costs a read less, and is not what the chip answers when it is used."""
    max_step: Literal["free", "measured"] = "free"
    """How far one step may move a weighted sum: as far as the rate takes it, or (`measured`) at most 0.3 of the way
    to where slopes turn, which each layer of each chip shows under biases before it learns."""

    @field_validator("probe", "activity")
    @classmethod
    def _probe_is_used(cls, value, info):
        return refuse_unless(info.data.get("slope") in ("probed", "fitted", None), cls, info, value, NEEDS_PROBE)

    @field_validator("max_step")
    @classmethod
    def _stride_can_be_measured(cls, value, info):
        if value == "measured" and info.data.get("slope") == "assumed":
            raise ValueError('"free" beside slope = "assumed", which sees no slope turn')
        return value


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
        *self.slopes, self.head_slope = [
            make_slope(options.slope, options.probe, options.activity) for _ in (*network.layers, network.head)
        ]
        *self.layer_optimizers, self.head_optimizer = self.optimizers
        self.max_steps = (
            [MaxStep(options.learning_rate) for _ in network.layers] if options.max_step == "measured" else []
        )
        self.learning = range(len(network.layers))  # the layers that learn

    @classmethod
    @override
    def needs(cls, options):
        return make_slope(options.slope, options.probe).needs

    @classmethod
    @override
    def schedule(cls, options):
        return "ff-pipelined"

    @property
    def _all_slopes(self) -> list[Slope]:
        return [*self.slopes, self.head_slope]

    @classmethod
    @override
    def can_bank(cls, options):
        return options.slope != "fitted"

    @override
    def state_dict(self) -> dict[str, Any]:
        own = {"slopes": [slope.state_dict() for slope in self._all_slopes]}
        return super().state_dict() | own | {"max_steps": [max_step.state_dict() for max_step in self.max_steps]}

    @override
    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        for slope, saved in zip(self._all_slopes, state["slopes"], strict=True):
            slope.load_state_dict(saved)
        for max_step, saved in zip(self.max_steps, state["max_steps"], strict=True):
            max_step.load_state_dict(saved)

    def descend(
        self, x: Signal, local: Local, batch: Batch, passing: Callable[[Passed], None] | None = None
    ) -> torch.Tensor:
        """Take every layer that learns one step down its loss, while the signal passes, and return the losses' mean.

        Args:
            x: Inputs of the first layer.
            local: The loss of a layer.
            batch: What is known of the batch.
            passing: Told of layers that are read only on the way to those that learn.
        """
        losses = []
        for passed in self.forward(x, batch):
            if passed.layer in self.learning:
                losses.append(self.learn(passed, local, batch))
            elif passing:
                passing(passed)
        return mean_loss(losses)

    def forward(self, x: Signal, batch: Batch) -> Iterator[Passed[Reading]]:
        """Send a signal as far as there are layers that learn; these are read with their slopes."""
        return self.network.forward(x, self._reads(), functools.partial(self.onward, batch=batch))

    def _reads(self) -> list[Read[Reading]]:
        layers = list(zip(self.network.layers, self.slopes, strict=True))[: self.learning.stop]
        return [
            functools.partial(slope.read if n in self.learning else Assumed().read, layer)
            for n, (layer, slope) in enumerate(layers)
        ]

    def learn(self, passed: Passed[Reading], local: Local, batch: Batch) -> torch.Tensor:
        """Take one layer one step down its loss, and return the loss."""
        loss, gradient = local(passed, batch)
        self.change(passed.layer, self.back(passed, gradient, batch), passed.x)
        return loss

    def change(self, layer: int, errors: torch.Tensor, x: Signal) -> None:
        """Take one layer one step down ``sum_b e_bj x_bi``, not too far."""
        if self.max_steps:
            self.layer_optimizers[layer].share = self.max_steps[layer].of(self.network.layers[layer], x)
        self.layer_optimizers[layer].descend(errors, x)

    def delta_head(self, learning_rate: float) -> DeltaHead:
        """Return a head that learns at a rate of its own, by the slopes that the layers go by."""
        self.head_optimizer.learning_rate = learning_rate
        return DeltaHead(self.network.head, self.head_optimizer, self.head_slope)

    def back(self, passed: Passed[Reading], gradient: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the derivative by a layer's weighted sums from that by its activity; may write over the latter."""
        return passed.reading.back(gradient)

    def onward(self, passed: Passed, batch: Batch) -> torch.Tensor:
        """Return the next layer's inputs from a layer's activity."""
        return self.network.onward(passed)


def mean_loss(losses: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the mean of losses, ``(chips,)`` each, added one by one: all at once may round otherwise in a bank."""
    return functools.reduce(torch.add, losses) / len(losses)
