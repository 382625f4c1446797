"""The goodness of positive inputs against that of negative ones, as the objective of a layer."""

import dataclasses
import functools
import math
from collections.abc import Callable

import torch
from typing_extensions import override

from analogff.device import PerChip, samplewise
from analogff.forward_forward.goodness import Goodness
from analogff.forward_forward.losses import Loss, Number
from analogff.forward_forward.one_sided_losses import Push
from analogff.forward_forward.peer_normalization import Peers
from analogff.learning.batch import Phase
from analogff.learning.layer_objective import Judgment, LayerObjective
from analogff.slopes.saturation_gradient import SaturationGradient
from analogff.system import Work, work

SCALE = 4.0
"""Measured on neurons that reach the end of their range at once: 1 and 12 are worse than 2 to 8."""
HEADROOM = 3.0
"""The most by which a range that is far away raises the scale."""
TOP = 0.99
"""Share of the first activities that lie below what a layer is said to reach."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoodnessObjective(LayerObjective):
    r"""A layer's loss of the goodness of its activity.

    .. math:: L = \frac{1}{B K} \sum_{b, k} \ell\!\left(\pm G_b, \pm G_{kb}; \alpha, \pm\theta\right)

    over ``K`` negatives of each of ``B`` positives. With a minus, goodness is what positive inputs have less of.

    Reference:
        Hinton, The Forward-Forward Algorithm (2022), section 2; the minus: among its future work.
    """

    state_names = ("first", "peers", "saturation_gradient")

    measure: Goodness
    """The goodness."""
    loss: Loss
    """Compares one positive with one negative."""
    scale: float | None
    """``alpha``; None to measure one, see `steepness`."""
    theta: float | None
    """The threshold, for losses that have one; None for the mean goodness that the chip showed first."""
    minimize: bool = False
    """Whether positive goodness is to be low."""
    negatives: int = 1
    """``K``."""
    ceiling: PerChip | None = None
    """The greatest activity that the layer's datasheet prints; None if it prints none."""
    apart: Callable[[torch.Tensor, Number, Number, Phase], Push] | None = None
    """One term of the loss alone, for `phase`; None for losses of pairs, which have none."""
    peers: Peers | None = None
    """Draws neurons that are always or never on to their peers; None to leave them."""
    saturation_gradient: SaturationGradient | None = None
    """Draws neurons back from the end of the range; None to leave them there."""
    first: dict[str, torch.Tensor] = dataclasses.field(default_factory=dict)
    """What the first reads of the layer showed, ``(chips, 1)`` each."""

    @property
    def steepness(self) -> float | torch.Tensor:
        r"""``alpha``, a number or ``(chips, 1)``.

        .. math:: \alpha = 4 h / \mathrm{sd}(y^2), \quad h = \mathrm{clip}(y_\mathrm{max} / y_{99}, 1, 3)

        where it is measured: over the spread, over neurons and samples, of what one neuron adds to the goodness, as it
        was before any learning. A layer whose range ends far above its first activities would grow until it is there,
        and clip, so it gets a loss that is content earlier; one that prints no end gets the greatest ``h``.

        The scale is not followed later, since goodness that grows is how a layer becomes sure: on a
        loss of relative goodness a rectifier grew without end (42 % error where this gives 2.6).
        """
        if self.scale is not None:
            return self.scale
        return SCALE * self.first["headroom"] / self.first["spread"] if self.first else SCALE

    @property
    def is_set(self) -> bool:
        """Whether nothing is left to be measured from the next reads."""
        return bool(self.first) or (self.scale is not None and self.theta is not None)

    @override
    def judge(self, y, mean_squares, batch):
        """Compare the halves of a batch, or judge inputs of one kind by their own term of the loss.

        Shapes:
            ``y``: ``(chips, (1 + K) batch, n)``, the positives first, then one negative of each, and so on; of one kind
            ``(chips, batch, n)``.
        """
        sign, goodness, scale, theta = self._facing(y, mean_squares)
        if batch.phase:
            loss, slopes = self._of_one_kind(goodness, scale, theta, batch.phase)
        else:
            loss, slopes = self._of_pairs(goodness, scale, theta)
        factors = slopes * sign / loss.shape[-1]
        return Judgment(loss.mean(-1), self.measure.gradient(y, mean_squares, factors))

    @override
    def work(self, vectors, n):
        parts = [judging_work(self.measure.operations, vectors, n)]
        if not self.is_set:
            parts.append(work.elementwise(vectors * n, operations=4, operands=1, results=0))
        if self.peers:
            parts.append(Peers.work(vectors, n))
        if self.saturation_gradient:
            parts.append(SaturationGradient.work(vectors, n))
        return work.total(parts)

    @override
    def back(self, reading, gradient, batch):
        inputs = gradient.shape[1]
        positives = {"wake": inputs, "sleep": 0}.get(batch.phase or "", inputs // (1 + self.negatives))
        if self.saturation_gradient:
            falling = slice(positives) if self.minimize else slice(positives, inputs)
            reading = self.saturation_gradient.of(reading, gradient, falling)
        errors = reading.back(gradient)
        if self.peers and positives:
            weight = torch.as_tensor(self.steepness).view(-1, 1, 1) * self.measure.unit(errors.shape[-1]) / positives
            self.peers.draw(errors, reading.y[:, :positives], weight)
        return errors

    def _of_pairs(self, goodness: torch.Tensor, scale: Number, theta: Number) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of each pair, and its derivative by the goodness of each input."""
        batch = goodness.shape[1] // (1 + self.negatives)
        positive, negative = goodness.split([batch, goodness.shape[1] - batch], dim=1)
        pull = samplewise(lambda g, h: self.loss(g, h, scale, theta), positive.repeat(1, self.negatives), negative)
        # added one by one: a sum over them at once may round otherwise in a bank
        raised = functools.reduce(torch.add, pull.positive.split(batch, dim=1))
        return pull.loss, torch.cat([raised, pull.negative], dim=1)

    def _of_one_kind(
        self, goodness: torch.Tensor, scale: Number, theta: Number, phase: Phase
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of each input, and its derivative by the goodness."""
        assert self.apart is not None
        apart = self.apart
        return samplewise(lambda g: apart(g, scale, theta, phase), goodness)

    def _facing(self, y: torch.Tensor, mean_squares: torch.Tensor) -> tuple[int, torch.Tensor, Number, Number]:
        """Return the sign of what positives are to have more of; that goodness, its scale and its threshold."""
        sign = -1 if self.minimize else 1
        goodness = self.measure.of(y, mean_squares)
        if not self.is_set:
            self._look(y, goodness)
        return sign, sign * goodness, self.steepness, sign * (self.first["rest"] if self.theta is None else self.theta)

    def _look(self, y: torch.Tensor, goodness: torch.Tensor) -> None:
        width = y.shape[-1]
        spread = y.square().flatten(1).std(-1, keepdim=True) * (width * self.measure.unit(width) / 2)
        self.first["spread"] = torch.where(spread > 0, spread, 1.0)  # a layer that is silent has no scale
        self.first["rest"] = goodness.mean(-1, keepdim=True)
        self.first["headroom"] = self._headroom(y)

    def _headroom(self, y: torch.Tensor) -> torch.Tensor:
        """Return ``h``, ``(chips, 1)``."""
        most = y.new_full((y.shape[0], 1), torch.inf)
        if self.ceiling is not None:
            most = torch.as_tensor(self.ceiling, dtype=y.dtype, device=y.device).reshape(-1, 1).expand_as(most)
        rank = math.ceil(TOP * y[0].numel())
        reached = torch.stack([chip.flatten().kthvalue(rank).values for chip in y]).unsqueeze(-1)
        return torch.where(reached > 0, most / reached, torch.inf).clamp(1, HEADROOM)


def judging_work(operations: int, vectors: int, n: int) -> Work:
    """Return the digital work of goodness, a loss of about ten operations a vector, and its derivative.

    The sum of squares is counted although a normalization takes it too.

    Args:
        operations: Of the goodness, for each activity.
        vectors: Activities, positive and negative.
        n: Neurons.
    """
    loss = work.elementwise(vectors, operations=10, operands=1)
    return loss + work.elementwise(vectors * n, operations=operations, operands=1)
