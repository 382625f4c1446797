"""When layers read and write: one class a schedule, which a rule supplies."""

import abc
from typing import ClassVar

from typing_extensions import override

from analogff.timing.pipeline import Events, Pipeline


class Schedule(abc.ABC):
    """Layout of learning steps in time.

    From the step on that every layer takes part in, each further one must add the same time; see `simulate`.
    """

    overlap: ClassVar[bool] = True
    """Whether a step begins behind the one before, as layers become free, or only when that is over."""
    writes: ClassVar[bool] = True
    """Whether there is a time to write; without one, a rule that writes is refused."""

    @abc.abstractmethod
    def step(self, pipeline: Pipeline) -> Events:
        """Lay out one step: yield what has to be over before the next thing begins, `Pipeline.read` and `write`."""


class Inference(Schedule):
    """Reads only, one vector behind the other."""

    writes = False

    @override
    def step(self, pipeline):
        yield pipeline.read()


class LocalUpdates(Schedule):
    """A layer writes once its own reads of a step are done; later layers still read, the next step follows behind."""

    @override
    def step(self, pipeline):
        yield pipeline.read(write=True)


class LayerByLayer(Schedule):
    """A layer takes up a step when the layer before it has read and written that step."""

    @override
    def step(self, pipeline):
        yield pipeline.read(write=True, whole_steps=True)


class UpdateAfterPass(Schedule):
    """All reads of a step, then all layers write side by side, then the next step."""

    overlap = False

    @override
    def step(self, pipeline):
        yield pipeline.read()
        yield pipeline.write()


class UpdateBeforePass(Schedule):
    """All layers write side by side, then the pass is read to its end, then the next step."""

    overlap = False

    @override
    def step(self, pipeline):
        yield pipeline.write()
        yield pipeline.read()
