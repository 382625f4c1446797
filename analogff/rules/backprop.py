"""Backprop on a chip: through a twin, deployed from a model, and the oracle bound."""

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.device import Observable, Sealed, derive_seed, product, whole
from analogff.learning.backward import BackwardView, InModel, ThroughOracle, ThroughTwin
from analogff.learning.head import cross_entropy_of_chips, softmax_error
from analogff.learning.rule import Rule, RuleOptions, refuse_idle
from analogff.network import logit_scale
from analogff.network.forward import Passed
from analogff.network.twin import Response
from analogff.timing import UpdateAfterPass


class BackpropOptions(RuleOptions):
    """Options of backprop."""

    through: Literal["twin", "deployed", "oracle"] = "twin"
    """Path of the errors. `twin`: back through a model, while the chip runs forward (physics-aware training).
    `deployed`: forward and back in a model, which is then programmed onto the chip. `oracle`: back through the true
    derivative, a bound."""
    noise_aware: bool = Field(default=True)
    """Whether `deployed` trains with the noise of the datasheet (hardware-aware training)."""

    @field_validator("noise_aware")
    @classmethod
    def _noise_aware_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="through", used_by="deployed")


class Backprop(Rule[BackpropOptions]):
    r"""Gradient descent on the cross-entropy of the head.

    .. math:: \delta_l = f'_l \circ N_l^T W_{l+1}^T \delta_{l+1}, \qquad \Delta W_l \propto -\delta_l x_l^T

    with ``N`` the known normalization, and ``f'``, ``W`` as selected by `through`. `twin` and `deployed` begin by
    programming their initial weights; `deployed` programs its model after every epoch.

    Args:
        network: Sealed at TWIN or ORACLE.
        options: See `BackpropOptions`.
        seed: Draws the weights to begin with.

    Reference:
        twin: Wright et al., Nature 601 (2022), methods, "physics-aware training". deployed: Rasch et al., Nature
        Communications 14 (2023), hardware-aware training.
    """

    name = "backprop"
    Options = BackpropOptions

    state_names = ("backward_views",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.backward_views = [self._view(optimizer.layer, n) for n, optimizer in enumerate(self.optimizers)]
        self.finish_epoch()

    @classmethod
    @override
    def needs(cls, options):
        return Observable.ORACLE if options.through == "oracle" else Observable.TWIN

    @classmethod
    @override
    def programs(cls, options):
        return options.through != "oracle"

    @classmethod
    @override
    def schedule(cls, options):
        return UpdateAfterPass()

    @override
    def step(self, images, labels):
        passed = list(self.network.forward(self.network.present(images), [v.respond for v in self.backward_views]))
        scale = logit_scale(self.network.head)
        logits = passed[-1].y * scale
        self._descend(passed, softmax_error(logits, labels) * scale)
        return cross_entropy_of_chips(logits, labels)

    @override
    def finish_epoch(self):
        for view in self.backward_views:
            view.finish_epoch()

    def _view(self, layer: Sealed, index: int) -> BackwardView:
        seed = derive_seed(self.seed, "weights", index)
        if self.options.through == "twin":
            return ThroughTwin(layer, seed)
        if self.options.through == "deployed":
            return InModel(layer, seed, self.generator if self.options.noise_aware else None)
        return ThroughOracle(layer)

    def _descend(self, passed: Sequence[Passed[Response]], error: torch.Tensor) -> None:
        """Carry the error from the head's output to the first layer, writing each layer on the way."""
        for layer in reversed(passed):
            n, x, error = layer.layer, whole(layer.x), error * layer.reading.slope
            errors = error
            if n > 0:
                error = product(error, layer.reading.weights.mT)
                error = self.network.normalizer.backward(error, x, passed[n - 1].y)
            self.backward_views[n].learn(self.optimizers[n], errors, x)
