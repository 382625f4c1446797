"""Learning in which every layer is a classifier of its own."""

import abc
from typing import Annotated, Literal, TypeVar

import torch
from pydantic import Field
from typing_extensions import override

from analogff.learning.batch import Batch
from analogff.learning.head import cross_entropy_of_chips, softmax_error
from analogff.learning.layer_order import Ordered, OrderedOptions
from analogff.network.forward import Passed


class LayerClassifierOptions(OrderedOptions):
    """Options of every rule whose layers each score the classes."""

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Factor on the scores, before they are compared."""
    input_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability that a pixel is silent in a training step; the others are the stronger for it."""
    vote: Literal["all", "last"] = "all"
    """Whose scores decide: those of all layers, summed, or those of the last one alone."""


O = TypeVar("O", bound=LayerClassifierOptions)  # noqa: E741


class LayerClassifier(Ordered[O]):
    r"""A rule whose layers each score the classes, and learn from their own cross-entropy.

    .. math:: L_l = -\log \frac{e^{s_{lt}}}{\sum_k e^{s_{lk}}}, \qquad
              \frac{\partial L_l}{\partial y} = \sum_k (p_k - [k = t]) \frac{\partial s_{lk}}{\partial y}

    with ``t`` the label. A subclass gives the scores and their derivative. No label is written into the image: an
    image is read once a step (twice where probed), and once to be classified. The head is not used.
    """

    @classmethod
    @override
    def uses_head(cls, options):
        return False

    @override
    def step(self, images, labels):
        def local(passed: Passed, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
            return self.compete(passed.layer, passed.y, labels)

        return self.descend(self.network.present(self._thin(images)), local, Batch(labels=labels))

    def compete(self, layer: int, y: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of each chip, and the derivative of the mean loss by activity."""
        scores = self.scores(layer, y)
        error = softmax_error(scores, labels)
        gradient = self.by_activity(layer, y, error)
        self.adapt(layer, y, error)
        return cross_entropy_of_chips(scores, labels), gradient

    @abc.abstractmethod
    def scores(self, layer: int, y: torch.Tensor) -> torch.Tensor:
        """Score the classes, ``(chips, batch, n)`` to ``(chips, batch, classes)``; the greatest is the answer."""

    @abc.abstractmethod
    def by_activity(self, layer: int, y: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
        """Return the derivative by activity of what has the derivative ``error`` by the scores."""

    def adapt(self, layer: int, y: torch.Tensor, error: torch.Tensor) -> None:  # noqa: B027
        """Let what makes the scores learn too, from the derivative by the scores."""

    @override
    def predict(self, images):
        return self._votes(images).argmax(-1)

    @override
    def answers_by_layer(self, images):
        return torch.stack([scores.argmax(-1) for scores in self._scored(images)])

    def _thin(self, images: torch.Tensor) -> torch.Tensor:
        """Silence pixels of a training step, the same for all chips."""
        if not self.options.input_dropout:
            return images
        p = self.options.input_dropout
        kept = torch.rand(images.shape, generator=self.generator) >= p
        return images * (kept / (1 - p)).to(images.device)

    def _votes(self, images: torch.Tensor) -> torch.Tensor:
        scored = self._scored(images)
        return scored[-1] if self.options.vote == "last" else torch.stack(scored).sum(0)

    def _scored(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [self.scores(layer, y) for layer, y in enumerate(self.network.activities(images))]
