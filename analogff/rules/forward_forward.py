"""Forward-Forward on chips nobody has a model of."""

import dataclasses
import functools
from collections.abc import Iterator

import torch
from typing_extensions import override

from analogff.device import Datasheet, SharedInputs
from analogff.forward_forward.dataflow import stage_dataflow
from analogff.forward_forward.digital_work import stage_work, votes_work
from analogff.forward_forward.digital_work import variants as label_variants
from analogff.forward_forward.dropout import Dropout, silence
from analogff.forward_forward.goodness import make_goodness
from analogff.forward_forward.goodness_objective import GoodnessObjective
from analogff.forward_forward.labels import Labels, drawn_labels
from analogff.forward_forward.losses import LOSSES, scff
from analogff.forward_forward.negatives import all_wrong_labels, hard_labels, random_labels
from analogff.forward_forward.one_sided_losses import ONE_SIDED_LOSSES, scff_one_sided
from analogff.forward_forward.options import ForwardForwardOptions
from analogff.forward_forward.peer_normalization import Peers
from analogff.forward_forward.prediction import of_both
from analogff.forward_forward.wake_sleep import WakeSleep
from analogff.learning.batch import EVALUATION, Batch
from analogff.learning.layer_local import LayerLocal
from analogff.learning.layer_order import is_pipelined, make_order
from analogff.learning.recording import Recording
from analogff.learning.search_space import LogUniform
from analogff.network.forward import Passed, Signal
from analogff.slopes.saturation_gradient import SaturationGradient
from analogff.slopes.slopes import Probed
from analogff.system import work

ROWS_AT_ONCE = 1000
"""Input vectors of one read when labels are tried, so that activities stay near the processor."""


