"""A discrete-event model of a chip as a pipeline of layers.

A layer does one thing at a time: it reads one vector, or it writes. Vectors pass from
layer to layer as soon as the next one is free, and the schedule says when a layer may write:

================  ============================================================================
``inference``      reads only, one vector behind the other
``ff-pipelined``   a layer writes once its own reads of a step are done, while later layers still
                   read; the next step's vectors follow behind
``ff-layerwise``   a layer takes up a step when the layer before it has read and written that step
``backprop-twin``  all reads of a step, then all layers write side by side, then the next step
``perturbation``   all layers write side by side, then the pass is read to its end, then the next
================  ============================================================================

Reference:
    Max-plus view of such pipelines: Heidergott, Olsder, van der Woude, Max Plus at Work (2006), chapter 1.
"""

import dataclasses
import math
from collections.abc import Generator, Sequence
from typing import Any, Literal, get_args

import simpy

Schedule = Literal["inference", "ff-pipelined", "ff-layerwise", "backprop-twin", "perturbation"]
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
_LOCAL = ("ff-pipelined", "ff-layerwise")


@dataclasses.dataclass(frozen=True)
class Stage:
    """One layer of the pipeline."""

    read_seconds: float
    """How long one vector holds the layer."""
    write_seconds: float = 0.0
    """How long one update holds the layer."""


def simulate(stages: Sequence[Stage], schedule: Schedule, *, steps: int, reads_per_step: float) -> float:
    r"""Return the seconds that a number of learning steps take.

    Only ``len(stages) + 1`` steps are played: from the step on that every layer takes part in, each
    further one adds the same time,

    .. math:: \max_l (n r_l + w_l) \text{ (local rules)}, \quad
              \sum_l r_l + (n - 1) \max_l r_l + \max_l w_l \text{ (a barrier a step)},

    so the rest is added exactly. Of each step's n vectors the first and the last are followed, which is
    exact too: vectors that take equal time leave a layer at times convex in their number, so the last one
    waits either for the layer's own work or for nothing but its own arrival.

    Args:
        stages: The layers, in the order of the signal.
        schedule: When a layer may write.
        steps: Updates, or for inference a multiple of ``reads_per_step``.
        reads_per_step: Vectors of one step, at least one; need not be whole, as an average is not.
    """
    _check(stages, schedule, steps, reads_per_step)
    played = min(steps, len(stages) + 1)
    ends = _Chip(stages, schedule, reads_per_step).play(played)
    return ends[-1] + (steps - played) * (ends[-1] - ends[-2]) if steps > played else ends[-1]


class _Vectors:
    """The moments when the first and the last vector of a step arrive somewhere."""

    def __init__(self, env: simpy.Environment):
        self.first, self.last = env.event(), env.event()

    def arrive(self) -> None:
        """Let all of them be there."""
        self.first.succeed()
        self.last.succeed()


class _Chip:
    """The layers, and the processes that hold them."""

    def __init__(self, stages: Sequence[Stage], schedule: Schedule, vectors: float):
        self.env = simpy.Environment()
        self.layers = [(stage, simpy.Resource(self.env, capacity=1)) for stage in stages]
        self.schedule, self.vectors = schedule, vectors

    def play(self, steps: int) -> list[float]:
        """Return when each step was over."""
        ends: list[float] = []
        self.env.process(self._steps(steps, ends))
        self.env.run()
        return ends

    def _steps(self, steps: int, ends: list[float]) -> Generator[simpy.Event, Any, None]:
        under_way = []
        for _ in range(steps):
            if self.schedule == "perturbation":
                yield self._write_all()
            reading = self._read_all(ends)
            if self.schedule in ("backprop-twin", "perturbation"):
                yield reading
            if self.schedule == "backprop-twin":
                yield self._write_all()
                ends[-1] = self.env.now
            under_way.append(reading)
        yield self.env.all_of(under_way)

    def _read_all(self, ends: list[float]) -> simpy.Process:
        """Send one step's vectors through all layers."""
        coming = _Vectors(self.env)
        coming.arrive()
        done = []
        for stage, layer in self.layers:
            leaving = _Vectors(self.env)
            done.append(self.env.process(self._hold(stage, layer, coming, leaving)))
            coming = leaving
        return self.env.process(self._note(done, ends))

    def _note(self, done: list[simpy.Process], ends: list[float]) -> Generator[simpy.Event, Any, None]:
        yield self.env.all_of(done)
        ends.append(self.env.now)

    def _hold(
        self, stage: Stage, layer: simpy.Resource, coming: _Vectors, leaving: _Vectors
    ) -> Generator[simpy.Event, Any, None]:
        """Read one step's vectors in one layer, and under a local rule write."""
        layerwise = self.schedule == "ff-layerwise"
        yield coming.first
        with layer.request() as turn:
            yield turn
            if not layerwise:
                self.env.process(self._announce(stage, leaving))
            yield self.env.timeout((self.vectors - 1) * stage.read_seconds) & coming.last
            yield self.env.timeout(stage.read_seconds)
            if not layerwise:
                leaving.last.succeed()
            if self.schedule in _LOCAL:
                yield self.env.timeout(stage.write_seconds)
        if layerwise:
            leaving.arrive()

    def _announce(self, stage: Stage, leaving: _Vectors) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(stage.read_seconds)
        leaving.first.succeed()

    def _write_all(self) -> simpy.Process:
        """Write all layers side by side; they are free, for there was a barrier."""
        return self.env.process(self._wait(max(stage.write_seconds for stage, _ in self.layers)))

    def _wait(self, seconds: float) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(seconds)


def _check(stages: Sequence[Stage], schedule: Schedule, steps: int, reads_per_step: float) -> None:
    if schedule not in SCHEDULES:
        raise ValueError(
            f"Expected a schedule out of {', '.join(SCHEDULES)}. Got {schedule!r}. Set the rule's `schedule` to one."
        )
    if not stages or steps < 1 or not 1 <= reads_per_step < math.inf:
        raise ValueError(
            f"Expected at least one stage, one step and one read a step. Got {len(stages)}, {steps} and "
            f"{reads_per_step}. Scale the stage's time to spread one read over several steps."
        )
    if not all(0 <= seconds < math.inf for stage in stages for seconds in dataclasses.astuple(stage)):
        raise ValueError(f"Expected finite times from 0. Got {list(stages)}. Mend the datasheet.")
