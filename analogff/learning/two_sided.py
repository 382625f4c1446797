"""The digital work and the dataflow of a step of node perturbation: two noisy passes and their difference.

As the closed formulas of `analogff.learning.step_work`, they hold for length normalization and a digital head.
"""

from collections.abc import Sequence
from typing import Protocol

from analogff.learning import flows, step_work
from analogff.learning.decorrelation import Decorrelation
from analogff.system import Work, work
from analogff.timeline import Dataflow, Job, Pass, Phase, Visit


class TwoSided(step_work.Optimizing, Protocol):
    """Options of a rule that compares two noisy passes."""

    @property
    def estimate(self) -> str:
        """What the loss is correlated with: the noise ``injected``, or the ``activity``."""
        ...

    @property
    def slope(self) -> str:
        """Where slopes come from, for estimate ``activity``."""
        ...

    @property
    def activity(self) -> str:
        """Which of the reads of a probe is passed on."""
        ...

    @property
    def directions(self) -> int:
        """Pairs of passes in a step."""
        ...

    @property
    def size(self) -> float:
        """Standard deviation of the injected noise."""
        ...

    @property
    def decorrelation(self) -> float:
        """Learning rate of decorrelating matrices; 0 for none."""
        ...


def noise_work(options: TwoSided, n: int) -> Work:
    """Return the digital work of drawing noise for so many neurons, if any is injected."""
    return work.elementwise(n * bool(options.size), operations=2, operands=0)


def error_work(options: TwoSided, n: int) -> Work:
    """Return the digital work of errors: noise, or a difference, its square, a factor and a slope."""
    if options.estimate == "injected":
        return work.elementwise(n, operations=2, operands=1)
    return work.difference(n) + work.elementwise(n, operations=2, operands=1) + work.modulation(n)


def dataflow(options: TwoSided, shapes: Sequence[step_work.Shape], batch: int) -> Dataflow:
    """Return the dataflow of a step: two sides of each direction, and the errors that their losses give."""
    passes = _slopes(options, shapes, batch)
    known = tuple(p.name for p in passes)
    for direction in range(1, options.directions + 1):
        sides, errors = f"direction {direction}", f"errors {direction}, layer"
        ahead = [_side(options, n, shapes, batch, f"{errors} {n + 1}") for n in range(len(shapes))]
        behind = [_errors(options, n, shape, batch) for n, shape in enumerate(shapes)]
        passes += [Pass(name=sides, visits=tuple(ahead), vectors=2), *flows.apart(errors, behind, sides, *known)]
    updates = flows.updates(options, dict(enumerate(shapes)))
    return Dataflow(batch=batch, phases=(Phase(passes=tuple(passes), updates=updates),))


def _inputs(options: TwoSided, n_in: int, batch: int) -> tuple[Job, ...]:
    """Return the digital work in front of a layer."""
    given = Decorrelation.work(batch, n_in) if options.decorrelation else Work()
    return flows.normalizing(n_in) + flows.jobs(batch, decorrelation=given)


def _slopes(options: TwoSided, shapes: Sequence[step_work.Shape], batch: int) -> list[Pass]:
    """Return the pass that shows the slopes, where activities are measured."""
    if options.estimate != "activity":
        return []
    visits = []
    for n, (n_in, n_out) in enumerate(shapes):
        slope = options.slope if n < len(shapes) - 1 else "assumed"
        found = flows.jobs(batch, slopes=step_work.reading(slope, options.activity, batch, n_out))
        reads = flows.reads(slope, options.activity)
        visits.append(Visit(layer=n, before=_inputs(options, n_in, batch), reads=reads, after=found))
    return [Pass(name="slopes", visits=tuple(visits))]


def _side(options: TwoSided, layer: int, shapes: Sequence[step_work.Shape], batch: int, until: str) -> Visit:
    """Return what one side of a direction has a layer do."""
    n_in, n_out = shapes[layer]
    drawn = flows.jobs(2 * batch, noise=noise_work(options, batch * n_out))
    loss = work.cross_entropy(batch, n_out) if layer == len(shapes) - 1 else Work()
    return Visit(
        layer=layer,
        before=(*_inputs(options, n_in, batch), *drawn),
        reads=1,
        then=flows.jobs(batch, cross_entropy=loss),
        kept_bytes=step_work.activities(shapes[layer], 1),
        kept_until=until,
    )


def _errors(options: TwoSided, layer: int, shape: step_work.Shape, batch: int) -> Visit:
    """Return what a layer does when the losses of both sides of a direction are known."""
    n_in, n_out = shape
    learned = work.difference(batch * n_in) + error_work(options, batch * n_out)
    vectors = options.directions * batch
    told = Decorrelation.learning_work(vectors, n_in) if options.decorrelation else Work()
    outer = work.outer(vectors, *shape)
    after = flows.jobs(batch, error=learned) + flows.jobs(vectors, outer_product=outer, decorrelation=told)
    return Visit(layer=layer, after=after)
