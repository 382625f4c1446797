"""How a loss is correlated with perturbations over time: filters, and the digital work and dataflows of a step.

As the closed formulas of `analogff.learning.step_work`, those of the work hold for length normalization and a digital
head.
"""

from collections.abc import Sequence
from typing import Protocol

import torch

from analogff.learning import flows, step_work
from analogff.learning.perturbation import moved_work
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Phase, Update


class LockIn(step_work.Optimizing, Protocol):
    """Options of a rule that correlates a loss with perturbations."""

    @property
    def code(self) -> str:
        """What tells the weights apart."""
        ...

    @property
    def detection(self) -> str:
        """How the loss is correlated: in ``sums``, or by ``filters``."""
        ...

    @property
    def sample_time(self) -> int:
        """Reads for which a batch is shown."""
        ...

    @property
    def update_time(self) -> int:
        """Reads from one update to the next, in ``sums``."""
        ...

    @property
    def perturbation_time(self) -> int:
        """Reads for which a perturbation lasts."""
        ...

    @property
    def baseline_time(self) -> int:
        """Reads after which perturbations are taken back."""
        ...


class HighPass:
    r"""High-pass filter of the first order in discrete time.

    .. math:: \tilde C_t = \frac{\tau}{\tau + 1} \left(\tilde C_{t-1} + C_t - C_{t-1}\right)

    Args:
        chips: How many numbers are filtered side by side.
        time: ``tau``, in steps.
        device: Where they are.

    Reference:
        An RC circuit, its derivative by backward differences.
    """

    state_names = ("passed",)

    def __init__(self, chips: int, time: float, device: torch.device):
        self.gain = time / (time + 1)
        self.passed = torch.zeros(chips, device=device)
        """What the filter last let pass, ``(chips,)``."""

    def __call__(self, change: torch.Tensor | float) -> torch.Tensor:
        """Return what passes, ``(chips,)``, when the signal has changed by so much."""
        self.passed = self.gain * (self.passed + change)
        return self.passed


def low_pass(state: torch.Tensor, signal: torch.Tensor, time: float) -> None:
    r"""Let a low-pass filter of the first order take one step in discrete time, in place.

    .. math:: G_t = \frac{g_t + \tau G_{t-1}}{\tau + 1}
    """
    state.mul_(time / (time + 1)).add_(signal / (time + 1))


def high_pass_work() -> Work:
    """Return the digital work of a step of `HighPass`: a difference, a sum and a product."""
    return work.elementwise(1, operations=3, operands=3, results=2)


def low_pass_work(cells: int) -> Work:
    """Return that of `low_pass` of a signal that is a factor times a perturbation: two products and a sum."""
    return work.elementwise(cells, operations=3, operands=2)


def drawn_work(options: LockIn, cells: int) -> Work:
    """Return the digital work of the next perturbation of a code; a counter suffices for `time`."""
    operations = {"signs": 1, "time": 0}.get(options.code, 2)
    return work.elementwise(cells * bool(operations), operations=operations, operands=0)


def changed_work(cells: int) -> Work:
    """Return that of going from one perturbation to the next."""
    return work.difference(cells)


