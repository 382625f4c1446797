"""Mono-Forward: every layer learns from the cross-entropy of a small projection of its own."""

from typing import Annotated

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import outer, product
from analogff.learning.adam import Adam
from analogff.learning.class_scores import ClassScores, LayerVote, ScoreOptions
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.layer_order import OrderOptions, make_order
from analogff.learning.search_space import LogUniform
from analogff.learning.voting import VotingLayers
from analogff.system import WORD_BYTES, Work, work


class MonoForwardOptions(ScoreOptions, OrderOptions, LayerLocalOptions):
    """Options of Mono-Forward."""

    projection_learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the projections; decays like `learning_rate`."""


class MonoForward(VotingLayers, LayerLocal[MonoForwardOptions, "Projection"]):
    r"""Layers that each learn with a projection matrix to the classes.

    .. math:: s_l = \alpha M_l y_l, \qquad \frac{\partial L_l}{\partial y_l} = \alpha M_l^T (p - t), \qquad
              \frac{\partial L_l}{\partial M_l} = \alpha (p - t)\, y_l^T

    The matrices are digital and take no reads. Each image costs ``classes n`` multiply-adds a layer for the scores.
    Training takes as many again for the error and for the matrix's own update.

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
    convolves = True

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed, order=make_order(options.order, len(network.layers)))
        chips, classes, device = network.chips, network.classes, network.head.torch_device
        self.objectives = []
        for layer in network.layers:
            start = torch.randn(classes, layer.datasheet.n_out, generator=self.generator) / layer.datasheet.n_out**0.5
            start = start.to(device).repeat(chips, 1, 1)
            self.objectives.append(Projection(start, options.scale, options.projection_learning_rate))
        self.vote = LayerVote(network, self.objectives, options.vote)

    @classmethod
    @override
    def objective_work(cls, options, vectors, n, classes):
        return _work(vectors, n, classes)

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        matrices = sum(n * shapes[-1][1] for _, n in shapes[:-1])
        return super().kept_bytes(options, shapes, batch) + work.adam_bytes(matrices) + WORD_BYTES * matrices

    @override
    def advance(self, progress):
        super().advance(progress)
        for projection in self.objectives:
            projection.fade = self.fade

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"projection_learning_rate": LogUniform(1e-4, 1e-2)}


class Projection(ClassScores):
    r"""Scores of a layer by a matrix that learns them.

    .. math:: s = \alpha M y

    Args:
        weights: ``M`` to begin with, ``(chips, classes, n)``.
        scale: ``alpha``.
        learning_rate: That of the matrix.
    """

    state_names = ("weights", "optimizer")

    def __init__(self, weights: torch.Tensor, scale: float, learning_rate: float):
        self.weights, self.scale, self.learning_rate = weights, scale, learning_rate
        self.fade = 1.0
        """What is left of the learning rate."""
        self.optimizer = Adam(tuple(weights.shape), weights.device)

    @override
    def scores(self, y):
        return self.scale * product(y, self.weights)

    @override
    def scores_work(self, vectors, n):
        return work.product(vectors, n, self.weights.shape[1])

    @override
    def work(self, vectors, n):
        return _work(vectors, n, self.weights.shape[1])

    @override
    def by_activity(self, y, error):
        return self.scale * product(error, self.weights.mT)

    @override
    def adapt(self, y, error):
        gradient = outer(self.scale * error, y)
        self.weights.add_(self.optimizer.step(gradient, self.learning_rate * self.fade))


def _work(vectors: int, n: int, classes: int) -> Work:
    """Return the digital work of a projection: scores, error, the way back, and a step of its own."""
    own = work.adam(n * classes) + work.elementwise(n * classes, operations=1, operands=2)
    there_and_back = work.product(vectors, n, classes) + work.product(vectors, classes, n)
    return there_and_back + work.softmax_error(vectors, classes) + work.outer(vectors, n, classes) + own
