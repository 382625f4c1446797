"""Parts that rules compose their dataflows of; see `analogff.timeline.dataflow`.

As the closed formulas of `analogff.learning.step_work`, they hold for length normalization and a digital head.
"""

from collections.abc import Iterable, Sequence

from analogff.learning import step_work
from analogff.system import Work, work
from analogff.timeline import Job, Pass, Update, Visit


def jobs(vectors: float, **of_all: Work) -> tuple[Job, ...]:
    """Return digital work by name, of one of so many vectors that share it; what is nothing is left out."""
    shared = [Job(label.replace("_", " "), done.times(1 / vectors)) for label, done in of_all.items()]
    return tuple(job for job in shared if any(job.work))


def normalizing(n_in: int) -> tuple[Job, ...]:
    """Return the work in front of a layer."""
    return jobs(1, normalization=work.normalization(1, n_in))


def reads(slope: str, activity: str = "read") -> int:
    """Return how often a layer is read to know its slopes."""
    return 1 if slope != "probed" else 2 if activity == "mean" else 3


def forward(signals: Sequence[int], then: Iterable[Job] = ()) -> tuple[Visit, ...]:
    """Return one read of each layer.

    Args:
        signals: Numbers that each layer's inputs are normalized over.
        then: What the last layer does behind its read.
    """
    last = len(signals) - 1
    return tuple(
        Visit(layer=n, before=normalizing(n_in), reads=1, then=tuple(then) if n == last else ())
        for n, n_in in enumerate(signals)
    )


def descending(shape: step_work.Shape, vectors: int) -> tuple[Job, ...]:
    """Return the work of one of so many vectors of a sum of outer products."""
    return jobs(vectors, outer_product=work.outer(vectors, *shape))


def updates(options: step_work.Optimizing, shapes: dict[int, step_work.Shape]) -> tuple[Update, ...]:
    """Return a step of the optimizer and a write, for some layers."""
    return tuple(
        Update(layer=n, jobs=jobs(1, optimizer=step_work.optimizer(options, shape))) for n, shape in shapes.items()
    )


def delta_head(shapes: Sequence[step_work.Shape], batch: int, *drawn: Job) -> Visit:
    """Return what a head does that takes a step down its own error, and may draw labels from its answer."""
    n_in, classes = shapes[-1]
    return Visit(
        layer=len(shapes) - 1,
        before=normalizing(n_in),
        reads=1,
        then=(*jobs(batch, softmax_error=work.softmax_error(batch, classes)), *drawn),
        after=descending(shapes[-1], batch),
        kept_bytes=step_work.activities(shapes[-1], 1),
    )


def apart(name: str, visits: Iterable[Visit], *awaits: str, vectors: int = 1) -> tuple[Pass, ...]:
    """Return visits that await nothing of each other, each as a pass."""
    return tuple(
        Pass(name=f"{name} {visit.layer + 1}", visits=(visit,), awaits=awaits, vectors=vectors) for visit in visits
    )
