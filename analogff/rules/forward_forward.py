"""Forward-Forward on chips nobody has a model of."""

from typing import Annotated, Literal

import torch
from pydantic import Field, field_validator

from analogff.device import Marked, samplewise
from analogff.forward_forward.goodness import mean_square
from analogff.forward_forward.labels import overlay, overlay_neutral, variants
from analogff.forward_forward.losses import LOSSES, Pull
from analogff.forward_forward.negatives import hard_labels, random_labels
from analogff.forward_forward.slopes import make_slope
from analogff.normalise import length_normalise, length_of
from analogff.rules.base import Rule, RuleOptions, refuse_idle
from analogff.rules.head import DeltaHead

ROWS_AT_ONCE = 1000
"""Input vectors of one read when labels are tried, so that activities stay near the processor."""


class ForwardForwardOptions(RuleOptions):
    """Options of Forward-Forward."""

    slope: Literal["assumed", "probed", "oracle"] = "probed"
    """Where the slope of a neuron comes from: taken as 1, measured with two biased reads, or the truth."""
    probe: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.6
    """Bias between the two reads of slope `probed`, in units of the weighted sum."""
    loss: Literal["hinton", "symba", "swish"] = "swish"
    """How positive and negative goodness are compared."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 12.0
    """Factor on the goodness (a mean of squares) in the loss."""
    theta: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """Threshold of loss `hinton`, for the mean of squares."""
    negatives: Literal["random", "hard"] = "hard"
    """Wrong labels drawn uniformly, or from the head's own beliefs."""
    prediction: Literal["goodness", "head"] = "goodness"
    """Classify by the goodness of every label (one pass a class), or by the head in one pass."""
    head_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the softmax head, which hard negatives and prediction by the head need."""

    @field_validator("probe")
    @classmethod
    def _probe_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="slope", used_by="probed")

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


class ForwardForward(Rule[ForwardForwardOptions]):
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
        self.slope = make_slope(options.slope, options.probe)
        self.loss = LOSSES[options.loss]
        *self.layer_writers, head_writer = self.writers
        head_writer.rate = options.head_rate
        self.head = DeltaHead(network.head, head_writer, self.slope)

    @classmethod
    def needs(cls, options):  # noqa: D102
        return make_slope(options.slope, options.probe).needs

    @classmethod
    def schedule(cls, options):  # noqa: D102
        return "ff-pipelined"

    def step(self, images, labels):  # noqa: D102
        wrong = self._wrong_labels(images, labels)
        both = variants(images, torch.stack([labels.expand_as(wrong), wrong], dim=-2), self.network.classes)
        x: torch.Tensor | Marked = self.network.present_marked(both)
        losses = []
        for layer, writer in zip(self.network.layers, self.layer_writers, strict=True):
            reading = self.slope.read(layer, x)
            goodness = mean_square(reading.y)
            pull = self._pull(goodness)
            factors = torch.cat([pull.positive, pull.negative], dim=1) * (2 / reading.y.shape[-1] / len(labels))
            writer.descend(reading.climb(factors.unsqueeze(-1)), x)
            losses.append(pull.loss.mean(-1))
            if layer is not self.network.layers[-1]:
                x = reading.y / length_of(goodness.unsqueeze(-1))
        return torch.stack(losses).mean(0)

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

    def _pull(self, goodness: torch.Tensor) -> Pull:
        """Compare the two halves of a batch, ``(chips, 2 batch)``."""
        scale, theta = self.options.scale, self.options.theta
        positive, negative = goodness.chunk(2, -1)
        return samplewise(lambda g, h: self.loss(g, h, scale, theta), positive, negative)
