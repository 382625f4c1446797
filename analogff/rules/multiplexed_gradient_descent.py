"""Multiplexed gradient descent: all weights are perturbed all the time, each in a code of its own."""

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.learning import codes, flows, step_work
from analogff.learning.loss_rule import LossRule
from analogff.learning.perturbation import draw, moved_work
from analogff.learning.rule import RuleOptions
from analogff.learning.search_space import LogUniform
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Phase, Update


class MultiplexedGradientDescentOptions(RuleOptions):
    """Options of multiplexed gradient descent."""

    size: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    """Size of the perturbation of every weight: small compared with the curvature, large compared with the noise."""
    code: codes.Code = "signs"
    """What tells the weights apart. `signs`: random signs. `walsh`: rows of a Walsh matrix. `time`: one weight after
    another. `frequency`: a sine for each weight. All but the first are exact after a period of at least as many
    perturbations as there are weights."""
    sample_time: Annotated[int, Field(ge=1)] = 4
    """Time for which a batch is shown, in reads of the perturbed loss: tau_x."""
    update_time: Annotated[int, Field(ge=1)] = 4
    """Time over which the gradient is summed before an update, in the same unit: tau_theta. It may be longer than
    that of a batch."""
    perturbation_time: Annotated[int, Field(ge=1)] = 1
    """Time for which a perturbation lasts, in the same unit: tau_p."""

    @field_validator("update_time")
    @classmethod
    def _updates_meet_batches(cls, value, info):
        return _divisible(value, info.data.get("sample_time"), "sample_time")

    @field_validator("perturbation_time")
    @classmethod
    def _perturbations_meet_baselines(cls, value, info):
        times = [info.data.get("sample_time"), info.data.get("update_time")]
        least = min(times) if None not in times else None
        return _divisible(value, least, "the lesser of sample_time and update_time")

    @property
    def baseline_time(self) -> int:
        """Time for which a loss without perturbations holds: until the batch or the weights change."""
        return min(self.sample_time, self.update_time)


