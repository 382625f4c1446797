"""Forward-Forward without labels in the image: each class is the mean of what its images make a layer do."""

from typing import Annotated, Literal

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.device import outer, product, samplewise
from analogff.forward_forward.labels import drawn_labels
from analogff.forward_forward.losses import LOSSES, Pull
from analogff.forward_forward.negatives import hard_labels
from analogff.learning.class_scores import ClassScores, LayerVote, ScoreOptions
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.layer_objective import Judgment
from analogff.learning.layer_order import OrderOptions, make_order
from analogff.learning.search_space import LogUniform
from analogff.learning.voting import VotingLayers
from analogff.system import WORD_BYTES, Work, work


class CentroidForwardOptions(ScoreOptions, OrderOptions, LayerLocalOptions):
    """Options of centroid Forward-Forward."""

    loss: Literal["swish", "symba", "softmax"] = "swish"
    """Comparison of the distance to the right centroid: with one near wrong centroid, by `swish` or softplus
    (`symba`); or with all others, by cross-entropy (`softmax`)."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0
    """Factor on the squared distance (a mean over the neurons) in the loss."""
    hardness: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 4.0
    """Factor on the scores, whose softmax draws the wrong centroids of `swish` and `symba`. 0 draws uniformly, a
    large factor always the nearest."""
    memory: Annotated[float, Field(ge=0, lt=1)] = 0.9999
    """Share of a centroid that remains after a step."""
    vote: Literal["all", "last"] = "last"
    """Centroids that decide: those of all layers, by the sum of the distances, or those of the last layer."""

    @field_validator("hardness")
    @classmethod
    def _hardness_is_used(cls, value, info):
        if info.data.get("loss") == "softmax" and value != cls.model_fields["hardness"].default:
            raise ValueError('loss = "swish" or "symba" beside it, without which hardness does nothing')
        return value


class CentroidForward(VotingLayers, LayerLocal[CentroidForwardOptions, "NearCentroid"]):
    r"""Layers that move an activity to the centroid of its class, and away from that of a near wrong class.

    .. math:: s_k = -\tfrac{\alpha}{n} \lVert y - c_k \rVert^2, \qquad L = d\,\sigma(d), \quad d = s_w - s_t, \qquad
              \frac{\partial L}{\partial y} = \tfrac{2 \alpha}{n} \frac{\partial L}{\partial d} (c_w - c_t)

    with ``t`` the label and ``w`` a wrong class, drawn from ``softmax(h s)``. Centroids are running means of the
    activities of *training* images up to the present step. The derivative treats them as constants. Prediction is by
    the nearest centroid, without test labels. Centroids are digital: ``classes n`` numbers in memory for each layer,
    and as many multiply-adds an image for the distances.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `CentroidForwardOptions`.
        seed: Draws the wrong centroids.

    Reference:
        dah33's centroid algorithm (2023), whose code draws wrong centroids in proportion to an inverse power of the
        distance, and predicts with the centroids of the test batch's labels. Loss `softmax`: the N-pair form of
        Wu et al., Distance-Forward Learning (arXiv 2408.14925), without its margin.
    """

    name = "centroid-forward"
    Options = CentroidForwardOptions
    convolves = True

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed, order=make_order(options.order, len(network.layers)))
        self.objectives = []
        for layer in network.layers:
            shape = (network.chips, network.classes, layer.datasheet.n_out)
            centroids = Centroids(shape, options.memory, layer.torch_device)
            self.objectives.append(NearCentroid(centroids, options, self.generator))
        self.vote = LayerVote(network, self.objectives, options.vote)

    @override
    def step(self, images, labels):
        return super().step(images, drawn_labels(labels, self.generator))

    @classmethod
    @override
    def objective_work(cls, options, vectors, n, classes):
        return _work(options, vectors, n, classes)

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        centroids = sum(n * shapes[-1][1] for _, n in shapes[:-1])
        return super().kept_bytes(options, shapes, batch) + WORD_BYTES * centroids

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"scale": LogUniform(1.0, 16.0)}


class NearCentroid(ClassScores):
    r"""Scores of a layer by the distance to the centroid of each class, and a loss that compares two of them.

    Args:
        centroids: Of the layer.
        options: Of the rule.
        generator: Draws the wrong centroids.
    """

    state_names = ("centroids",)

    def __init__(self, centroids: "Centroids", options: CentroidForwardOptions, generator: torch.Generator):
        self.centroids, self.options, self.generator = centroids, options, generator

    @override
    def judge(self, y, mean_squares, batch):
        labels = batch.labels
        assert labels is not None
        self.centroids.learn(y, labels)
        if self.options.loss == "softmax":
            return super().judge(y, mean_squares, batch)
        scores = self.scores(y)
        label = labels.expand(scores.shape[:-1])
        near = hard_labels(self.options.hardness * scores, labels, self.generator)
        pull = self._compare(_at(scores, label), _at(scores, near))
        error = torch.zeros_like(scores)
        error.scatter_(-1, label.unsqueeze(-1), pull.positive.unsqueeze(-1))
        error.scatter_(-1, near.unsqueeze(-1), pull.negative.unsqueeze(-1))
        return Judgment(pull.loss.mean(-1), self.by_activity(y, error / len(labels)))

    @override
    def scores_work(self, vectors, n):
        return _scores_work(vectors, n, len(self.centroids.counts))

    @override
    def work(self, vectors, n):
        return _work(self.options, vectors, n, len(self.centroids.counts))

    @override
    def scores(self, y):
        """Return ``alpha / n (2 y c_k - c_k^2)``: the ``y^2`` that all classes share decides nothing."""
        means = self.centroids.means()
        squares = means.square().sum(-1).unsqueeze(-2)
        return (2 * product(y, means) - squares) * (self.options.scale / y.shape[-1])

    @override
    def by_activity(self, y, error):
        return product(error, self.centroids.means().mT) * (2 * self.options.scale / y.shape[-1])

    def _compare(self, right: torch.Tensor, near: torch.Tensor) -> Pull:
        return samplewise(lambda r, w: LOSSES[self.options.loss](r, w, 1.0, 0.0), right, near)


class Centroids:
    r"""Running means of a layer's activities, one a class.

    .. math:: c_k = \frac{\sum_t m^{T - t} \sum_{b: t_b = k} y_{tb}}{\sum_t m^{T - t}\, |\{b: t_b = k\}|}

    Args:
        shape: ``(chips, classes, n)``.
        memory: ``m``.
        device: Where the activities are.
    """

    state_names = ("sums", "counts")

    def __init__(self, shape: tuple[int, int, int], memory: float, device: torch.device):
        self.memory = memory
        self.sums = torch.zeros(shape, device=device)
        self.counts = torch.zeros(shape[1], device=device)

    def learn(self, y: torch.Tensor, labels: torch.Tensor) -> None:
        """Take in activities, ``(chips, batch, n)``, of images with these labels."""
        target = torch.nn.functional.one_hot(labels, len(self.counts)).to(y.dtype)
        self.sums.mul_(self.memory).add_(outer(target.expand(len(y), -1, -1), y))
        self.counts.mul_(self.memory).add_(target.sum(0))

    def means(self) -> torch.Tensor:
        """Return the centroids, ``(chips, classes, n)``; the origin for a class that never came."""
        return self.sums / self.counts.masked_fill(self.counts == 0, 1).unsqueeze(-1)


def _scores_work(vectors: int, n: int, classes: int) -> Work:
    """Return the digital work of means, their lengths, and the product of each activity with each."""
    return work.elementwise(n * classes, operations=3, operands=1) + work.product(vectors, n, classes)


def _work(options: CentroidForwardOptions, vectors: int, n: int, classes: int) -> Work:
    """Return that of the sums of classes, taken as a product with one-hot labels, the scores, and the way back."""
    parts = [
        work.outer(vectors, n, classes),
        work.elementwise(n * classes, operations=2, operands=2),
        _scores_work(vectors, n, classes),
        work.softmax_error(vectors, classes),
        work.product(vectors, classes, n),
    ]
    if options.loss != "softmax":
        parts.append(work.hard_negatives(vectors, classes))
    return work.total(parts)


def _at(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return scores.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