def digital_work(options: LockIn, shapes: Sequence[step_work.Shape], batch: int) -> Work:
    """Return the digital work of a typical step; see `analogff.learning.rule.Rule.digital_work`."""
    weights = sum(n_in * n_out for n_in, n_out in shapes)
    cells = 1 if options.code == "time" else weights
    filtered, time = options.detection == "filters", options.sample_time
    taken_back = time // options.baseline_time
    cost = step_work.passing(shapes, batch) + work.cross_entropy(batch, shapes[-1][1])
    changed = moved_work(2) if options.code == "time" else changed_work(cells)
    changes = max(1, options.baseline_time // options.perturbation_time) - 1
    moved = moved_work(cells).times(2 * taken_back) + changed.times(taken_back * changes)
    drawn = drawn_work(options, cells).times(time / options.perturbation_time)
    correlated = high_pass_work() + low_pass_work(weights) if filtered else work.difference(cells)
    updates = work.total(step_work.optimizer(options, s) for s in shapes)
    updates = updates.times(time if filtered else time / options.update_time)
    reads = cost.times(time if filtered else time + taken_back)
    return work.total([reads, moved, drawn, correlated.times(time), updates])


def dataflows(options: LockIn, shapes: Sequence[step_work.Shape], batch: int) -> list[Dataflow]:
    """Return one for each batch of an update; none for code `time`, which writes one weight at a time."""
    if options.code == "time":
        return []
    if options.detection == "filters":
        return [_filters(options, shapes, batch)]
    batches = max(1, options.update_time // options.sample_time)
    return [_sums(options, shapes, batch, updated=n == batches - 1) for n in range(batches)]


class _Phases:
    """Phases of a step, of layers of these shapes."""

    def __init__(self, options: LockIn, shapes: Sequence[step_work.Shape], batch: int):
        self.options, self.shapes = options, shapes
        loss = flows.jobs(batch, cross_entropy=work.cross_entropy(batch, shapes[-1][1]))
        self.read = (Pass(name="loss", visits=flows.forward([n_in for n_in, _ in shapes], loss)),)
        self.cells = [n_in * n_out for n_in, n_out in shapes]
        self.moved = [moved_work(n) for n in self.cells]
        self.changed = [changed_work(n) for n in self.cells]

    def written(self, writes: int = 1, **jobs: Sequence[Work]) -> tuple[Update, ...]:
        """Return digital work of each layer by name, and its writes."""
        return tuple(
            Update(layer=n, jobs=flows.jobs(1, **{label: each[n] for label, each in jobs.items()}), writes=writes)
            for n in range(len(self.shapes))
        )

    def code(self, share: float = 1.0) -> list[Work]:
        """Return the work of drawing a perturbation of each layer, or of a share of it."""
        return [drawn_work(self.options, n).times(share) for n in self.cells]

    def updates(self) -> Phase:
        """Return the step of the optimizer."""
        return Phase(updates=flows.updates(self.options, dict(enumerate(self.shapes))))


def _sums(options: LockIn, shapes: Sequence[step_work.Shape], batch: int, *, updated: bool) -> Dataflow:
    """Return the dataflow of a batch, behind which the weights are updated or not."""
    of = _Phases(options, shapes, batch)
    summed, drawn = [work.difference(n) for n in of.cells], options.baseline_time / options.perturbation_time
    phases: list[Phase] = []
    for _ in range(options.sample_time // options.baseline_time):
        phases.append(Phase(passes=of.read, updates=of.written(code=of.code(min(drawn, 1)), move=of.moved)))
        for t in range(1, options.baseline_time):
            following = t % options.perturbation_time == 0
            jobs = {"code": of.code(), "move": of.changed} if following else {}
            phases.append(Phase(passes=of.read, updates=of.written(int(following), estimate=summed, **jobs)))
        phases.append(Phase(passes=of.read, updates=of.written(estimate=summed, move=of.moved)))
        if updated:
            phases.append(of.updates())
    return Dataflow(batch=batch, phases=tuple(phases))


def _filters(options: LockIn, shapes: Sequence[step_work.Shape], batch: int) -> Dataflow:
    """Return the dataflow of a batch, of which each read is followed by an update."""
    of = _Phases(options, shapes, batch)
    passed = [low_pass_work(n) for n in of.cells]
    high = [*[Work()] * (len(shapes) - 1), high_pass_work()]  # of the loss, beside the head
    phases = [Phase(updates=of.written(code=of.code(), move=of.moved))]
    for t in range(1, options.sample_time + 1):
        phases += [Phase(passes=of.read, updates=of.written(0, high_pass=high, estimate=passed)), of.updates()]
        if t == options.sample_time:
            phases.append(Phase(updates=of.written(move=of.moved)))
        elif t % options.perturbation_time == 0:
            phases.append(Phase(updates=of.written(code=of.code(), move=of.changed)))
    return Dataflow(batch=batch, phases=tuple(phases))