class ForwardForward(LayerLocal[ForwardForwardOptions, GoodnessObjective]):
    r"""Layer-local learning from two forward passes, one on real data and one on wrong labels.

    .. math:: \Delta W_{ji} \propto -\sum_s \frac{\partial L}{\partial G_s} \tfrac2n\, y_{sj} f'(a_{sj})\, x_{si}

    Soft labels are drawn from anew at every step; the head learns from the probabilities themselves.

    All layers learn at once, or in another `order`. With a `phase_length` they learn from one of the passes at a time.
    If a head is used, a pass with the neutral label trains it and draws the hard negatives.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `ForwardForwardOptions`.
        seed: Draws the negatives, the silent lines and the directions of a cosine.

    Raises:
        ValueError: If an option does not fit the number of layers.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 2; slopes: docs/research/slopes.md.
    """

    name = "forward-forward"
    Options = ForwardForwardOptions
    convolves = True

    state_names = ("wake_sleep",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed, order=make_order(options.order, len(network.layers)))
        sheets, classes = [layer.datasheet for layer in network.layers], network.classes
        self.sign = -1 if options.direction == "minimize" else 1
        self.objectives = [_objective(options, layer, sheet, classes, seed) for layer, sheet in enumerate(sheets)]
        self.labels = Labels(options.labels, classes, options.label_strength)
        inputs = [sheets[0].n_in, *network.carried[:-1]]
        self.dropout = Dropout(options.input_dropout, options.dropout, inputs, classes)
        self.wake_sleep = WakeSleep(options.phase_length)
        self.head = self.delta_head(options.head_learning_rate)

    @classmethod
    @override
    def uses_head(cls, options):
        return options.uses_head

    @classmethod
    @override
    def learns_soft_labels(cls, options):
        return True

    @classmethod
    @override
    def check_data(cls, options, n_in, classes, image):
        Labels(options.labels, classes).refuse(n_in, image)

    @classmethod
    @override
    def layer_shapes(cls, options, n_in, widths, classes):
        options.refuse_depth(widths)
        return Labels(options.labels, classes).layer_shapes(n_in, widths)

    @classmethod
    @override
    def written_over(cls, options, classes):
        return Labels(options.labels, classes).over

    @classmethod
    @override
    def pass_clocks(cls, options):
        return () if options.phase_length or is_pipelined(options) else ("pass", "interleaved")

    @classmethod
    @override
    def stage_work(cls, options, shapes, batch, learning):
        return stage_work(options, shapes, batch, learning)

    @classmethod
    @override
    def stage_dataflow(cls, options, shapes, batch, learning):
        return stage_dataflow(options, shapes, batch, learning)

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"label_strength": LogUniform(0.5, 5.0)}

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        return super().kept_bytes(options, shapes, label_variants(options, shapes[-1][1]) * batch)

    @override
    def step(self, images, labels):
        images = self.labels.make_room(images)
        batch = Batch(phase=self.wake_sleep.phase, masks=self.dropout.draw(images, self.generator))
        for layer, mask in zip(self.network.layers, batch.masks, strict=True):
            if mask is not None:
                layer.compute(*work.dropout(mask.numel()))
        candidates = self._candidates(images, labels, batch)
        if self.options.uses_head or self.options.negatives == "goodness":
            self.pass_over(len(images))  # that the head learned from, or that drew the negatives
        batch = dataclasses.replace(batch, kinds=candidates.shape[-2])
        x, batch = self._present(self.labels.write(images, candidates), batch)
        loss = self.descend(self.forward(x, batch), batch)
        self.wake_sleep.pass_on()
        return loss

    @override
    def recording(self):
        given = self.options
        if (
            given.phase_length
            or given.dropout
            or given.input_dropout
            or given.peer_strength
            or any(limit.share is None for limit in self.max_steps)
        ):
            return None
        if any(c.saturation_gradient and not c.saturation_gradient.is_set for c in self.objectives):
            return None
        if given.slope == "fitted" or given.order == "pipelined" or not all(c.is_set for c in self.objectives):
            return None
        slopes = [self.slopes[n] for n in self.order.learning]
        if given.uses_head:
            slopes.append(self.head.slope)
        probes = [slope.size for slope in slopes if isinstance(slope, Probed)]
        if any(probe.is_due for probe in probes):
            return None
        optimizers = [self.layer_optimizers[n] for n in self.order.learning] + [self.head.optimizer] * given.uses_head
        return Recording(key=self.order.learning, optimizers=optimizers, probes=probes)

    @override
    def predict(self, images):
        return self.beliefs(images).argmax(-1)

    @override
    def scores(self, images):
        return self.beliefs(images)

    def beliefs(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits of all labels, of which `predict` takes the greatest, ``(chips, batch, classes)``."""
        images = self.labels.make_room(images)
        if self.options.prediction == "head":
            return self._logits(images)
        at_once = max(1, ROWS_AT_ONCE // self.network.classes)
        return torch.cat([self._beliefs(some) for some in images.split(at_once)], dim=1)

    @override
    def goodness(self, images, labels):
        return self._goodness(self.labels.write_one(self.labels.make_room(images), labels))

    def goodness_of_labels(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the goodness of every label, layer by layer, ``(chips, classes, batch)`` each."""
        return self._goodness_of_labels(self.labels.make_room(images))

    @override
    def answers_by_layer(self, images):
        at_once = max(1, ROWS_AT_ONCE // self.network.classes)
        voted = [torch.stack(self.goodness_of_labels(some)) for some in images.split(at_once)]
        return (self.sign * torch.cat(voted, dim=-1)).argmax(2)

    @override
    def onward(self, passed, batch):
        x = silence(super().onward(passed, batch), batch.mask(passed.layer + 1))
        return x if batch.rows is None else torch.cat([batch.rows.expand(x.shape[0], -1, -1), x], dim=-1)

    def _candidates(self, images: torch.Tensor, labels: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the true labels and then the wrong ones, ``(variants, batch)`` or for each chip its own.

        Awake it is the former alone, asleep the latter. The head learns on the way, if there is a use for it.
        """
        taught, labels = labels, drawn_labels(labels, self.generator)
        classes, kind = self.network.classes, self.options.negatives
        logits = None
        if self.options.uses_head:
            logits = self.head.learn(self._last(images, batch), taught)
        if batch.phase == "wake":
            return labels[None]
        if kind in ("hard", "goodness"):
            self.network.head.compute(*work.hard_negatives(len(labels), classes))
        if kind == "all":
            return torch.cat([labels[None], all_wrong_labels(labels, classes)])
        if kind == "random":
            wrong = random_labels(labels, classes, self.generator)
        else:
            beliefs = self._votes(images, batch) if logits is None or kind == "goodness" else logits
            wrong = hard_labels(beliefs, labels, self.generator)
        if batch.phase == "sleep":
            return wrong.unsqueeze(-2)
        return torch.stack([labels.expand_as(wrong), wrong], dim=-2)

    def _beliefs(self, images: torch.Tensor) -> torch.Tensor:
        votes = self._votes(images)
        return votes if self.options.prediction == "goodness" else of_both(votes, self._logits(images))

    def _votes(self, images: torch.Tensor, batch: Batch = EVALUATION) -> torch.Tensor:
        """Return what every label has of what positive inputs are to have more of, ``(chips, batch, classes)``."""
        everyone = zip(self.objectives, self._goodness_of_labels(images, batch), strict=True)
        votes = [_of_each(c.steepness) * goodness for c, goodness in everyone]
        return self.sign * torch.stack(votes[self.options.vote_from - 1 :]).sum(0).mT.contiguous()

    def _goodness_of_labels(self, images: torch.Tensor, batch: Batch = EVALUATION) -> list[torch.Tensor]:
        classes = self.network.classes
        labels = torch.arange(classes, device=images.device)[:, None].expand(classes, len(images))
        goodness = self._goodness(self.labels.write(images, labels), batch)
        return [of_layer.unflatten(1, (classes, -1)) for of_layer in goodness]

    def _goodness(self, labeled: torch.Tensor | SharedInputs, batch: Batch = EVALUATION) -> list[torch.Tensor]:
        goodness = []
        for objective, passed in zip(self.objectives, self._signal(labeled, batch), strict=True):
            self.network.layers[passed.layer].compute(*votes_work(*passed.y.shape[1:]))
            goodness.append(objective.measure.of(passed.y, passed.mean_squares))
        return goodness

    def _logits(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.logits(self.network.head.measure(self._last(images)))

    def _last(self, images: torch.Tensor, batch: Batch = EVALUATION) -> torch.Tensor:
        """Return the head's inputs for images with a neutral label."""
        *_, last = self._signal(self.labels.write_neutral(images), batch)
        return self.network.onward(last)

    def _signal(self, labeled: torch.Tensor | SharedInputs, batch: Batch) -> Iterator[Passed[torch.Tensor]]:
        """Read layer after layer."""
        x, batch = self._present(labeled, batch)
        return self.network.forward(x, onward=functools.partial(self.onward, batch=batch))

    def _present(self, labeled: torch.Tensor | SharedInputs, batch: Batch) -> tuple[Signal, Batch]:
        """Return the first layer's inputs, and the batch with the label signals of later layers."""
        present = self.network.present_shared if isinstance(labeled, SharedInputs) else self.network.present
        batch = dataclasses.replace(batch, rows=self.labels.rows(labeled))
        return silence(present(labeled), batch.mask(0)), batch  # type: ignore[arg-type]


def _of_each(scale: float | torch.Tensor) -> float | torch.Tensor:
    """Return one number for all chips, or ``(chips, 1)`` to ``(chips, 1, 1)``."""
    return scale.unsqueeze(-1) if isinstance(scale, torch.Tensor) else scale


def _objective(
    options: ForwardForwardOptions, layer: int, sheet: Datasheet, classes: int, seed: int
) -> GoodnessObjective:
    """Return what a layer learns from; thresholds of a sum are those of a mean times the width."""
    width = sheet.n_out
    times = width if options.goodness == "sum" else 1
    theta = options.theta[layer] if isinstance(options.theta, tuple) else options.theta
    loss, apart = LOSSES[options.loss], ONE_SIDED_LOSSES.get(options.loss)
    if options.loss == "scff":
        given = {"slack": options.slack * times, "penalty": options.penalty}
        loss, apart = functools.partial(scff, **given), functools.partial(scff_one_sided, **given)
    return GoodnessObjective(
        measure=make_goodness(options.goodness, layer, width, seed),
        loss=loss,
        apart=apart,
        scale=None if options.scale == "measured" else options.scale,
        theta=None if theta == "measured" else times * theta,
        minimize=options.direction == "minimize",
        negatives=classes - 1 if options.negatives == "all" else 1,
        ceiling=sheet.output_max,
        peers=Peers(options.peer_strength) if options.peer_strength else None,
        saturation_gradient=SaturationGradient(sheet.output_max) if options.saturation_gradient else None,
    )
