"""The events of a chip that follows a dataflow."""

from collections import defaultdict
from collections.abc import Callable, Generator
from typing import Any

import simpy
from simpy.resources.resource import Request

from analogff.system.work import WORD_BYTES
from analogff.timeline.dataflow import Dataflow, Job, Pass, Phase, Update, Visit
from analogff.timeline.hardware import Hardware, Read
from analogff.timeline.log import Log
from analogff.timeline.parts import At, Events, LayerParts, Parts, partial_sums

_ONCE = -1  # in place of an image, for what is done once a step


def play(dataflow: Dataflow, hardware: Hardware, steps: int) -> Log:
    """Have a chip follow a dataflow for some steps, until it is empty.

    Parts serve in the order of requests. A vector keeps its converter until there is room in the next buffer and
    digital logic turns to the vector's own work, so a full buffer or a slow unit blocks what is before it.

    Args:
        dataflow: A step.
        hardware: The chip.
        steps: How many, one behind the other as far as the dataflow lets them overlap.

    Raises:
        ValueError: If passes wait for each other.
    """
    env = simpy.Environment()
    parts = Parts(env, hardware, dataflow.batch)
    before: _Phase | None = None
    for step in range(steps):
        for phase in dataflow.phases:
            before = _Phase(env, parts, phase, step, before)
        if before is not None:
            _when(before.over, lambda: parts.log.ends.append(env.now))
    env.run()
    if len(parts.log.ends) < steps:
        raise ValueError(
            f"Expected a dataflow whose passes await none that await them. Got one that stands still in step "
            f"{len(parts.log.ends)}. Mend the rule's `dataflows`."
        )
    return parts.log


