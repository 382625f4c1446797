"""PhyLL: physics that nobody trains, with digital lines behind it that learn from positive and negative inputs."""

import functools
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.device import Observable, outer, product
from analogff.forward_forward.digital_work import votes_work
from analogff.forward_forward.goodness import Cosine, MeanSquare, make_goodness
from analogff.forward_forward.goodness_objective import GoodnessObjective, judging_work
from analogff.forward_forward.labels import Labels
from analogff.forward_forward.losses import symba
from analogff.forward_forward.negatives import random_labels
from analogff.learning import flows, step_work
from analogff.learning.adam import Adam
from analogff.learning.batch import Batch
from analogff.learning.layer_local import mean_loss
from analogff.learning.rule import Rule, RuleOptions
from analogff.learning.search_space import LogUniform
from analogff.network import Network
from analogff.network.normalization import mean_square
from analogff.system import WORD_BYTES, Work, work
from analogff.timeline import Dataflow, Pass, Phase, Visit
from analogff.timing import Inference

ROWS_AT_ONCE = 1000
"""Input vectors of one read when labels are tried."""


class PhyllOptions(RuleOptions):
    """Options of PhyLL."""

    learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.001
    """Learning rate of Adam for the digital lines, before its decay."""
    goodness: Literal["cosine", "mean"] = "cosine"
    """Goodness of a layer: cosine of its output with a fixed random direction, or its mean of squares."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        default_factory=lambda given: 12.0 if given.get("goodness") == "mean" else 4.0
    )
    """Factor on the goodness in the loss: theta. Its default is 4 for a cosine and 12 for a mean of squares."""
    inner_steps: Annotated[int, Field(ge=1)] = 10
    """Digital steps from every batch; the physics is read once for all of them."""
    labels: Literal["overlay", "lines"] = "overlay"
    """Where labels enter. `overlay`: over the first pixels. `lines`: on separate input lines."""
    label_strength: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Factor on the one-hot label."""

    @field_validator("optimizer")
    @classmethod
    def _lines_learn_by_adam(cls, value):
        if value != "adam":
            raise ValueError('"adam", by which the digital lines learn')
        return value

    @field_validator("write")
    @classmethod
    def _nothing_is_written(cls, value):
        if value != "digital":
            raise ValueError('"digital" for a rule that leaves the chip as it was fabricated, and writes nothing')
        return value


class _Reading(NamedTuple):
    """What a layer passed on."""

    y: torch.Tensor
    """Absolute values of the lines' outputs, ``(chips, batch, n_out)``."""
    loss: torch.Tensor
    """The loss before the layer learned, ``(chips,)``; 0 where it did not."""


