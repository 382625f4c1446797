"""What neurons do: their curve, and where they couple, remember or flicker."""

import dataclasses

import torch
from typing_extensions import override

from hardware_models import kernels
from hardware_models.array.periphery import FLICKER_OCTAVES, SETTLE_SECONDS
from hardware_models.array.stages.stage import Signal, Stage
from hardware_models.effects import coupling, memory, telegraph
from hardware_models.kernels.streams import Stream


class Curve(Stage):
    """Mean response of a neuron."""

    @override
    def apply(self, signal):
        circuit = signal.chips.circuit
        return signal.replaced(circuit.curve(signal.value, circuit.steepness))


class Limits(Stage):
    """Outputs end where the range of the neurons ends."""

    @override
    def apply(self, signal):
        circuit = signal.chips.circuit
        return signal.replaced(torch.clamp(signal.value, circuit.output_min, circuit.output_max))


class Coupling(Stage):
    """Inhibition by the mean output, and the droop of a shared supply."""

    @override
    def apply(self, signal):
        chips = signal.chips
        inhibited = coupling.inhibited(signal.value, chips["inhibition"])
        return signal.replaced(coupling.drooped(inhibited, chips["supply_droop"], chips.circuit.output_max))


class Settling(Stage):
    """Neurons that are sampled before they have settled. The response is that to the input of the same read."""

    @override
    def apply(self, signal):
        chips, share = signal.chips, _settling(signal.chips["neuron_seconds"])
        return _remembered("neuron_state", signal, memory.settled(signal.value, chips["neuron_state"], share))

    @override
    def linearize(self, response, chips):
        return response.replaced(after=response.after * _settling(chips["neuron_seconds"]))


class Hysteresis(Stage):
    """Neurons with play."""

    @override
    def apply(self, signal):
        chips = signal.chips
        return _remembered(
            "neuron_play", signal, memory.played(signal.value, chips["neuron_play"], chips["hysteresis"])
        )


class Flicker(Stage):
    """1/f noise of each neuron."""

    @override
    def apply(self, signal):
        chips, first, (rows, columns) = signal.chips, signal.first_row, signal.value.shape[1:]
        octaves = telegraph.octave_rows(first, rows, FLICKER_OCTAVES)
        draws = [kernels.normal(chips.circuit.seeds, row, count, columns, Stream.FLICKER) for row, count in octaves]
        noise = telegraph.flicker(draws, first, rows, chips["flicker_phase"])
        return signal.replaced(signal.value + chips["neuron_flicker"] * noise)


@dataclasses.dataclass(frozen=True)
class ReadNoise(Stage):
    """White noise of an output, or of a partial sum."""

    share: float = 1.0
    """What a tile has of it."""

    @override
    def apply(self, signal):
        return signal.add_noise(signal.chips.circuit.read_noise * self.share, Stream.READ)


def neuron(active: frozenset[str]) -> tuple[Stage, ...]:
    """Return what the neurons of a chip do beyond their curve; the argument is that of `drive.drive`."""
    stages: list[Stage] = []
    if active & {"inhibition", "supply_droop"}:
        stages.append(Coupling())
    if "neuron_seconds" in active:
        stages.append(Settling())
    if "hysteresis" in active:
        stages.append(Hysteresis())
    limits = [Limits()] if stages else []
    return (*limits, *stages, *([Flicker()] if "neuron_flicker" in active else []))


def _settling(tau_seconds: torch.Tensor) -> torch.Tensor:
    """Return the share of its way that an output has gone when it is sampled."""
    return memory.settling(SETTLE_SECONDS, tau_seconds)


def _remembered(name: str, signal: Signal, y: torch.Tensor) -> Signal:
    """Keep the last outputs for the next read."""
    if y.shape[1]:
        signal.chips[name].copy_(y[:, -1:])
    return signal.replaced(y)
