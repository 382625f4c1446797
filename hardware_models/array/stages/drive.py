"""From inputs to what is on the lines: input converters and dead lines."""

import torch
from typing_extensions import override

from hardware_models.array.stages.stage import Stage
from hardware_models.effects import converters, defects
from hardware_models.effects.quantize import quantize


class Dac(Stage):
    """Input converters without errors."""

    @override
    def apply(self, signal):
        circuit = signal.chips.circuit
        return signal.replaced(quantize(signal.value, circuit.input_min, circuit.input_max, circuit.dac_bits))


class UnequalDac(Dac):
    """Input converters whose steps differ."""

    @override
    def apply(self, signal):
        circuit, q = signal.chips.circuit, super().apply(signal).value
        step = (circuit.input_max - circuit.input_min) / (2.0**circuit.dac_bits - 1)
        code = ((q - circuit.input_min) / step).round()
        level = converters.looked_up(signal.chips["dac_levels"], code.nan_to_num().long())
        return signal.replaced(torch.where(q.isnan(), q, circuit.input_min + level * step))


class DacGain(Stage):
    """Gains of the input converters, which differ from line to line."""

    @override
    def apply(self, signal):
        return signal.replaced(signal.value * signal.chips["dac_gain"])

    @override
    def linearize(self, response, chips):
        return response.replaced(weights=response.weights * chips["dac_gain"])


class DeadRows(Stage):
    """Lines that carry nothing."""

    @override
    def apply(self, signal):
        return signal.replaced(defects.silenced(signal.value, signal.chips["row_is_dead"]))

    @override
    def linearize(self, response, chips):
        return response.replaced(weights=defects.silenced(response.weights, chips["row_is_dead"]))


def drive(active: frozenset[str]) -> tuple[Stage, ...]:
    """Return the stages of a chip.

    Args:
        active: Names of its numbers that are above zero.
    """
    stages: list[Stage] = [UnequalDac() if "dac_inl_lsb" in active else Dac()]
    if active & {"dac_gain_error", "dac_inl_lsb"}:
        stages.append(DacGain())
    if "dead_rows" in active:
        stages.append(DeadRows())
    return tuple(stages)