class Phyll(Rule[PhyllOptions]):
    r"""Fixed physics, and a digital linear map of what went in and what came out.

    .. math:: o_l = A_l \,[f_l(h_l), h_l], \qquad h_{l+1} = |o_l| / \mathrm{rms}, \qquad
              G_l = \frac{p_l \cdot |o_l|}{|o_l|}, \qquad L_l = \log\left(1 + e^{-\theta (G_l^+ - G_l^-)}\right)

    with the chip's answer ``f`` at the weights as fabricated, which are never written and never differentiated, and a
    fixed random direction ``p``. Positive inputs carry their own label, negative ones a wrong one. Classification
    tries every label. Only ``A`` learns, in digital logic: ``n_out (n_out + n_in)`` multiply-adds an input and inner
    step, three times. It counts as digital work, and the reads of the chip are those of inference.

    ``h`` goes past the physics. Whether that does anything shows only beside the control without a device.

    Args:
        network: Sealed at ACTIVITY.
        options: See `PhyllOptions`.
        seed: Draws ``A`` to begin with, the directions and the wrong labels, the same for all chips.

    Reference:
        Momeni et al., Backpropagation-free training of deep physical neural networks (Science 382, 2023, 1297), and
        the authors' code: theta 4 to 5, Adam 5e-5 to 5e-4, 10 to 25 inner steps. Theirs normalizes to length 1.
    """

    name = "phyll"
    Options = PhyllOptions

    state_names = ("lines",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.labels = Labels(options.labels, network.classes, options.label_strength)
        self.lines = [Lines(network, n, options, seed, self.generator) for n in range(len(network.layers))]

    @classmethod
    @override
    def needs(cls, options):
        return Observable.ACTIVITY

    @classmethod
    @override
    def schedule(cls, options):
        return Inference()

    @classmethod
    @override
    def uses_head(cls, options):
        return False

    @classmethod
    @override
    def check_data(cls, options, n_in, classes, image):
        Labels(options.labels, classes).refuse(n_in, image)

    @classmethod
    @override
    def layer_shapes(cls, options, n_in, widths, classes):
        return Labels(options.labels, classes).layer_shapes(n_in, widths)

    @classmethod
    @override
    def written_over(cls, options, classes):
        return Labels(options.labels, classes).over

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        *hidden, _ = shapes
        learned = [_learning_work(options, shape, 2 * batch).times(options.inner_steps) for shape in hidden]
        passed = [_lines_work(shape, 2 * batch) for shape in hidden]
        return work.total([step_work.passing(hidden, 2 * batch), *learned, *passed])

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        visits = []
        for n, shape in enumerate(shapes[:-1]):
            learned = _learning_work(options, shape, 2 * batch).times(options.inner_steps)
            visit = Visit(
                layer=n,
                before=flows.normalizing(shape[0]),
                reads=1,
                after=flows.jobs(2 * batch, digital_lines=learned + _lines_work(shape, 2 * batch)),
                kept_bytes=_kept(shape, 1),
            )
            visits.append(visit)
        passes = (Pass(name="learning", visits=tuple(visits), vectors=2, whole_steps=True),)
        return [Dataflow(batch=batch, phases=(Phase(passes=passes, barrier=False),))]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return the lines and their registers, and what one layer holds of positive and negative inputs."""
        *hidden, _ = shapes
        cells = sum((n_in + n_out) * n_out for n_in, n_out in hidden)
        registers = work.adam_bytes(cells, decay=bool(options.update_decay)) + WORD_BYTES * cells
        return registers + max(_kept(shape, 2 * batch) for shape in hidden)

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"scale": LogUniform(1.0, 30.0)}

    @override
    def step(self, images, labels):
        wrong = random_labels(labels, self.network.classes, self.generator)
        images = self.labels.make_room(images)
        both = torch.cat([self.labels.write_one(images, each) for each in (labels, wrong)])
        return mean_loss([passed.reading.loss for passed in self._signal(both, learning=True)])

    @override
    def predict(self, images):
        return self.scores(images).argmax(-1)

    @override
    def scores(self, images):
        return torch.stack(self._votes(images)).sum(0)

    @override
    def goodness(self, images, labels):
        return self._goodness(self.labels.write_one(self.labels.make_room(images), labels))

    @override
    def answers_by_layer(self, images):
        return torch.stack([votes.argmax(-1) for votes in self._votes(images)])

    def _votes(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return what each layer makes of every label, ``(chips, batch, classes)`` each."""
        classes, images = self.network.classes, self.labels.make_room(images)
        parts = []
        for some in images.split(max(1, ROWS_AT_ONCE // classes)):
            labels = torch.arange(classes, device=images.device).repeat_interleave(len(some))
            found = self._goodness(self.labels.write_one(some.repeat(classes, 1), labels))
            parts.append([goodness.unflatten(1, (classes, -1)).mT for goodness in found])
        return [self.options.scale * torch.cat(of_layer, dim=1) for of_layer in zip(*parts, strict=True)]

    def _goodness(self, labeled: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for passed in self._signal(labeled, learning=False):
            self.network.layers[passed.layer].compute(*votes_work(*passed.y.shape[1:]))
            found.append(self.lines[passed.layer].objective.measure.of(passed.y, passed.mean_squares))
        return found

    def _signal(self, labeled: torch.Tensor, *, learning: bool):
        """Send labeled images through physics and lines; each layer learns on the way, or not."""
        reads = [functools.partial(lines.read, rate=self._rate() if learning else None) for lines in self.lines]
        return self.network.forward(self.network.present(labeled), reads)

    def _rate(self) -> float:
        return self.options.learning_rate * self.fade


class Lines:
    r"""A layer's physics with its digital map, ``o = A [f(h), h]``; see `Phyll`.

    Args:
        network: The chips.
        layer: Which layer.
        options: Of the rule.
        seed: Decides the direction of a cosine.
        generator: Draws ``A`` to begin with, ``N(0, 1/(n_in + n_out))``, the same for all chips.
    """

    state_names = ("weights", "optimizer")

    def __init__(self, network: Network, layer: int, options: PhyllOptions, seed: int, generator: torch.Generator):
        self.chip, self.options = network.layers[layer], options
        sheet = self.chip.datasheet
        lines = sheet.n_in + sheet.n_out
        start = torch.randn(sheet.n_out, lines, generator=generator) / lines**0.5
        self.weights = start.to(self.chip.torch_device).repeat(network.chips, 1, 1)
        self.optimizer = Adam(tuple(self.weights.shape), self.chip.torch_device, options.update_decay)
        measure = make_goodness(options.goodness, layer, sheet.n_out, seed)
        self.objective = GoodnessObjective(measure=measure, loss=symba, scale=options.scale, theta=0.0)

    def read(self, h: torch.Tensor, rate: float | None) -> _Reading:
        """Read the physics once, learn from halves of positive and negative inputs at a rate, and pass on.

        Args:
            h: Inputs, ``(chips, batch, n_in)``.
            rate: Learning rate; None not to learn.
        """
        joined = torch.cat([self.chip.measure(h), h], dim=-1)
        losses = [] if rate is None else [self._learn(joined, rate) for _ in range(self.options.inner_steps)]
        shape = (self.chip.datasheet.n_in, self.chip.datasheet.n_out)
        self.chip.compute(*_lines_work(shape, h.shape[1]))
        return _Reading(product(joined, self.weights).abs(), losses[0] if losses else joined.new_zeros(len(joined)))

    def _learn(self, joined: torch.Tensor, rate: float) -> torch.Tensor:
        """Take one step, and return the loss before it."""
        shape = (self.chip.datasheet.n_in, self.chip.datasheet.n_out)
        self.chip.compute(*_learning_work(self.options, shape, joined.shape[1]))
        output = product(joined, self.weights)
        y = output.abs()
        loss, gradient = self.objective.judge(y, mean_square(y), Batch())
        self.weights.add_(self.optimizer.step(outer(gradient * output.sign(), joined), rate))
        return loss


def _lines_work(shape: step_work.Shape, vectors: int) -> Work:
    """Return the digital work of what lines pass on: a product and absolute values."""
    n_in, n_out = shape
    absolute = work.elementwise(vectors * n_out, operations=1, operands=1)
    return work.product(vectors, n_in + n_out, n_out) + absolute


def _learning_work(options: PhyllOptions, shape: step_work.Shape, vectors: int) -> Work:
    """Return that of an inner step: outputs, goodness and loss, signs, outer products, and Adam."""
    n_in, n_out = shape
    cells = (n_in + n_out) * n_out
    operations = Cosine.operations if options.goodness == "cosine" else MeanSquare.operations
    judged = judging_work(operations, vectors, n_out) + work.modulation(vectors * n_out)
    taught = work.outer(vectors, n_in + n_out, n_out) + work.adam(cells, decay=bool(options.update_decay))
    return _lines_work(shape, vectors) + judged + taught + work.elementwise(cells, operations=1, operands=2)


def _kept(shape: step_work.Shape, vectors: int) -> int:
    """Return the bytes of inputs, of what the physics answered, of outputs and their errors."""
    return WORD_BYTES * vectors * (shape[0] + 3 * shape[1])
