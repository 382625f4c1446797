"""The resources of a chip, and their use."""

import dataclasses
from collections.abc import Generator, Iterable, Sequence
from typing import Any, NamedTuple

import simpy
from simpy.resources.resource import Request

from analogff.system.work import WORD_BYTES, elementwise
from analogff.timeline.dataflow import Job
from analogff.timeline.hardware import Act, Hardware, Read, Stage
from analogff.timeline.log import Interval, Kind, Level, Log

Events = Generator[simpy.Event, Any, None]
"""What a process waits for, one event after the other."""


class At(NamedTuple):
    """Whose work it is; see `Interval`."""

    step: int
    image: int
    vector: int
    passing: str


@dataclasses.dataclass(frozen=True)
class Part:
    """A resource with its name."""

    name: str
    resource: simpy.Resource

    def give_back(self, request: Request) -> None:
        """Let the next one use it."""
        self.resource.release(request)


@dataclasses.dataclass(frozen=True)
class LayerParts:
    """The resources of a layer; those it does not use are never asked for."""

    stage: Stage
    buffer: simpy.Resource
    dac: Part
    array: Part
    adc: Part
    digital: Part
    write: Part


class Parts:
    """The resources of a chip and the log of their use.

    Args:
        env: The simulation.
        hardware: The chip.
        batch: Images of a step.
    """

    def __init__(self, env: simpy.Environment, hardware: Hardware, batch: int):
        self.env, self.hardware = env, hardware
        self._shared = self._part("digital") if hardware.architecture.shared_digital else None
        self.layers = [self._layer(stage) for stage in hardware.stages]
        self.log = Log(batch, list(dict.fromkeys(self._names())))

    def hold(self, change_bytes: float) -> None:
        """Record that memories hold more, or less."""
        if change_bytes:
            self.log.levels.append(Level(self.env.now, change_bytes))

    def leave_buffer(self, layer: LayerParts, slot: Request) -> None:
        """Take a vector out of the buffer in front of a layer."""
        layer.buffer.release(slot)
        self.hold(-WORD_BYTES * layer.stage.shape[0])

    def use(self, at: At, part: Part, kind: Kind, label: str, act: Act) -> Events:
        """Use a part that is at one's disposal, and record it."""
        start = self.env.now
        if act.seconds:
            yield self.env.timeout(act.seconds)
        if act.seconds or act.joules or act.memory_joules:
            times = start, self.env.now
            self.log.intervals.append(Interval(part.name, kind, label, *at, *times, act.joules, act.memory_joules))

    def work(self, at: At, layer: LayerParts, jobs: Iterable[Job], taken_up: simpy.Event | None = None) -> Events:
        """Have digital logic do jobs, each in its turn.

        Args:
            at: Whose jobs.
            layer: Whose digital logic.
            jobs: The jobs.
            taken_up: Triggered as soon as logic turns to the first one.
        """
        for job in jobs:
            with layer.digital.resource.request() as turn:
                yield turn
                if taken_up is not None and not taken_up.triggered:
                    taken_up.succeed()
                yield from self.use(at, layer.digital, "digital", job.label, self.hardware.digital(job.work))

    def read(self, at: At, layer: LayerParts, read: Read, dac: Request, converted: simpy.Event) -> Events:
        """Read the array once: convert the inputs, settle, convert the outputs.

        Args:
            at: Whose read.
            layer: The layer.
            read: Times and energies.
            dac: The request for its converters.
            converted: Triggered in the end, with the converter, which whoever waits gives back.
        """
        yield dac
        yield from self.use(at, layer.dac, "convert", "DAC", read.dac)
        array = layer.array.resource.request()
        yield array
        layer.dac.give_back(dac)  # it holds the inputs until the array takes them
        yield from self.use(at, layer.array, "read", "settle", read.settle)
        adc = layer.adc.resource.request()
        yield adc
        if self.hardware.architecture.sample_and_hold:
            layer.array.give_back(array)
        yield from self.use(at, layer.adc, "convert", "ADC", read.adc)
        if not self.hardware.architecture.sample_and_hold:
            layer.array.give_back(array)
        converted.succeed(adc)

    def write(self, at: At, layer: LayerParts) -> Events:
        """Write all weights of a layer once, which no read may overlap."""
        if layer.stage.digital_weights:
            yield from self.work(at, layer, [Job("write", layer.stage.change)])
            return
        with layer.array.resource.request() as array, layer.write.resource.request() as circuit:
            yield array & circuit
            start = self.env.now
            yield from self.use(at, layer.write, "write", "write", layer.stage.write)
            if self.env.now > start:
                self.log.intervals.append(
                    Interval(layer.array.name, "write", "write", *at, start, self.env.now, 0.0, 0.0)
                )

    def _layer(self, stage: Stage) -> LayerParts:
        buffer = simpy.Resource(self.env, capacity=self.hardware.architecture.buffer_vectors)
        dac, array, adc, digital, write = (
            self._part(f"{stage.name} {what}") for what in ("DAC", "array", "ADC", "digital", "write")
        )
        return LayerParts(stage, buffer, dac, array, adc, self._shared or digital, write)

    def _part(self, name: str) -> Part:
        return Part(name, simpy.Resource(self.env, capacity=1))

    def _names(self) -> Iterable[str]:
        for layer in self.layers:
            analog: Sequence[Part] = (layer.dac, layer.array, layer.adc) if layer.stage.analog else ()
            yield from (part.name for part in analog)
            yield layer.digital.name
            if not layer.stage.digital_weights:
                yield layer.write.name


def partial_sums(additions: int) -> list[Job]:
    """Return the digital work of adding what tiles convert apart."""
    return [Job("partial sums", elementwise(additions, operations=1, operands=1))] if additions else []
