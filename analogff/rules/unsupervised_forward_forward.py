"""Forward-Forward without labels: images against mixtures of two of them."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.data import ImageShape
from analogff.forward_forward.goodness import GOODNESS
from analogff.forward_forward.goodness_objective import GoodnessObjective, judging_work
from analogff.forward_forward.hybrids import MOST_BLURS, hybrids, mixtures, other_images, random_masks
from analogff.forward_forward.losses import LOSSES, SCFF_PENALTY, SCFF_SLACK, scff
from analogff.forward_forward.peer_normalization import Peers
from analogff.learning import flows, step_work
from analogff.learning.batch import Batch
from analogff.learning.layer_local import LayerLocal, LayerLocalOptions
from analogff.learning.layer_order import OrderOptions, is_pipelined, make_order
from analogff.learning.rule import refuse_idle
from analogff.learning.search_space import LogUniform
from analogff.network import chain
from analogff.network.forward import Passed
from analogff.slopes.slopes import Reading
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Visit


class UnsupervisedForwardForwardOptions(OrderOptions, LayerLocalOptions):
    """Options of Forward-Forward without labels."""

    goodness: Literal["mean", "sum"] = "mean"
    """Mean or sum of the squares of a layer's activities."""
    loss: Literal["hinton", "symba", "swish", "scff"] = "swish"
    """Loss that compares positive and negative goodness."""
    learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.001
    """Learning rate, until it begins to fall."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0
    """Factor on the goodness in the loss."""
    theta: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """Threshold of losses `hinton` and `scff` for a mean of squares; a sum uses this times the layer's width."""
    slack: Annotated[float, Field(ge=0, allow_inf_nan=False)] = SCFF_SLACK
    """Distance of the negative threshold of loss `scff` above theta."""
    penalty: Annotated[float, Field(ge=0, allow_inf_nan=False)] = SCFF_PENALTY
    """Factor on the penalty of positive goodness in loss `scff`."""
    negatives: Literal["hybrid", "mixed"] = "hybrid"
    """Mixtures of two images: cut along a random mask (`hybrid`), or superposed (`mixed`)."""
    blurs: Annotated[int, Field(ge=0, le=MOST_BLURS)] = 6
    """Number of blurs of the random mask of `hybrid` negatives."""
    peer_strength: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Strength of peer normalization: the pull of each neuron's mean activity to that of its layer. Hinton's is
    0.03."""
    head_from: Annotated[int, Field(ge=1)] = 2
    """First layer whose activities the softmax head receives, with all later ones. A single layer is always used."""
    head_learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.003
    """Learning rate of the softmax head, the only part that uses labels."""

    @field_validator("batch")
    @classmethod
    def _images_have_partners(cls, value):
        if value < 2:
            raise ValueError("at least 2 images, since one alone is its own negative")
        return value

    @field_validator("theta")
    @classmethod
    def _theta_is_used(cls, value, info):
        if info.data.get("loss") == "scff":
            return value
        return refuse_idle(cls, info, value, user="loss", used_by="hinton")

    @field_validator("slack", "penalty")
    @classmethod
    def _threshold_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="loss", used_by="scff")

    @field_validator("blurs")
    @classmethod
    def _blurs_are_used(cls, value, info):
        return refuse_idle(cls, info, value, user="negatives", used_by="hybrid")


class UnsupervisedForwardForward(LayerLocal[UnsupervisedForwardForwardOptions, GoodnessObjective]):
    r"""Layers that distinguish images from mixtures of two images, with a linear head on their activities.

    .. math::
        \Delta W_{ji} \propto -\sum_s \frac{\partial L}{\partial G_s} \tfrac2n\, y_{sj} f'(a_{sj})\, x_{si}, \quad
        p(c) = \mathrm{softmax}_c (V [\hat y_k, \dots, \hat y_L])

    The head learns from labels by the delta rule, on the activities of the positive pass. No gradient of it reaches the
    layers: it shows what a linear classifier finds in them. If layers take turns (`order`), it learns with the last
    one, since only then all its inputs are read. Not for images whose classes differ in texture rather than in shape:
    hybrids have the texture of images.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle), made as `layer_shapes` says.
        options: See `UnsupervisedForwardForwardOptions`.
        seed: Draws the pairs and the masks.

    Raises:
        ValueError: If the sizes of the network are not those of `layer_shapes`, or hybrids would be cut out of a table.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), section 3.2; negatives `mixed`: Chen, Liu, Laydevant &
        Grollier, Self-Contrastive Forward-Forward (Nature Communications 16, 5978, 2025).
    """

    name = "unsupervised-forward-forward"
    Options = UnsupervisedForwardForwardOptions

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed, order=make_order(options.order, len(network.layers)))
        _refuse_table(options, network.image)
        sheets = [layer.datasheet for layer in network.layers]
        *_, (hears, _) = self.layer_shapes(options, sheets[0].n_in, [s.n_out for s in sheets], network.classes)
        if network.head.datasheet.n_in != hears:
            raise ValueError(
                f"Expected a head with {hears} inputs, one for each neuron of the layers from head_from on. Got "
                f"{network.head.datasheet.n_in}. Fabricate the chips with the shapes of this rule's wiring."
            )
        self.first = _first_heard(options.head_from, len(sheets))
        self.objectives = [_objective(options, sheet.n_out) for sheet in sheets]
        self.head = self.delta_head(options.head_learning_rate)

    @classmethod
    @override
    def check_data(cls, options, n_in, classes, image):
        _refuse_table(options, image)

    @classmethod
    def layer_shapes(cls, options, n_in: int, widths: Sequence[int], classes: int) -> list[tuple[int, int]]:
        """Return inputs and outputs of every layer; the head receives several.

        Raises:
            ValueError: If there are not so many layers.
        """
        options.refuse_depth(widths)
        heard = sum(widths[_first_heard(options.head_from, len(widths)) :])
        return [*chain([n_in, *widths], classes)[:-1], (heard, classes)]

    @classmethod
    @override
    def pass_clocks(cls, options):
        return () if is_pipelined(options) else ("pass", "interleaved")

    @classmethod
    @override
    def stage_work(cls, options, shapes, batch, learning):
        *hidden, (_, classes) = shapes
        heard = range(_first_heard(options.head_from, len(hidden)), learning.stop)
        parts = [step_work.passing(hidden[: learning.stop], 2 * batch), _negatives_work(options, batch, shapes[0][0])]
        parts += [cls.layer_work(options, hidden[n], 2 * batch, classes) for n in learning]
        parts += [work.normalization(batch, hidden[n][1]) for n in heard]
        if learning.stop == len(hidden):
            parts.append(step_work.delta_head(options, shapes[-1], batch))
        return work.total(parts)

    @classmethod
    @override
    def stage_dataflow(cls, options, shapes, batch, learning):
        *hidden, (_, classes) = shapes
        flow = super().stage_dataflow(options, shapes, 2 * batch, learning)  # of positives and negatives alike
        (phase,) = flow.phases
        (both,) = phase.passes
        made = flows.jobs(2 * batch, negatives=_negatives_work(options, batch, shapes[0][0]))
        first = dataclasses.replace(both.visits[0], before=(*made, *both.visits[0].before))
        passes, updates = [dataclasses.replace(both, vectors=2, visits=(first, *both.visits[1:]))], phase.updates
        heard = range(_first_heard(options.head_from, len(hidden)), learning.stop)
        normalized = flows.jobs(1, normalization=work.total(work.normalization(1, hidden[n][1]) for n in heard))
        if learning.stop == len(hidden):
            head = dataclasses.replace(flows.delta_head(shapes, batch), before=normalized)
            passes.append(Pass(name="head", visits=(head,), awaits=(both.name,)))
            updates += flows.updates(options, {len(hidden): shapes[-1]})
        elif normalized:
            heard_by = Visit(layer=learning.stop - 1, before=normalized)
            passes.append(Pass(name="heard", visits=(heard_by,), awaits=(both.name,)))
        return Dataflow(batch=batch, phases=(dataclasses.replace(phase, passes=tuple(passes), updates=updates),))

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        return super().kept_bytes(options, shapes, 2 * batch)

    @classmethod
    @override
    def objective_work(cls, options, vectors, n, classes):
        judged = judging_work(GOODNESS[options.goodness].operations, vectors, n)
        return judged + Peers.work(vectors, n) if options.peer_strength else judged

    @classmethod
    @override
    def learns_soft_labels(cls, options):
        return True

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"head_learning_rate": LogUniform(1e-4, 1e-2)}

    @override
    def step(self, images, labels):
        both, batch = torch.cat([images, self.negatives(images)]), Batch(kinds=2)
        return self.descend(self._heard(self.forward(self.network.present(both), batch), labels), batch)

    def _heard(self, signal: Iterator[Passed[Reading]], labels: torch.Tensor) -> Iterator[Passed[Reading]]:
        """Let the head learn from the positive half of a signal that passes all layers."""
        heard, batch = [], len(labels)
        for passed in signal:
            if passed.layer >= self.first:
                positives, squares = passed.y[:, :batch], passed.mean_squares[:, :batch]
                normalized = self.network.normalized(positives, squares, layer=passed.layer, beside=self.network.head)
                heard.append(normalized)
            if passed.layer == len(self.network.layers) - 1:
                self.head.learn(torch.cat(heard, -1), labels)
            yield passed

    def negatives(self, images: torch.Tensor) -> torch.Tensor:
        """Draw a negative for each image, ``(batch, n_in)``, the same for all chips."""
        self.network.layers[0].compute(*_negatives_work(self.options, *images.shape))
        others = images[other_images(len(images), self.generator).to(images.device)]
        if self.options.negatives == "mixed":
            return mixtures(images, others)
        assert self.network.image is not None  # the constructor refuses a table
        masks = random_masks(len(images), self.network.image, self.options.blurs, self.generator)
        return hybrids(images, others, masks.to(images.device))

    @override
    def predict(self, images):
        return self.scores(images).argmax(-1)

    @override
    def scores(self, images):
        passes = self.network.forward(self.network.present(images))
        heard = [self.network.onward(passed) for passed in passes if passed.layer >= self.first]
        return self.network.head.measure(torch.cat(heard, -1))


def _negatives_work(options: UnsupervisedForwardForwardOptions, batch: int, n: int) -> Work:
    """Return the digital work of negatives: a mean of two images, or a choice by a mask blurred by three taps."""
    operations = 2 if options.negatives == "mixed" else 6 * options.blurs + 2
    return work.elementwise(batch * n, operations=operations, operands=2)


def _refuse_table(options: UnsupervisedForwardForwardOptions, image: ImageShape | None) -> None:
    """Refuse to cut hybrids out of what is no picture.

    Raises:
        ValueError: If it would come to that.
    """
    if options.negatives == "hybrid" and image is None:
        raise ValueError(
            "Expected images (n, height, width), which hybrids are cut out of. Got a table, whose columns are in no "
            'place. Take negatives = "mixed".'
        )


def _objective(options: UnsupervisedForwardForwardOptions, width: int) -> GoodnessObjective:
    """Return what a layer learns from; thresholds of a sum are those of a mean times the width."""
    times = width if options.goodness == "sum" else 1
    loss = LOSSES[options.loss]
    if options.loss == "scff":
        loss = functools.partial(scff, slack=options.slack * times, penalty=options.penalty)
    measure = GOODNESS[options.goodness]
    return GoodnessObjective(
        measure=measure,
        loss=loss,
        scale=options.scale,
        theta=options.theta * times,
        peers=Peers(options.peer_strength) if options.peer_strength else None,
    )


def _first_heard(head_from: int, layers: int) -> int:
    """Return the index of the first layer that the head receives.

    Raises:
        ValueError: If there is no such layer.
    """
    default = UnsupervisedForwardForwardOptions.model_fields["head_from"].default
    if head_from > layers and head_from != default:
        raise ValueError(
            f"Expected head_from to be one of the {layers} layers. Got {head_from}. Take {layers} for the last."
        )
    return min(head_from, layers) - 1
