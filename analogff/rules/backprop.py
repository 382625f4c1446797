"""Backprop on a chip: through a twin, deployed from a model, and the oracle bound."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator
from typing_extensions import override

from analogff.device import Observable, Sealed, derive_seed
from analogff.learning import flows, step_work
from analogff.learning.backward import (
    BackwardView,
    InModel,
    ThroughFit,
    ThroughOracle,
    ThroughProbes,
    ThroughTwin,
    carry_back,
    noise_work,
)
from analogff.learning.head import cross_entropy_of_chips, softmax_error
from analogff.learning.rule import Rule, RuleOptions, refuse_idle, refuse_unless
from analogff.learning.search_space import Choice, Range, Uniform
from analogff.network import logit_scale
from analogff.network.beliefs import Belief
from analogff.network.fitted_curve import OPERATIONS, Share
from analogff.network.twin import PRINTED_OPERATIONS, Twin, believed, recording_work, response_work
from analogff.slopes.make import make_slope
from analogff.slopes.max_step import Limit, limits
from analogff.system import Work, work
from analogff.timeline import Dataflow, Job, Pass, Phase, Update, Visit
from analogff.timing import UpdateAfterPass


class BackpropOptions(RuleOptions):
    """Options of backprop."""

    learning_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.001
    """Learning rate, before its decay."""
    through: Literal["twin", "fitted", "probed", "deployed", "oracle"] = "twin"
    """Path of the errors, while the chip runs forward (physics-aware training). `twin`: back through a model. `fitted`:
    through a model whose curves are fitted to reads. `probed`: through slopes probed beside each read and the register
    of requested weights. `oracle`: through the true derivative, a bound. `deployed`: forward and back in a model, which
    is then programmed onto the chip."""
    believes: Belief = "datasheet"
    """The curve that `twin` and `deployed` believe neurons to have: the printed one, or another, right or wrong."""
    believed_steepness: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Factor on the sums in the believed curve, to study a wrong one; 1 for the curve as it is."""
    believed_offset: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    """Shift of the sums in the believed curve, before that factor; a sum is typically 1."""
    noise_aware: bool = True
    """Whether `deployed` trains with the noise of the datasheet (hardware-aware training)."""
    fine_tune_from: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the training after which `deployed` continues on the chip, as `twin` does; 1 for never."""
    fit_reads: Annotated[int, Field(ge=50)] = 1000
    """Vectors read of each layer for `fitted`, before learning begins."""
    fit: Share = "layer"
    """Whether `fitted` takes one curve for the neurons of a layer, or one for each."""
    probe: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["measured"] = "measured"
    """Bias between the two reads of a probe, for `probed`; see forward-forward."""
    max_step: Limit = "auto"
    """How far one step may move a weighted sum. `free`: as far as the learning rate takes it. `measured`: at most 0.3
    of the way to where slopes turn, which each layer of each chip shows under biases before it learns. `auto`: measured
    where the rule sees slopes and the chip has a bias port, else free."""

    @field_validator("believes", "believed_steepness", "believed_offset")
    @classmethod
    def _belief_is_used(cls, value, info):
        through = info.data.get("through")
        return refuse_unless(through in ("twin", "deployed", None), cls, info, value, 'through = "twin"')

    @field_validator("noise_aware", "fine_tune_from")
    @classmethod
    def _deployment_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="through", used_by="deployed")

    @field_validator("fit_reads", "fit")
    @classmethod
    def _fit_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="through", used_by="fitted")

    @field_validator("probe")
    @classmethod
    def _probe_is_used(cls, value, info):
        return refuse_idle(cls, info, value, user="through", used_by="probed")


class Backprop(Rule[BackpropOptions]):
    r"""Gradient descent on the cross-entropy of the head.

    .. math:: \delta_l = f'_l \circ N_l^T W_{l+1}^T \delta_{l+1}, \qquad \Delta W_l \propto -\delta_l x_l^T

    with ``N`` the known normalization, and ``f'``, ``W`` as selected by `through`. Where a device knows what neurons do
    to each other (`Device.pullback`), `oracle` has the transposed Jacobian in place of ``f'``. All but `oracle` begin
    by programming their initial weights; `deployed` programs its model after every epoch.

    Args:
        network: Sealed at TWIN (`believes` the datasheet), ACTIVITY (another curve, or `fitted`), PROBE (`probed`, and
            at least that with a measured `max_step`) or ORACLE.
        options: See `BackpropOptions`.
        seed: Draws the weights to begin with.

    Reference:
        twin: Wright et al., Nature 601 (2022), methods, "physics-aware training". deployed: Rasch et al., Nature
        Communications 14 (2023), hardware-aware training.
    """

    name = "backprop"
    Options = BackpropOptions
    descends = "output"
    convolves = True

    state_names = ("backward_views", "max_steps")
    measured_names = ("max_steps",)

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.backward_views = [self._view(optimizer.layer, n) for n, optimizer in enumerate(self.optimizers)]
        in_model = options.through == "deployed" and options.max_step == "auto"  # no reads while it learns
        choice = "free" if in_model else options.max_step
        self.max_steps = limits(choice, network.layers, options.learning_rate)
        self.finish_epoch()

    @classmethod
    @override
    def needs(cls, options):
        seen = {"fitted": Observable.ACTIVITY, "probed": Observable.PROBE, "oracle": Observable.ORACLE}
        belief = Observable.TWIN if options.believes == "datasheet" else Observable.ACTIVITY
        limited = Observable.PROBE if options.max_step == "measured" else Observable.ACTIVITY
        return max(seen.get(options.through, belief), limited)

    @classmethod
    @override
    def programs(cls, options):
        return options.through != "oracle"

    @classmethod
    @override
    def learns_soft_labels(cls, options):
        return True

    @classmethod
    @override
    def schedule(cls, options):
        return UpdateAfterPass()

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        head = len(shapes) - 1
        parts = [step_work.passing(shapes, batch), work.softmax_error(batch, shapes[-1][1])]
        for n, (n_in, n_out) in enumerate(shapes):
            parts += [work.modulation(batch * n_out), step_work.descent(options, (n_in, n_out), batch)]
            parts.append(_view_work(options, (n_in, n_out), batch, digital=n == head))
            if n > 0:
                parts += [work.product(batch, n_out, n_in), work.normalization_backward(batch, n_in)]
        return work.total(parts)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        reads = {"deployed": 0, "probed": 3}.get(options.through, 1)
        head, ahead, behind = len(shapes) - 1, [], []
        for n, shape in enumerate(shapes):
            known = _view_work(options, shape, batch, digital=n == head)
            ahead.append(
                Visit(
                    layer=n,
                    before=flows.normalizing(shape[0]),
                    reads=reads if n < head else min(reads, 1),
                    then=flows.jobs(batch, softmax_error=work.softmax_error(batch, shape[1]) if n == head else Work()),
                    after=flows.jobs(batch, twin=known),
                    kept_bytes=step_work.activities(shape, 1),
                    kept_until="errors",
                )
            )
            normalized = work.normalization_backward(1, shape[1]) if n < head else Work()
            behind.append(
                Visit(
                    layer=n,
                    before=flows.jobs(1, normalization=normalized, error=work.modulation(shape[1])),
                    back=Job("errors back", work.product(batch, shape[1], shape[0]).times(1 / batch)) if n else None,
                    after=flows.descending(shape, batch),
                )
            )
        passes = (
            Pass(name="forward", visits=tuple(ahead)),
            Pass(name="errors", visits=tuple(reversed(behind)), awaits=("forward",)),
        )
        return [Dataflow(batch=batch, phases=(Phase(passes=passes, updates=_updates(options, shapes)),))]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, the activities of all layers, and what is believed of the weights."""
        believed = 0 if options.through == "oracle" else step_work.weights(shapes)
        activities = sum(step_work.activities(shape, batch) for shape in shapes)
        return step_work.registers(options, shapes) + activities + believed

    @classmethod
    @override
    def search_space(cls, options):
        own: dict[str, Range] = {"decay_from": Uniform(0.0, 1.0)}
        if options.through == "deployed":
            own["noise_aware"] = Choice((True, False))
        elif cls.needs(options) >= Observable.PROBE:
            own["max_step"] = Choice(("auto", "free"))
        return super().search_space(options) | own

    @override
    def step(self, images, labels):
        passed = list(self.network.forward(self.network.present(images), [v.respond for v in self.backward_views]))
        scale = logit_scale(self.network.head)
        logits = passed[-1].y * scale
        self.network.head.compute(*work.softmax_error(*logits.shape[-2:]))
        error = softmax_error(logits, labels) * scale
        carry_back(self.network, passed, self.backward_views, self.optimizers, error, self.max_steps)
        return cross_entropy_of_chips(logits, labels)

    @override
    def finish_epoch(self):
        for view in self.backward_views:
            view.finish_epoch()

    @override
    def advance(self, progress):
        super().advance(progress)
        for view in self.backward_views:
            if isinstance(view, InModel) and progress >= self.options.fine_tune_from:
                view.tune()

    def _view(self, layer: Sealed, index: int) -> BackwardView:
        given, seed = self.options, derive_seed(self.seed, "weights", index)
        if given.through == "oracle":
            return ThroughOracle(layer)
        if given.through == "fitted":
            return ThroughFit(layer, seed, given.fit_reads, given.fit)
        if given.through == "probed":
            return ThroughProbes(layer, seed, make_slope("probed", given.probe))
        steepness, offset = given.believed_steepness, given.believed_offset
        twin = Twin(layer, seed, believed(layer, given.believes, steepness=steepness, offset=offset))
        if given.through == "twin":
            return ThroughTwin(layer, twin)
        return InModel(layer, twin, self.generator if given.noise_aware else None)


def _updates(options: BackpropOptions, shapes: Sequence[step_work.Shape]) -> tuple[Update, ...]:
    """Return the updates of a step; a model is written onto the chip between epochs."""
    taught = flows.updates(options, dict(enumerate(shapes)))
    written = int(options.through != "deployed")
    return tuple(dataclasses.replace(update, writes=written) for update in taught)


def _view_work(options: BackpropOptions, shape: step_work.Shape, batch: int, *, digital: bool) -> Work:
    """Return the digital work of knowing a layer's derivative, and of keeping up with its weights."""
    if options.through == "oracle":
        return Work()
    numbers, recorded = batch * shape[1], recording_work(shape[0] * shape[1])
    if options.through == "probed":
        return recorded + work.difference(numbers * (not digital))
    fitted = options.through == "fitted" and not digital
    found = recorded + response_work(batch, *shape, OPERATIONS if fitted else PRINTED_OPERATIONS)
    noisy = options.through == "deployed" and options.noise_aware
    return found + noise_work(numbers).times(options.fine_tune_from) if noisy else found