class _Phase:
    """One phase of one step."""

    def __init__(self, env: simpy.Environment, parts: Parts, phase: Phase, step: int, before: "_Phase | None"):
        self.env, self.parts, self.phase, self.step, self.before = env, parts, phase, step, before
        self.batch = parts.log.batch
        self.over = env.event()
        self.visited = [env.event() for _ in parts.layers]
        self.updated = [env.event() for _ in parts.layers]
        self._free: list[simpy.Event | None] = before.frees if before else [None for _ in parts.layers]
        self.frees = self._frees()
        """What lets each layer take up the next phase; None where nothing stands in the way."""
        self._visits_left = [0 for _ in parts.layers]
        for p in phase.passes:
            for visit in p.visits:
                self._visits_left[visit.layer] += self.batch * p.vectors
        every = [(p.name, image) for p in phase.passes for image in range(self.batch)]
        self._passed = {key: env.event() for key in every}
        self._vectors_left = {(p.name, image): p.vectors for p in phase.passes for image in range(self.batch)}
        self._kept: dict[tuple[int, int, str], float] = defaultdict(float)
        env.process(self._run())

    def _frees(self) -> list[simpy.Event | None]:
        """Return a layer's update; without one its visits, where a later step could overtake one of several passes."""
        learns = {update.layer for update in self.phase.updates}
        ordered = self.visited if len(self.phase.passes) > 1 else self._free
        return [self.updated[n] if n in learns else event for n, event in enumerate(ordered)]

    def _run(self) -> Events:
        if self.phase.barrier and self.before:
            yield self.before.over
        for p in self.phase.passes:
            for image in range(self.batch):
                for vector in range(p.vectors):
                    self.env.process(self._travel(At(self.step, image, vector, p.name), p))
        updates = {update.layer: update for update in self.phase.updates}
        for layer, left in enumerate(self._visits_left):
            if not left:
                self.visited[layer].succeed()
            self.env.process(self._update(layer, updates.get(layer)))
        yield self.env.all_of(self.updated)
        if self.before:
            yield self.before.over
        self.over.succeed()

    def _update(self, layer: int, update: Update | None) -> Events:
        """Let a layer learn once its visits are over; behind a barrier, once those of all layers are."""
        yield self.env.all_of(self.visited) if self.phase.barrier else self.visited[layer]
        if update is not None:
            at, parts = At(self.step, _ONCE, _ONCE, "update"), self.parts.layers[layer]
            yield from self.parts.work(at, parts, update.jobs)
            for _ in range(update.writes):
                yield from self.parts.write(at, parts)
        self.updated[layer].succeed()

    def _travel(self, at: At, p: Pass) -> Events:
        """Let a vector pass its layers."""
        yield self.env.all_of([self._passed[name, at.image] for name in p.awaits])
        left = self.env.event()  # triggered once the vector has room in front of the next layer
        left.succeed()
        for n, visit in enumerate(p.visits):
            if p.whole_steps and n:
                yield from self._stored(visit, p.visits[n - 1], left)
            if (free := self._free[visit.layer]) is not None and not self._out_of_step(visit, p):
                yield free
            left = yield from self._visit(at, visit, left)
        if not left.triggered:
            left.succeed()
        key = p.name, at.image
        self._vectors_left[key] -= 1
        if not self._vectors_left[key]:
            self._passed[key].succeed()

    def _stored(self, visit: Visit, before: Visit, left: simpy.Event) -> Events:
        """Keep a vector until the layer before has learned from all of the step."""
        left.succeed()
        stored = WORD_BYTES * self.parts.layers[visit.layer].stage.shape[0]
        self.parts.hold(stored)
        yield self.updated[before.layer]
        self.parts.hold(-stored)

    def _out_of_step(self, visit: Visit, p: Pass) -> bool:
        """Return whether a layer learns from an earlier step than the one that the pass belongs to."""
        late = {later.layer for one in self.phase.passes if one.whole_steps for later in one.visits[1:]}
        return not p.whole_steps and visit.layer in late

    def _visit(self, at: At, visit: Visit, left: simpy.Event) -> Generator[simpy.Event, Any, simpy.Event]:
        """Have a layer do what a vector brings until it may go on, and return what to trigger when it does."""
        parts, layer = self.parts, self.parts.layers[visit.layer]
        taken = self.env.event()  # from the buffer
        if visit.reads:
            yield (slot := layer.buffer.request())
            parts.hold(WORD_BYTES * layer.stage.shape[0])
            _when(taken, lambda: parts.leave_buffer(layer, slot))
        if not left.triggered:
            left.succeed()
        yield from parts.work(at, layer, visit.before)
        if visit.back is not None:
            yield from self._back(at, layer, visit.back)
        converter = yield from self._reads(at, visit, layer, taken)
        parts.hold(visit.kept_bytes)
        if visit.kept_until is not None:
            self._kept[visit.layer, at.image, visit.kept_until] += visit.kept_bytes
        taken_up, onward, ready = self.env.event(), self.env.event(), self.env.event()
        if converter is not None:
            _when(self.env.all_of([taken_up, onward]), lambda: layer.adc.give_back(converter))
        self.env.process(self._learn(at, visit, layer, taken_up, ready))
        yield ready
        return onward

    def _reads(
        self, at: At, visit: Visit, layer: LayerParts, taken: simpy.Event
    ) -> Generator[simpy.Event, Any, Request | None]:
        """Read a layer as often as a visit says, and return the converter that holds the answer of an array."""
        stage, reads = layer.stage, visit.reads
        if stage.digital_weights:
            products = [Job("product", stage.product)] * (reads * stage.reads_per_vector)
            yield from self.parts.work(at, layer, products, None if stage.analog else taken)
        if not (stage.analog and reads):
            return None
        return (yield from self._converted(at, layer, stage.read, reads * stage.reads_per_vector, taken))

    def _converted(
        self, at: At, layer: LayerParts, read: Read, times: int, taken: simpy.Event
    ) -> Generator[simpy.Event, Any, Request]:
        """Read an array several times, one read behind the other; return the converter of the last."""
        turns = [layer.dac.resource.request() for _ in range(times)]
        converted = [self.env.event() for _ in turns]
        for turn, done in zip(turns, converted, strict=True):
            self.env.process(self.parts.read(at, layer, read, turn, done))
        for done in converted[:-1]:
            done.callbacks.append(lambda done: layer.adc.give_back(done.value))  # type: ignore[union-attr]
        yield turns[-1]
        taken.succeed()
        return (yield converted[-1])

    def _back(self, at: At, layer: LayerParts, product: Job) -> Events:
        if not (layer.stage.analog and self.parts.hardware.architecture.transposed_reads):
            yield from self.parts.work(at, layer, [product])
            return
        converter = yield from self._converted(at, layer, layer.stage.back, 1, self.env.event())
        layer.adc.give_back(converter)
        yield from self.parts.work(at, layer, partial_sums(layer.stage.back_sums))

    def _learn(self, at: At, visit: Visit, layer: LayerParts, taken_up: simpy.Event, ready: simpy.Event) -> Events:
        """Do the digital work behind a read."""
        reads = visit.reads * layer.stage.reads_per_vector
        sums = partial_sums(reads * layer.stage.partial_sums)
        yield from self.parts.work(at, layer, [*sums, *visit.then], taken_up)
        ready.succeed()
        yield from self.parts.work(at, layer, visit.after, taken_up)
        if not taken_up.triggered:
            taken_up.succeed()
        if visit.kept_until is None:
            self.parts.hold(-visit.kept_bytes)
        self.parts.hold(-self._kept.pop((visit.layer, at.image, at.passing), 0.0))
        self._visits_left[visit.layer] -= 1
        if not self._visits_left[visit.layer]:
            self.visited[visit.layer].succeed()


def _when(event: simpy.Event, act: Callable[[], None]) -> None:
    assert event.callbacks is not None  # it is to come
    event.callbacks.append(lambda _: act())
