"""Forward-Forward on chips nobody has a model of."""

from typing import Annotated, Literal

import torch
from pydantic import Field, field_validator

from analogff.device import samplewise
from analogff.forward_forward.goodness import GOODNESS, mean_square
from analogff.forward_forward.labels import overlay, overlay_neutral, variants
from analogff.forward_forward.losses import LOSSES, Pull
from analogff.forward_forward.negatives import hard_labels, random_labels
from analogff.normalise import length_normalise
from analogff.rules.base import refuse_idle
from analogff.rules.head import DeltaHead
from analogff.rules.layer_local import LayerLocal, LayerLocalOptions

ROWS_AT_ONCE = 1000
"""Input vectors of one read when labels are tried, so that activities stay near the processor."""


class ForwardForwardOptions(LayerLocalOptions):
    """Options of Forward-Forward."""

    goodness: Literal["mean", "sum"] = "mean"
    """Mean or sum of the squares of a layer's activities."""
    loss: Literal["hinton", "symba", "swish"] = "swish"
    """How positive and negative goodness are compared."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 12.0
    """Factor on the goodness (a mean of squares) in the loss."""
    theta: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """Threshold of loss `hinton`, for the mean of squares; that of a sum is this times the layer's width."""
    negatives: Literal["random", "hard"] = "hard"
    """Wrong labels drawn uniformly, or from the head's own beliefs."""
    prediction: Literal["goodness", "head"] = "goodness"
    """Classify by the goodness of every label (one pass a class), or by the head in one pass."""
    head_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the softmax head, which hard negatives and prediction by the head need."""

    @field_validator("theta")
    @classmethod
    def _theta_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="loss", used_by="hinton")

    @field_validator("head_rate")
    @classmethod
    def _head_is_used(cls, value, info):
        used = info.data.get("prediction") in ("head", None) or info.data.get("negatives") in ("hard", None)
        if not used and value != cls.model_fields["head_rate"].default:
            needed = 'negatives = "hard" or prediction = "head"'
            raise ValueError(f"{needed} beside it, without which head_rate does nothing")
        return value


class ForwardForward(LayerLocal[ForwardForwardOptions]):
    r"""Layer-local learning from two forward passes, one on real data and one on wrong labels.

    .. math:: \Delta W_{ji} \propto -\sum_s \frac{\partial L}{\partial G_s} \tfrac2n\, y_{sj} f'(a_{sj})\, x_{si}

    All layers learn at once. Where there is a use for a head, a neutral-label pass trains it, and draws the hard
    negatives.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `ForwardForwardOptions`.
        seed: Draws the negatives.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 2; slopes: docs/design.md.
    """

    name = "forward-forward"
    Options = ForwardForwardOptions

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.measure = GOODNESS[options.goodness]
        self.loss = LOSSES[options.loss]
        self.head_writer.rate = options.head_rate
        self.head = DeltaHead(network.head, self.head_writer, self._make_slope())

    def step(self, images, labels):  # noqa: D102
        wrong = self._wrong_labels(images, labels)
        both = variants(images, torch.stack([labels.expand_as(wrong), wrong], dim=-2), self.network.classes)
        return self.descend(self.network.present_marked(both), self._contrast)

    def _contrast(self, layer: int, y: torch.Tensor, squares: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Compare the halves of a batch, positive and negative."""
        pull = self._pull(self.measure.of(y, squares), y.shape[-1])
        factors = torch.cat([pull.positive, pull.negative], dim=1) / pull.loss.shape[-1]
        return pull.loss.mean(-1), self.measure.gradient(y, squares, factors)

    def predict(self, images):  # noqa: D102
        if self.options.prediction == "head":
            return self.network.classify(overlay_neutral(images, self.network.classes))
        at_once = max(1, ROWS_AT_ONCE // self.network.classes)
        return torch.cat([self._vote(some) for some in images.split(at_once)], dim=1)

    def goodness(self, images, labels):  # noqa: D102
        marked = overlay(images, labels, self.network.classes)
        return [mean_square(y) for y in self.network.activities(marked)]

    def _vote(self, images: torch.Tensor) -> torch.Tensor:
        """Return the label with the greatest goodness, summed over the layers, ``(chips, batch)``."""
        classes = self.network.classes
        labels = torch.arange(classes, device=images.device)[:, None].expand(classes, len(images))
        activities = self.network.activities(variants(images, labels, classes))
        votes = torch.stack([mean_square(y) for y in activities]).sum(0)
        return votes.view(-1, classes, len(images)).argmax(1)

    def _wrong_labels(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Draw the negatives, and train the head on a neutral-label pass if there is a use for it."""
        if self.options.negatives == "random" and self.options.prediction == "goodness":
            return random_labels(labels, self.network.classes, self.generator)
        neutral = overlay_neutral(images, self.network.classes)
        last = length_normalise(self.network.activities(neutral)[-1])
        logits = self.head.learn(last, labels)
        if self.options.negatives == "random":
            return random_labels(labels, self.network.classes, self.generator)
        return hard_labels(logits, labels, self.generator)

    def _pull(self, goodness: torch.Tensor, width: int) -> Pull:
        """Compare the two halves of a batch, ``(chips, 2 batch)``."""
        scale = self.options.scale
        theta = self.options.theta * (width if self.options.goodness == "sum" else 1)
        positive, negative = goodness.chunk(2, -1)
        return samplewise(lambda g, h: self.loss(g, h, scale, theta), positive, negative)
