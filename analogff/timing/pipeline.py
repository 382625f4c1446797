"""A discrete-event model of a chip as a pipeline of layers.

A layer does one thing at a time: it reads one vector, or it writes. Vectors pass from layer to layer as soon as the
next one is free. When a layer writes is for a schedule to say; see `analogff.timing.schedules`.

Reference:
    Max-plus view of such pipelines: Heidergott, Olsder, van der Woude, Max Plus at Work (2006), chapter 1.
"""

import dataclasses
from collections.abc import Callable, Generator, Sequence
from typing import Any

import simpy

Events = Generator[simpy.Event, Any, None]
"""What a process of the model waits for, one event after the other."""


@dataclasses.dataclass(frozen=True)
class Stage:
    """One layer of the pipeline."""

    read_seconds: float
    """How long one vector holds the layer."""
    write_seconds: float = 0.0
    """How long one update holds the layer."""


class _Vectors:
    """The moments when the first and the last vector of a step arrive somewhere."""

    def __init__(self, env: simpy.Environment):
        self.first, self.last = env.event(), env.event()

    def arrive(self) -> None:
        """Let all of them be there."""
        self.first.succeed()
        self.last.succeed()


class Pipeline:
    """The layers of a chip, and what a schedule can have them do.

    Of each step's vectors the first and the last are followed. That is exact: vectors that take equal time leave a
    layer at times convex in their number, so the last one waits either for the layer's own work or for nothing but its
    own arrival.

    Args:
        stages: The layers, in the order of the signal.
        vectors: Vectors of a step, at least one; need not be whole, as an average is not.
    """

    def __init__(self, stages: Sequence[Stage], vectors: float):
        self.env = simpy.Environment()
        self.layers = [(stage, simpy.Resource(self.env, capacity=1)) for stage in stages]
        self.vectors = vectors

    def play(self, step: Callable[["Pipeline"], Events], steps: int, *, overlap: bool) -> list[float]:
        """Return when each of some steps was over.

        Args:
            step: What a step does.
            steps: How many.
            overlap: Whether a step begins behind the one before, as layers become free, or when that is over.
        """
        ends: list[float] = []
        self.env.process(self._steps(step, steps, overlap, ends))
        self.env.run()
        return ends

    def read(self, *, write: bool = False, whole_steps: bool = False) -> simpy.Event:
        """Send one step's vectors through all layers; the event comes when the last layer is done.

        Args:
            write: Whether each layer writes once its own reads are done, while later layers still read.
            whole_steps: Whether a layer waits until the one before has read all vectors of the step, and written.
        """
        coming, done = _Vectors(self.env), []
        coming.arrive()
        for stage, layer in self.layers:
            leaving = _Vectors(self.env)
            held = self._hold_for_all if whole_steps else self._hold
            done.append(self.env.process(held(stage, layer, coming, leaving, stage.write_seconds if write else None)))
            coming = leaving
        return self.env.all_of(done)

    def write(self) -> simpy.Event:
        """Write all layers side by side, which no read may overlap."""
        return self.env.timeout(max(stage.write_seconds for stage, _ in self.layers))

    def _steps(self, step: Callable[["Pipeline"], Events], steps: int, overlap: bool, ends: list[float]) -> Events:
        for _ in range(steps):
            under_way = self.env.process(self._noted(step, ends))
            if not overlap:
                yield under_way

    def _noted(self, step: Callable[["Pipeline"], Events], ends: list[float]) -> Events:
        yield from step(self)
        ends.append(self.env.now)

    def _hold(
        self, stage: Stage, layer: simpy.Resource, coming: _Vectors, leaving: _Vectors, write_seconds: float | None
    ) -> Events:
        """Read one step's vectors in one layer as they come, let each go on, and write."""
        yield coming.first
        with layer.request() as turn:
            yield turn
            self.env.process(self._announce(stage, leaving))
            yield from self._read(stage, coming)
            leaving.last.succeed()
            if write_seconds is not None:
                yield self.env.timeout(write_seconds)

    def _hold_for_all(
        self, stage: Stage, layer: simpy.Resource, coming: _Vectors, leaving: _Vectors, write_seconds: float | None
    ) -> Events:
        """Read one step's vectors in one layer, write, and only then let them go on."""
        yield coming.first
        with layer.request() as turn:
            yield turn
            yield from self._read(stage, coming)
            if write_seconds is not None:
                yield self.env.timeout(write_seconds)
        leaving.arrive()

    def _read(self, stage: Stage, coming: _Vectors) -> Events:
        yield self.env.timeout((self.vectors - 1) * stage.read_seconds) & coming.last
        yield self.env.timeout(stage.read_seconds)

    def _announce(self, stage: Stage, leaving: _Vectors) -> Events:
        yield self.env.timeout(stage.read_seconds)
        leaving.first.succeed()
