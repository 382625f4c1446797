"""Learning in which each layer follows a loss of its own activity."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Generic, Literal, TypeVar

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.learning import flows, step_work
from analogff.learning.batch import Batch
from analogff.learning.head import DeltaHead
from analogff.learning.layer_objective import LayerObjective
from analogff.learning.layer_order import InTurn, LayerOrder, OrderOptions, is_pipelined, stages
from analogff.learning.passes import apart, passed_together
from analogff.learning.rule import Rule, RuleOptions, refuse_unless
from analogff.learning.search_space import Choice
from analogff.network.forward import Passed, Read, Signal
from analogff.slopes.make import make_slope
from analogff.slopes.max_step import Limit, limits
from analogff.slopes.slopes import Activity, Assumed, Reading
from analogff.system import Work, work
from analogff.timeline import Dataflow, Job, Pass, Phase, Visit
from analogff.timing import LocalUpdates

NEEDS_PROBE = 'slope = "probed" or slope = "fitted"'


class LayerLocalOptions(RuleOptions):
    """Options of every rule that needs the slopes of a layer, and of no other."""

    slope: Literal["assumed", "probed", "fitted", "oracle"] = "probed"
    """Source of a neuron's slope. `assumed`: 1 where the activity is positive. `probed`: two biased reads. `fitted`:
    response curves that occasional probes update. `oracle`: the true slope, a bound."""
    probe: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["measured"] = "measured"
    """Bias between the two reads of a probe, in units of the weighted sum. `measured`: from noise and curvature, for
    each layer of each chip."""
    activity: Activity = "read"
    """Activity that a probed layer passes on. `read`: a third read, without a bias. `mean`: the mean of the two
    biased reads, which saves a read but differs from the output in use."""
    max_step: Limit = "auto"
    """How far one step may move a weighted sum. `free`: as far as the learning rate takes it. `measured`: at most 0.3
    of the way to where slopes turn, which each layer of each chip shows under biases before it learns. `auto`: measured
    where the rule sees slopes and the chip has a bias port, else free."""

    unseen: ClassVar[tuple[str, ...]] = ("assumed", "one", "cosine")
    """Slopes with which a rule is sealed below PROBE."""

    @field_validator("probe", "activity")
    @classmethod
    def _probe_is_used(cls, value, info):
        return refuse_unless(info.data.get("slope") in ("probed", "fitted", None), cls, info, value, NEEDS_PROBE)

    @field_validator("max_step")
    @classmethod
    def _slopes_are_seen_to_turn(cls, value, info):
        if value == "measured" and (slope := info.data.get("slope")) in cls.unseen:
            raise ValueError(f'"auto" or "free" beside slope = "{slope}", which sees no slope turn')
        return value

    def refuse_depth(self, widths: Sequence[int]) -> None:
        """Refuse options that do not fit the number of hidden layers.

        Raises:
            ValueError: If they do not; says what would.
        """


O = TypeVar("O", bound=LayerLocalOptions)  # noqa: E741
J = TypeVar("J", bound=LayerObjective)


class LayerLocal(Rule[O], Generic[O, J]):
    r"""A rule whose layers each learn from a loss of their own.

    .. math:: \Delta W_l \propto -\sum_b \left(\frac{\partial L_l}{\partial y_{lb}} \circ f'(a_{lb})\right) x_{lb}^T

    with ``f'`` as the option `slope` says. A subclass sets `objectives` in its constructor, one a layer. The step given
    here presents the images as they are, and hands the labels to the objectives.

    Args:
        network: Sealed at ACTIVITY (slope assumed), PROBE (probed) or ORACLE (oracle).
        options: See `LayerLocalOptions`.
        seed: The learning seed.
        order: Which layers learn when; all at every step if None.

    Raises:
        ValueError: If an option does not fit the number of layers.
    """

    descends = "layers"
    state_names = ("slopes", "head_slope", "max_steps", "objectives")
    measured_names = ("slopes", "head_slope", "max_steps")

    def __init__(self, network, options, *, seed, order: LayerOrder | None = None):
        super().__init__(network, options, seed=seed)
        options.refuse_depth([layer.datasheet.n_out for layer in network.layers])
        *self.slopes, self.head_slope = [
            make_slope(options.slope, options.probe, options.activity) for _ in (*network.layers, network.head)
        ]
        *self.layer_optimizers, self.head_optimizer = self.optimizers
        self.max_steps = limits(options.max_step, network.layers, options.learning_rate)
        self.order = order or InTurn(len(network.layers), len(network.layers))
        self.objectives: Sequence[J] = ()

    @classmethod
    @override
    def needs(cls, options):
        return make_slope(options.slope, options.probe).needs

    @classmethod
    @override
    def schedule(cls, options):
        return LocalUpdates()

    @classmethod
    @override
    def layer_shapes(cls, options, n_in, widths, classes):
        options.refuse_depth(widths)
        return super().layer_shapes(options, n_in, widths, classes)

    @classmethod
    @override
    def can_bank(cls, options):
        return options.slope != "fitted"

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        """Return the mean over the stages of an order."""
        layers = len(shapes) - 1
        parts = stages(options.order, layers) if isinstance(options, OrderOptions) else [range(layers)]
        return work.total(cls.stage_work(options, shapes, batch, part) for part in parts).times(1 / len(parts))

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        layers = len(shapes) - 1
        parts = stages(options.order, layers) if isinstance(options, OrderOptions) else [range(layers)]
        return [cls.stage_dataflow(options, shapes, batch, part) for part in parts]

    @classmethod
    def stage_dataflow(cls, options: O, shapes: Sequence[step_work.Shape], batch: int, learning: range) -> Dataflow:
        """Return the dataflow of a step in which some layers learn; see `dataflows`."""
        visits = [
            Visit(layer=n, before=flows.normalizing(shapes[n][0]), reads=1)
            if n not in learning
            else cls.learning_visit(options, n, shapes[n], batch, shapes[-1][1])
            for n in range(learning.stop)
        ]
        dropped = cls.input_jobs(options, shapes[0][0])
        visits[0] = dataclasses.replace(visits[0], before=(*dropped, *visits[0].before))
        passing = Pass(name="learning", visits=tuple(visits), whole_steps=is_pipelined(options))
        taught = flows.updates(options, {n: shapes[n] for n in learning})
        return Dataflow(batch=batch, phases=(Phase(passes=(passing,), updates=taught, barrier=False),))

    @classmethod
    def input_jobs(cls, options: O, n_in: int) -> tuple[Job, ...]:
        """Return digital work on an image before the first layer's normalization."""
        return ()

    @classmethod
    def learning_visit(cls, options: O, layer: int, shape: step_work.Shape, vectors: int, classes: int) -> Visit:
        """Return what one of a step's vectors has a layer do that learns."""
        n = shape[1]
        return Visit(
            layer=layer,
            before=flows.normalizing(shape[0]),
            reads=flows.reads(options.slope, options.activity),
            after=(
                *flows.jobs(
                    vectors,
                    slopes=step_work.reading(options.slope, options.activity, vectors, n),
                    goodness=cls.objective_work(options, vectors, n, classes),
                    error=work.modulation(vectors * n),
                ),
                *flows.descending(shape, vectors),
            ),
            kept_bytes=step_work.activities(shape, 1),
        )

    @classmethod
    def stage_work(cls, options: O, shapes: Sequence[step_work.Shape], batch: int, learning: range) -> Work:
        """Return the digital work of a step in which some layers learn; see `digital_work`."""
        passing = step_work.passing(shapes[: learning.stop], batch)
        classes = shapes[-1][1]
        return passing + work.total(cls.layer_work(options, shapes[n], batch, classes) for n in learning)

    @classmethod
    def layer_work(cls, options: O, shape: step_work.Shape, vectors: int, classes: int) -> Work:
        """Return the digital work of a layer that is read with its slopes and takes a step."""
        judged = cls.judged_work(options, shape[1], vectors, classes)
        return judged + step_work.descent(options, shape, vectors)

    @classmethod
    def judged_work(cls, options: O, n: int, vectors: int, classes: int) -> Work:
        """Return that of finding what a layer descends: slopes, objective, and their product."""
        slopes = step_work.reading(options.slope, options.activity, vectors, n)
        return slopes + cls.objective_work(options, vectors, n, classes) + work.modulation(vectors * n)

    @classmethod
    def objective_work(cls, options: O, vectors: int, n: int, classes: int) -> Work:
        """Return the digital work of a layer's objective; see `LayerObjective.work`."""
        return Work()

    @classmethod
    @override
    def search_space(cls, options):
        limited = {} if options.slope in options.unseen else {"max_step": Choice(("auto", "free"))}
        return super().search_space(options) | limited

    @override
    def advance(self, progress):
        super().advance(progress)
        self.order.advance(progress)

    @override
    def finish_epoch(self):
        super().finish_epoch()
        self.order.finish_epoch()

    @override
    def step(self, images, labels):
        batch = Batch(labels=labels)
        return self.descend(self.forward(self.network.present(images), batch), batch)

    def descend(self, signal: Iterator[Passed[Reading]], batch: Batch) -> torch.Tensor:
        """Take every layer that learns one step down its loss, as the signal passes, and return the losses' mean.

        Args:
            signal: As `forward` gives it.
            batch: What is known of the batch.
        """
        due = self.order.due((passed, batch) for passed in signal)
        return mean_loss([self.learn(passed, own) for passed, own in due if passed.layer in self.order.learning])

    def forward(self, x: Signal, batch: Batch) -> Iterator[Passed[Reading]]:
        """Send a signal as far as there are layers that learn; these are read with their slopes.

        Where chips age between passes, each kind of inputs passes all layers before the next one does.
        """
        if batch.kinds > 1 and self.between_passes is not None:
            return self._forward_apart(x, batch)
        return self.network.forward(x, self._reads(), functools.partial(self.onward, batch=batch))

    def _forward_apart(self, x: Signal, batch: Batch) -> Iterator[Passed[Reading]]:
        kinds: list[list[Passed[Reading]]] = []
        for part, own in zip(apart(x, batch.kinds), batch.apart(), strict=True):
            if kinds:
                self.pass_over(part.shape[1])
            reads = self._reads(further=bool(kinds))
            kinds.append(list(self.network.forward(part, reads, functools.partial(self.onward, batch=own))))
        layers = zip(*kinds, strict=True)
        return (passed_together(parts, None if n else x) for n, parts in enumerate(layers))

    def _reads(self, *, further: bool = False) -> list[Read[Reading]]:
        """Return how each layer is read, for the first inputs of a step or for further ones."""
        learning, layers = self.order.learning, list(zip(self.network.layers, self.slopes, strict=True))
        slopes = [slope if n in learning else Assumed() for n, (_, slope) in enumerate(layers[: learning.stop])]
        return [
            functools.partial(slope.read_on if further else slope.read, layer)
            for (layer, _), slope in zip(layers, slopes, strict=False)
        ]

    def learn(self, passed: Passed[Reading], batch: Batch) -> torch.Tensor:
        """Take one layer one step down its loss, and return the loss."""
        objective, layer = self.objectives[passed.layer], self.network.layers[passed.layer]
        vectors, n = passed.y.shape[1:]
        layer.compute(*objective.work(vectors, n))
        layer.compute(*work.modulation(vectors * n))
        loss, gradient = objective.judge(passed.y, passed.mean_squares, batch)
        self.change(passed.layer, objective.back(passed.reading, gradient, batch), passed.x)
        return loss

    def change(self, layer: int, errors: torch.Tensor, x: Signal) -> None:
        """Take one layer one step down ``sum_b e_bj x_bi``, not too far."""
        if self.max_steps:
            self.layer_optimizers[layer].share = self.max_steps[layer].of(self.network.layers[layer], x)
        self.layer_optimizers[layer].descend(errors, x)

    def delta_head(self, learning_rate: float) -> DeltaHead:
        """Return a head that learns at a rate of its own, by the slopes that the layers go by."""
        self.head_optimizer.learning_rate = learning_rate
        return DeltaHead(self.network.head, self.head_optimizer, self.head_slope)

    def onward(self, passed: Passed, batch: Batch) -> torch.Tensor:
        """Return the next layer's inputs from a layer's activity."""
        return self.network.onward(passed)


def mean_loss(losses: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the mean of losses, ``(chips,)`` each, added one by one: all at once may round otherwise in a bank."""
    return functools.reduce(torch.add, losses) / len(losses)
