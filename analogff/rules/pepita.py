"""PEPITA: a second forward pass on inputs that the error of the first one has modulated."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from typing_extensions import override

from analogff.device import Observable, Sealed, derive_seed, product, whole
from analogff.learning import flows, step_work
from analogff.learning.head import cross_entropy_of_chips, softmax_error
from analogff.learning.rule import Rule, RuleOptions
from analogff.learning.search_space import Choice, LogUniform
from analogff.network.forward import Passed
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Phase, Visit
from analogff.timing import UpdateAfterPass


class PepitaOptions(RuleOptions):
    """Options of PEPITA."""

    form: Literal["modulated", "mixed"] = "modulated"
    """Which inputs the difference of activities is multiplied with: those of the modulated pass, or (`mixed`) each
    activity with the inputs of its own pass, so that nothing is kept from pass to pass but an update."""
    feedback: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.05
    """Half of the range of the feedback matrix, in units of ``sqrt(6 / n_in)``. Without noise, `modulated`
    learns better at 0.005."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability that an activity is silent in both passes of a training step; the authors' is 0.1."""


class Pepita(Rule[PepitaOptions]):
    r"""Layers that learn from what a modulation of the input by the error changes in their activity.

    .. math:: x' = x + F e, \qquad \Delta W_l \propto -\sum_b (h_{lb} - h'_{lb})\, h_{l-1,b}'^T, \qquad
              \Delta W_L \propto -\sum_b e'_b\, h_{L-1,b}'^T

    with ``h_0 = x``. Form `mixed` takes :math:`h_l h_{l-1}^T - h'_l h_{l-1}'^T` instead. Two forward passes a step,
    and no slope of any neuron. A modulated pixel may fall below 0, where the converter of a chip without
    ``signed_inputs`` cuts it off.

    Args:
        network: Sealed at ACTIVITY.
        options: See `PepitaOptions`.
        seed: Draws the feedback and the silent activities, the same for all chips.

    Reference:
        Dellaferrera & Kreiman, Error-driven input modulation (ICML 2022), equations 1 to 4; in the authors' code the
        last layer takes the error of the modulated pass. Mixed: Srinivasan et al., Forward learning with top-down
        feedback (arXiv 2302.05440), the time-local rule.
    """

    name = "pepita"
    Options = PepitaOptions
    descends = "output"
    convolves = True

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        n_in = network.layers[0].datasheet.n_in
        generator = torch.Generator().manual_seed(derive_seed(seed, "feedback"))
        uniform = 2 * torch.rand(n_in, network.classes, generator=generator) - 1
        self.feedback = (options.feedback * (6 / n_in) ** 0.5 * uniform).to(network.head.torch_device)

    @classmethod
    @override
    def needs(cls, options):
        return Observable.ACTIVITY

    @classmethod
    @override
    def schedule(cls, options):
        return UpdateAfterPass()

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        *hidden, (_, classes) = shapes
        both = step_work.passing(shapes, batch) + work.softmax_error(batch, classes)
        parts = [both.times(2), _modulation_work(batch, shapes[0][0], classes)]
        vectors = 2 * batch if options.form == "mixed" else batch
        for shape in hidden:
            parts += [_difference_work(options, batch * shape[1]), step_work.descent(options, shape, vectors)]
            parts.append(work.dropout(batch * shape[1] * bool(options.dropout)).times(2))
        return work.total([*parts, step_work.descent(options, shapes[-1], batch)])

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        plain, modulated = [], []
        head, vectors = len(shapes) - 1, (2 if options.form == "mixed" else 1) * batch
        modulation = flows.jobs(batch, modulation=_modulation_work(batch, shapes[0][0], shapes[-1][1]))
        for n, shape in enumerate(shapes):
            dropped = work.dropout(batch * shape[1] * bool(options.dropout)) if n < head else Work()
            answer = {"dropout": dropped, "softmax_error": work.softmax_error(batch, shape[1] * (n == head))}
            read = {"layer": n, "before": flows.normalizing(shape[0]), "reads": 1, "then": flows.jobs(batch, **answer)}
            plain.append(Visit(**read, kept_bytes=step_work.activities(shape, 1), kept_until="modulated"))
            found = _difference_work(options, batch * shape[1]) if n < head else Work()
            outer = work.outer(vectors if n < head else batch, *shape)
            read["before"] = (*(modulation if n == 0 else ()), *flows.normalizing(shape[0]))
            modulated.append(Visit(**read, after=flows.jobs(batch, difference=found, outer_product=outer)))
        passes = (
            Pass(name="plain", visits=tuple(plain)),
            Pass(name="modulated", visits=tuple(modulated), awaits=("plain",)),
        )
        updates = flows.updates(options, dict(enumerate(shapes)))
        return [Dataflow(batch=batch, phases=(Phase(passes=passes, updates=updates),))]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, the feedback, and the activities of the first pass; or, if `mixed`, an update instead."""
        feedback = step_work.weights([(shapes[0][0], shapes[-1][1])])
        activities = sum(step_work.activities(shape, batch) for shape in shapes)
        kept = step_work.weights(shapes) if options.form == "mixed" else activities
        return step_work.registers(options, shapes) + feedback + kept

    @classmethod
    @override
    def pass_clocks(cls, options):
        return "pass", "interleaved"

    @classmethod
    @override
    def learns_soft_labels(cls, options):
        return True

    @classmethod
    @override
    def search_space(cls, options):
        own = {"feedback": LogUniform(0.001, 0.5), "form": Choice(("modulated", "mixed"))}
        return super().search_space(options) | own

    @override
    def step(self, images, labels):
        masks = [self._mask(len(images), layer) for layer in self.network.layers]
        *plain, (_, logits) = self._pass(images, masks)
        head, entry = self.network.head, self.network.layers[0]
        head.compute(*work.softmax_error(*logits.shape[-2:]).times(2))  # of either pass
        entry.compute(*_modulation_work(*images.shape, classes=self.network.classes))
        error = softmax_error(logits, labels) * len(images)
        modulation = product(error, self.feedback.expand(self.network.chips, -1, -1))
        self.pass_over(len(images))
        *modulated, (last, again) = self._pass(images + modulation, masks)
        *optimizers, last_optimizer = self.optimizers
        for optimizer, one, other in zip(optimizers, plain, modulated, strict=True):
            optimizer.layer.compute(*_difference_work(self.options, one[1][0].numel()))
            optimizer.descend(*self._errors(one, other))
        last_optimizer.descend(softmax_error(again, labels), last)
        return cross_entropy_of_chips(logits, labels)

    def _pass(self, images: torch.Tensor, masks: list[torch.Tensor | None]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return inputs and activities of every layer, those of the head as logits."""
        reads = [layer.measure for layer in (*self.network.layers, self.network.head)]

        def onward(passed: Passed) -> torch.Tensor:
            return _masked(self.network.onward(passed), masks[passed.layer])

        passed = list(self.network.forward(self.network.present(images), reads, onward))
        kept = [(whole(layer.x), _masked(layer.y, mask)) for layer, mask in zip(passed, masks, strict=False)]
        return [*kept, (whole(passed[-1].x), self.network.logits(passed[-1].y))]

    def _errors(
        self, plain: tuple[torch.Tensor, torch.Tensor], modulated: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what a layer descends, and along which inputs."""
        (x, h), (x_modulated, h_modulated) = plain, modulated
        batch = h.shape[1]
        if self.options.form == "modulated":
            return (h - h_modulated) / batch, x_modulated
        return torch.cat([h, -h_modulated], dim=1) / batch, torch.cat([x, x_modulated], dim=1)

    def _mask(self, batch: int, layer: Sealed) -> torch.Tensor | None:
        """Draw which activities are silent, ``(batch, n_out)``, the same for all chips."""
        if not (p := self.options.dropout):
            return None
        layer.compute(*work.dropout(batch * layer.datasheet.n_out).times(2))  # of either pass
        kept = torch.rand(batch, layer.datasheet.n_out, generator=self.generator) >= p
        return (kept / (1 - p)).to(layer.torch_device)


def _modulation_work(batch: int, n_in: int, classes: int) -> Work:
    return work.product(batch, classes, n_in) + work.modulation(batch * n_in)


def _difference_work(options: PepitaOptions, n: int) -> Work:
    """Return the digital work of the difference of activities; `mixed` scales each by itself."""
    return work.elementwise(2 * n, operations=1, operands=1) if options.form == "mixed" else work.difference(n)


def _masked(y: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    return y if mask is None else y * mask
