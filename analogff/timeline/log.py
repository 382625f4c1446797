"""What a chip did when, and what follows from it."""

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

Kind = Literal["convert", "read", "digital", "write"]
COMPONENTS = ("chip", "converters", "writes", "digital", "memory")
"""Of the energy, as in `analogff.system.Joules`."""
_COMPONENT_OF = {"read": "chip", "convert": "converters", "write": "writes", "digital": "digital"}


class Interval(NamedTuple):
    """One use of a resource."""

    resource: str
    """Which, such as `layer 1 ADC`."""
    kind: Kind
    """What for."""
    label: str
    """What was done."""
    step: int
    """Learning step, from 0."""
    image: int
    """Image of the step, from 0; -1 for what is done once a step."""
    vector: int
    """Vector of the image in its pass, from 0; -1 as above."""
    passing: str
    """Name of the pass; `update` for what is done once a step."""
    start_seconds: float
    end_seconds: float
    joules: float
    """Energy, that of memory aside."""
    memory_joules: float


class Level(NamedTuple):
    """A change of what a memory holds."""

    seconds: float
    change_bytes: float


@dataclasses.dataclass
class Log:
    """The events of some steps, from an empty chip to an empty chip."""

    batch: int
    """Images of a step."""
    resources: list[str]
    """In the order of the signal; each takes one use at a time."""
    intervals: list[Interval] = dataclasses.field(default_factory=list)
    """In the order of their ends."""
    levels: list[Level] = dataclasses.field(default_factory=list)
    """Of buffers and kept activities."""
    ends: list[float] = dataclasses.field(default_factory=list)
    """When each step was over."""

    def stays(self) -> dict[tuple[int, int], tuple[float, float]]:
        """Return when each image, by step and number, was first taken up, and when its last pass was over."""
        found: dict[tuple[int, int], tuple[float, float]] = {}
        for i in self.intervals:
            if i.image >= 0:
                start, end = found.get((i.step, i.image), (i.start_seconds, i.end_seconds))
                found[i.step, i.image] = min(start, i.start_seconds), max(end, i.end_seconds)
        return found

    def mean_latency(self, step: int) -> float:
        """Return the mean stay of the images of a step."""
        return float(np.mean([end - start for (s, _), (start, end) in self.stays().items() if s == step]))

    def busy_seconds(self, step: int) -> dict[str, float]:
        """Return how long a step used each resource."""
        busy = dict.fromkeys(self.resources, 0.0)
        for i in self.intervals:
            if i.step == step:
                busy[i.resource] += i.end_seconds - i.start_seconds
        return busy

    def joules(self, step: int) -> dict[str, float]:
        """Return the energy of a step by component."""
        parts: dict[str, float] = defaultdict(float, dict.fromkeys(COMPONENTS, 0.0))
        for i in self.intervals:
            if i.step == step:
                parts[_COMPONENT_OF[i.kind]] += i.joules
                parts["memory"] += i.memory_joules
        return dict(parts)

    def peak_bytes(self) -> float:
        """Return the most that buffers and kept activities held at a time."""
        moments = itertools.groupby(sorted(self.levels), key=lambda level: level.seconds)
        changes = [sum(level.change_bytes for level in levels) for _, levels in moments]
        return max(itertools.accumulate(changes), default=0.0)

    def in_system(self) -> Iterator[tuple[float, float, int]]:
        """Yield for each span between two events its start, its end, and how many images were under way."""
        stays = self.stays().values()
        changes = sorted([(start, 1) for start, _ in stays] + [(end, -1) for _, end in stays])
        under_way = 0
        for (now, change), (following, _) in itertools.pairwise(changes):
            under_way += change
            yield now, following, under_way
