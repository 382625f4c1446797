"""Mono-Forward: every layer learns from the cross-entropy of a small projection of its own."""

from typing import Annotated, Any

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import outer, product
from analogff.learning.adam import Adam
from analogff.learning.layer_classifier import LayerClassifier, LayerClassifierOptions


class MonoForwardOptions(LayerClassifierOptions):
    """Options of Mono-Forward."""

    projection_learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the projections; fades as `learning_rate` does."""


class MonoForward(LayerClassifier[MonoForwardOptions]):
    r"""Layers that each learn to be read by a matrix, and the matrices with them.

    .. math:: s_l = \alpha M_l y_l, \qquad \frac{\partial L_l}{\partial y_l} = \alpha M_l^T (p - t), \qquad
              \frac{\partial L_l}{\partial M_l} = \alpha (p - t)\, y_l^T

    The matrices are digital: they take no reads, but each image costs ``classes n`` multiply-adds a layer for the
    scores, and in training as many again for the error and for the matrix's own update, which no ledger counts.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `MonoForwardOptions`.
        seed: Draws the projections to begin with, ``N(0, 1/n)``, the same for all chips.

    Reference:
        Gong, Li, Abdulla, Mono-Forward (arXiv 2501.09238), ``G_i = a_i M_i^T``; theirs has no normalization between
        layers. `vote` "last" is their BP-style prediction.
    """

    name = "mono-forward"
    Options = MonoForwardOptions

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        shapes = [(network.classes, layer.datasheet.n_out) for layer in network.layers]
        device = network.head.torch_device
        self.projections = [
            (torch.randn(shape, generator=self.generator) / shape[1] ** 0.5).to(device).repeat(network.chips, 1, 1)
            for shape in shapes
        ]
        self.projection_optimizers = [Adam((network.chips, *shape), device) for shape in shapes]

    @override
    def scores(self, layer, y):
        return self.options.scale * product(y, self.projections[layer])

    @override
    def by_activity(self, layer, y, error):
        return self.options.scale * product(error, self.projections[layer].mT)

    @override
    def adapt(self, layer, y, error):
        gradient = outer(self.options.scale * error, y)
        rate = self.options.projection_learning_rate * self.fade
        self.projections[layer].add_(self.projection_optimizers[layer].step(gradient, rate))

    @override
    def state_dict(self) -> dict[str, Any]:
        memory = [optimizer.state_dict() for optimizer in self.projection_optimizers]
        return super().state_dict() | {"projections": self.projections, "projection_optimizers": memory}

    @override
    def load_state_dict(self, state):
        super().load_state_dict(state)
        for projection, saved in zip(self.projections, state["projections"], strict=True):
            projection.copy_(saved)
        for optimizer, saved in zip(self.projection_optimizers, state["projection_optimizers"], strict=True):
            optimizer.load_state_dict(saved)
