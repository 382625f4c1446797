"""ASGE: every layer learns from the cross-entropy of its goodness, projected at random to the classes."""

from typing import Annotated

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import derive_seed, product, reads_of
from analogff.learning import step_work
from analogff.learning.class_scores import ClassScores, LayerVote, ScoreOptions
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.layer_order import OrderOptions, make_order
from analogff.learning.search_space import LogUniform
from analogff.learning.voting import VotingLayers
from analogff.system import Work, work

_FLOOR = 1e-6
"""Keeps the root of a silent group's goodness differentiable."""


class AsgeOptions(ScoreOptions, OrderOptions, LayerLocalOptions):
    """Options of ASGE."""

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0
    """Factor on the scores, before they are compared."""
    pool: Annotated[int, Field(ge=1)] = 4
    """Neighboring neurons of a dense layer whose goodness is taken together. Of a convolution it is that of the map of
    each channel."""


class Asge(VotingLayers, LayerLocal[AsgeOptions, "ProjectedGoodness"]):
    r"""Layers that learn to be read, by their goodness alone, through a matrix that never changes.

    .. math:: g_k = \sqrt{\tfrac1p \textstyle\sum_{j \in S_k} y_j^2}, \qquad s = \alpha P g, \qquad
              P \sim \mathcal N(0, 1 / m)

    with groups ``S`` of ``p`` neighboring neurons, or of the ``p`` positions of a channel, ``m`` of them, and the
    cross-entropy of ``s`` as the loss of each layer. One pass, no negatives, and nothing to learn outside of the chip:
    an image costs ``classes m`` multiply-adds a layer.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `AsgeOptions`.
        seed: Draws the projections, the same for all chips.

    Reference:
        Adaptive spatial goodness encoding (arXiv 2509.12394): the root mean square of feature maps, pooled in space,
        a fixed random projection to logits, and a cross-entropy a layer. Theirs is convolutional; of a dense layer, a
        group of neurons stands for a map.
    """

    name = "asge"
    Options = AsgeOptions
    convolves = True

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed, order=make_order(options.order, len(network.layers)))
        self.objectives = []
        for number, layer in enumerate(network.layers):
            positions, (n, _) = reads_of(layer.datasheet.windows), layer.datasheet.weight_shape
            groups = n if positions > 1 else -(-n // options.pool)
            generator = torch.Generator().manual_seed(derive_seed(seed, "projection", number))
            projection = torch.randn(network.classes, groups, generator=generator) / groups**0.5
            self.objectives.append(
                ProjectedGoodness(projection.to(layer.torch_device), options.scale, options.pool, positions)
            )
        self.vote = LayerVote(network, self.objectives, options.vote)

    @classmethod
    @override
    def objective_work(cls, options, vectors, n, classes):
        return _work(vectors, n, -(-n // options.pool), classes)

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        projections = step_work.weights([(-(-n // options.pool), shapes[-1][1]) for _, n in shapes[:-1]])
        return super().kept_bytes(options, shapes, batch) + projections

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"scale": LogUniform(1.0, 16.0)}


class ProjectedGoodness(ClassScores):
    r"""Scores of a layer by a fixed projection of the goodness of its groups; see `Asge`.

    Args:
        projection: ``P``, ``(classes, groups)``.
        scale: ``alpha``.
        pool: ``p``; the last group may have fewer neurons, and the mean is over ``p`` all the same.
        positions: Positions of a convolution, which are ``p`` then; 1 for a dense layer.
    """

    def __init__(self, projection: torch.Tensor, scale: float, pool: int, positions: int = 1):
        self.projection, self.positions = scale * projection, positions
        self.pool = pool if positions == 1 else positions

    @override
    def scores(self, y):
        return product(self._goodness(y), self.projection.expand(len(y), -1, -1))

    @override
    def scores_work(self, vectors, n):
        return _scores_work(vectors, n, self.projection.shape[1], self.projection.shape[0])

    @override
    def work(self, vectors, n):
        return _work(vectors, n, self.projection.shape[1], self.projection.shape[0])

    @override
    def by_activity(self, y, error):
        by_goodness = product(error, self.projection.mT.expand(len(y), -1, -1)) / (self.pool * self._goodness(y))
        if self.positions > 1:
            return y * by_goodness.repeat(1, 1, self.positions)
        return y * by_goodness.repeat_interleave(self.pool, -1)[..., : y.shape[-1]]

    def _goodness(self, y: torch.Tensor) -> torch.Tensor:
        """Return the root mean square of each group, ``(chips, batch, groups)``."""
        if self.positions > 1:
            return (y.square().unflatten(-1, (self.positions, -1)).mean(-2) + _FLOOR).sqrt()
        squares = torch.nn.functional.pad(y.square(), (0, -y.shape[-1] % self.pool))
        return (squares.unflatten(-1, (-1, self.pool)).mean(-1) + _FLOOR).sqrt()


def _scores_work(vectors: int, n: int, groups: int, classes: int) -> Work:
    """Return the digital work of the goodness of groups, sums of squares and their roots, and of its projection."""
    goodness = work.elementwise(vectors * n, operations=1, operands=1, results=0)
    roots = work.elementwise(vectors * groups, operations=2, operands=0)
    return goodness + roots + work.product(vectors, groups, classes)


def _work(vectors: int, n: int, groups: int, classes: int) -> Work:
    """Return that of the scores, their error and the way back."""
    back = work.product(vectors, classes, groups) + work.modulation(vectors * groups) + work.modulation(vectors * n)
    return _scores_work(vectors, n, groups, classes) + work.softmax_error(vectors, classes) + back
