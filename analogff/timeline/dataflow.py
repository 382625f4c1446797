"""What a learning step has a chip do: the dataflow that a rule states, and a simulator plays."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analogff.system.work import Work, normalization, total

Shape = tuple[int, int]


class Job(NamedTuple):
    """Digital work with its name."""

    label: str
    """What is done, such as `goodness`."""
    work: Work
    """How much."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Visit:
    """What one vector has one layer do, in this order."""

    layer: int
    """Which layer; the head is the last."""
    before: tuple[Job, ...] = ()
    """Digital work before the vector is read."""
    reads: int = 0
    """Reads of the array; 0 if digital logic alone is at work."""
    back: Job | None = None
    """Product with the transposed weights: digital work, or a read from the array's outputs where a chip has those."""
    then: tuple[Job, ...] = ()
    """Digital work that what comes after the visit waits for."""
    after: tuple[Job, ...] = ()
    """Digital work of learning, while the vector goes on."""
    kept_bytes: int = 0
    """Bytes that are kept of the vector when it has been read."""
    kept_until: str | None = None
    """Pass of the same image whose visit to the layer frees them; None for this visit's own end."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pass:
    """A way of an image's vectors through layers."""

    name: str
    """What it is; unique within a phase."""
    visits: tuple[Visit, ...]
    """The layers, in the order of the signal."""
    vectors: int = 1
    """Vectors of an image, which follow each other."""
    awaits: tuple[str, ...] = ()
    """Passes of the same image that have to be over."""
    whole_steps: bool = False
    """Whether a layer waits until the one before has learned from all images of the step."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Update:
    """What a layer does once in a step, behind its visits."""

    layer: int
    """Which layer."""
    jobs: tuple[Job, ...] = ()
    """Digital work before it is written."""
    writes: int = 1
    """Writes of all its weights."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """Passes of all images of a step, and the updates behind them."""

    passes: tuple[Pass, ...] = ()
    """The passes."""
    updates: tuple[Update, ...] = ()
    """At most one a layer."""
    barrier: bool = True
    """Whether the phase begins when the one before is over; else a layer takes it up once it is updated itself."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataflow:
    """One step of a rule."""

    batch: int
    """Images of a step."""
    phases: tuple[Phase, ...]
    """What is done with them, in this order."""

    def reads(self, layer: int) -> int:
        """Return how often a layer is read in a step, if an input vector takes one read."""
        return self.batch * sum(p.vectors * v.reads for p, v in self._visits() if v.layer == layer)

    def writes(self, layer: int) -> int:
        """Return how often all weights of a layer are written in a step."""
        return sum(update.writes for phase in self.phases for update in phase.updates if update.layer == layer)

    def work(self) -> Work:
        """Return the digital work of a step."""
        jobs = [j for phase in self.phases for update in phase.updates for j in update.jobs]
        visited = [
            job.work.times(self.batch * p.vectors)
            for p, v in self._visits()
            for job in (*v.before, *([v.back] if v.back else []), *v.then, *v.after)
        ]
        return total([*(job.work for job in jobs), *visited])

    def _visits(self) -> Iterator[tuple[Pass, Visit]]:
        return ((p, visit) for phase in self.phases for p in phase.passes for visit in p.visits)


def inference(shapes: Sequence[Shape], batch: int) -> Dataflow:
    """Return the dataflow of classification by one pass, through layers of these inputs and outputs."""
    visits = [
        Visit(layer=n, before=(Job("normalization", normalization(1, n_in)),), reads=1)
        for n, (n_in, _) in enumerate(shapes)
    ]
    return Dataflow(batch=batch, phases=(Phase(passes=(Pass(name="inference", visits=tuple(visits)),), barrier=False),))