class MultiplexedGradientDescent(LossRule[MultiplexedGradientDescentOptions]):
    r"""Gradients by lock-in detection: a loss is correlated with the code of every weight.

    .. math:: G = \frac{1}{\tau_\theta} \sum_{t=1}^{\tau_\theta} (C_t - C_0)\,
              \frac{\tilde\theta_t}{\Delta\theta^2}, \qquad \Delta w \propto -G \text{ every } \tau_\theta

    with perturbations :math:`\tilde\theta_t = \Delta\theta\, c(\lfloor t / \tau_p \rfloor)` in a code ``c`` (see
    `analogff.learning.codes`) and a loss :math:`C_0` without any, read anew whenever the batch or the weights have
    changed. A batch is shown for :math:`\tau_x`, and costs a read of each image and layer for every unit of time and
    for every :math:`C_0`. Three time constants span a family: :math:`\tau_x = \tau_\theta = \tau_p = 1` is one-sided
    weight perturbation by one direction, code `time` with a period between updates is finite differences, and
    :math:`\tau_\theta > \tau_x` is a batch in time.

    On a chip whose only port is the pulse a change of the perturbation is a write, and perturbations are taken back
    before a batch ends, so that nobody is tested with them.

    Args:
        network: Sealed at LOSS.
        options: See `MultiplexedGradientDescentOptions`.
        seed: Draws the signs, the same for all chips.

    Reference:
        McCaughan et al., Multiplexed gradient descent (APL Machine Learning 1, 2023, 026118), algorithm 1; theirs
        steps along the sum. The analog variant, of filters in place of sums, is not here.
    """

    name = "multiplexed-gradient-descent"
    Options = MultiplexedGradientDescentOptions
    convolves = True

    state_names = ("time", "code", "sums")

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.time = 0
        layers = [o.layer for o in self.optimizers]
        self._shapes = [layer.datasheet.weight_shape for layer in layers]
        places = [(shape, layer.torch_device) for shape, layer in zip(self._shapes, layers, strict=True)]
        self.code = [torch.zeros(shape, device=device) for shape, device in places]
        """The present perturbation in units of its size, ``(n_out, n_in)`` each."""
        self.sums = [torch.zeros(network.chips, *shape, device=device) for shape, device in places]
        """What was summed since the last update, ``(chips, n_out, n_in)`` each."""
        self._applied: list[torch.Tensor] = []  # what the weights are perturbed by; nothing between steps

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        cells = 1 if options.code == "time" else sum(n_in * n_out for n_in, n_out in shapes)
        cost = step_work.passing(shapes, batch) + work.cross_entropy(batch, shapes[-1][1])
        baselines, changes = options.sample_time // options.baseline_time, _changes(options)
        changed = moved_work(2) if options.code == "time" else _changed(cells)
        moved = moved_work(cells).times(2 * baselines) + changed.times(baselines * (changes - 1))
        drawn = _drawn(options, cells).times(options.sample_time / options.perturbation_time)
        summed = work.difference(cells).times(options.sample_time)
        updates = work.total(step_work.optimizer(options, s) for s in shapes).times(
            options.sample_time / options.update_time
        )
        return work.total([cost.times(options.sample_time + baselines), moved, drawn, summed, updates])

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        """Return one for each batch of an update; none for code `time`, which writes one weight at a time."""
        if options.code == "time":
            return []
        batches = max(1, options.update_time // options.sample_time)
        return [_dataflow(options, shapes, batch, updated=n == batches - 1) for n in range(batches)]

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, a perturbation and the sums."""
        return super().kept_bytes(options, shapes, batch) + 2 * step_work.weights(shapes)

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"size": LogUniform(1e-3, 0.1)}

    @override
    def step(self, images, labels):
        given, losses = self.options, []
        for _ in range(given.sample_time):
            if self.time % given.baseline_time == 0:
                losses.append(self.network.loss(images, labels))
            if self.time % given.perturbation_time == 0:
                self.code = self._next()
            self._perturb(self.code)
            self._sum(self.network.loss(images, labels) - losses[-1])
            self.time += 1
            if self.time % given.baseline_time == 0:
                self._perturb([])
            if self.time % given.update_time == 0:
                for optimizer, gradient in zip(self.optimizers, self.sums, strict=True):
                    optimizer.step(gradient)
                    gradient.zero_()
        return torch.stack(losses).mean(0)

    def _next(self) -> list[torch.Tensor]:
        """Return the next perturbation of the code."""
        layers = [o.layer for o in self.optimizers]
        if self.options.code == "signs":
            return [draw(layer, "signs", self.generator) for layer in layers]
        sizes = [n_out * n_in for n_out, n_in in self._shapes]
        values = codes.perturbation(self.options.code, self.time // self.options.perturbation_time, sizes)
        for layer, size in zip(layers, sizes, strict=True):
            layer.compute(*_drawn(self.options, size))
        every = zip(values, self._shapes, layers, strict=True)
        return [value.view(shape).to(layer.torch_device) for value, shape, layer in every]

    def _perturb(self, code: list[torch.Tensor]) -> None:
        """Write what leads from the present perturbation to another one; an empty one is none."""
        self.pass_over(1)
        if code is self._applied:
            return
        for n, optimizer in enumerate(self.optimizers):
            change = torch.zeros_like(self.code[n]) if not code else code[n]
            change = change - self._applied[n] if self._applied else change
            between = code and self._applied and self.options.code != "time"
            optimizer.layer.compute(*(_changed if between else moved_work)(self._active(change)))
            optimizer.move((self.options.size * change).expand(self.network.chips, -1, -1))
        self._applied = code
        self.pass_over(1)  # writes take time too

    def _sum(self, difference: torch.Tensor) -> None:
        """Add what the loss has changed by, times the present perturbation, to the sums."""
        share = (difference / (self.options.size * self.options.update_time)).view(-1, 1, 1)
        for optimizer, total, code in zip(self.optimizers, self.sums, self.code, strict=True):
            optimizer.layer.compute(*work.difference(self._active(code)))
            total += share * code

    def _active(self, code: torch.Tensor) -> int:
        """Return how many weights of a layer digital logic is at work for."""
        return int(code.count_nonzero()) if self.options.code == "time" else code.numel()


def _divisible(value: int, other: int | None, name: str) -> int:
    if other is not None and value % other and other % value:
        raise ValueError(f"a multiple or a divisor of {name}, which is {other}, so that they end together")
    return value


def _changes(options: MultiplexedGradientDescentOptions) -> int:
    """Return how many perturbations there are between two losses without any."""
    return max(1, options.baseline_time // options.perturbation_time)


def _drawn(options: MultiplexedGradientDescentOptions, cells: int) -> Work:
    """Return the digital work of the next perturbation of a code; a counter suffices for `time`."""
    operations = {"signs": 1, "time": 0}.get(options.code, 2)
    return work.elementwise(cells * bool(operations), operations=operations, operands=0)


def _changed(cells: int) -> Work:
    """Return that of going from one perturbation to the next."""
    return work.difference(cells)


def _dataflow(
    options: MultiplexedGradientDescentOptions, shapes: Sequence[step_work.Shape], batch: int, *, updated: bool
) -> Dataflow:
    """Return that of a batch, behind which the weights are updated or not."""
    loss = flows.jobs(batch, cross_entropy=work.cross_entropy(batch, shapes[-1][1]))
    read = (Pass(name="loss", visits=flows.forward([n_in for n_in, _ in shapes], loss)),)
    cells, drawn = [n_in * n_out for n_in, n_out in shapes], options.baseline_time / options.perturbation_time

    def written(writes: int = 1, **jobs: Sequence[Work]) -> tuple[Update, ...]:
        return tuple(
            Update(layer=n, jobs=flows.jobs(1, **{label: each[n] for label, each in jobs.items()}), writes=writes)
            for n in range(len(shapes))
        )

    def code(share: float) -> list[Work]:
        return [_drawn(options, n).times(share) for n in cells]

    summed, moved = [work.difference(n) for n in cells], [moved_work(n) for n in cells]
    phases: list[Phase] = []
    for _ in range(options.sample_time // options.baseline_time):
        phases.append(Phase(passes=read, updates=written(code=code(min(drawn, 1)), move=moved)))
        for t in range(1, options.baseline_time):
            following = t % options.perturbation_time == 0
            jobs = {"code": code(1), "move": [_changed(n) for n in cells]} if following else {}
            phases.append(Phase(passes=read, updates=written(int(following), estimate=summed, **jobs)))
        phases.append(Phase(passes=read, updates=written(estimate=summed, move=moved)))
        if updated:
            phases.append(Phase(updates=flows.updates(options, dict(enumerate(shapes)))))
    return Dataflow(batch=batch, phases=tuple(phases))
