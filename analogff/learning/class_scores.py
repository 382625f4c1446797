"""Layers that are classifiers of their own: scores of the classes, and the vote of the layers."""

import abc
from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import torch
from pydantic import BaseModel, Field
from typing_extensions import override

from analogff.learning.batch import Batch
from analogff.learning.head import cross_entropy_of_chips, softmax_error
from analogff.learning.layer_objective import Judgment, LayerObjective
from analogff.learning.rule import OPTIONS
from analogff.network import Network
from analogff.system import Work, work

Vote = Literal["all", "last"]


class ScoreOptions(BaseModel):
    """Options of every rule whose layers each score the classes."""

    model_config = OPTIONS

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Factor on the scores, before they are compared."""
    input_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability that a pixel is dropped in a training step; the others are rescaled."""
    vote: Vote = "all"
    """Scores that decide: the sum over all layers, or those of the last layer."""


class ClassScores(LayerObjective):
    r"""The cross-entropy of class scores that a layer's activity is given.

    .. math:: L = -\log \frac{e^{s_t}}{\sum_k e^{s_k}}, \qquad
              \frac{\partial L}{\partial y} = \sum_k (p_k - [k = t]) \frac{\partial s_k}{\partial y}

    with ``t`` the label. A subclass gives the scores and their derivative. No label is written into the image: an
    image is read once a step (twice more where probed), and once to be classified.
    """

    @override
    def judge(self, y: torch.Tensor, mean_squares: torch.Tensor, batch: Batch) -> Judgment:
        assert batch.labels is not None
        scores = self.scores(y)
        error = softmax_error(scores, batch.labels)
        gradient = self.by_activity(y, error)
        self.adapt(y, error)
        return Judgment(cross_entropy_of_chips(scores, batch.labels), gradient)

    @abc.abstractmethod
    def scores(self, y: torch.Tensor) -> torch.Tensor:
        """Score the classes, ``(chips, batch, n)`` to ``(chips, batch, classes)``; the greatest is the answer."""

    @abc.abstractmethod
    def scores_work(self, vectors: int, n: int) -> Work:
        """Return the digital work of `scores`."""

    @abc.abstractmethod
    def by_activity(self, y: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
        """Return the derivative by activity of what has the derivative ``error`` by the scores."""

    def adapt(self, y: torch.Tensor, error: torch.Tensor) -> None:  # noqa: B027
        """Let what makes the scores learn too, from the derivative by the scores."""


class Scoring(Protocol):
    """What gives the activity of a layer class scores."""

    def scores(self, y: torch.Tensor) -> torch.Tensor:
        """Score the classes, ``(chips, batch, n)`` to ``(chips, batch, classes)``."""
        ...

    def scores_work(self, vectors: int, n: int) -> Work:
        """Return the digital work of `scores`."""
        ...


class LayerVote:
    """Classification by the scores of the layers, from one pass.

    Args:
        network: The chips.
        objectives: One a layer.
        voters: Whose scores decide.
    """

    def __init__(self, network: Network, objectives: Sequence[Scoring], voters: Vote):
        self.network, self.objectives, self.voters = network, objectives, voters

    def answer(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the voters answer, ``(chips, batch)``."""
        return self.total(images).argmax(-1)

    def total(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores that decide, ``(chips, batch, classes)``."""
        scores = self.scores(images)
        return scores[-1] if self.voters == "last" else torch.stack(scores).sum(0)

    def answers_by_layer(self, images: torch.Tensor) -> torch.Tensor:
        """Return what each layer alone would answer, ``(layers, chips, batch)``."""
        return torch.stack([scores.argmax(-1) for scores in self.scores(images)])

    def scores(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the scores of each layer, ``(chips, batch, classes)`` each."""
        passes, scores = self.network.forward(self.network.present(images)), []
        for objective, passed in zip(self.objectives, passes, strict=True):
            self.network.layers[passed.layer].compute(*objective.scores_work(*passed.y.shape[1:]))
            scores.append(objective.scores(passed.y))
        return scores


def dropout_work(options: ScoreOptions, numbers: int) -> Work:
    """Return the digital work of dropping some of so many pixels; see `with_dropout`."""
    return work.dropout(numbers * bool(options.input_dropout))


def with_dropout(network: Network, images: torch.Tensor, p: float, generator: torch.Generator) -> torch.Tensor:
    """Silence pixels of a training step with probability ``p``, the same for all chips; the others are louder."""
    if not p:
        return images
    network.layers[0].compute(*work.dropout(images.numel()))
    kept = torch.rand(images.shape, generator=generator) >= p
    return images * (kept / (1 - p)).to(images.device)
