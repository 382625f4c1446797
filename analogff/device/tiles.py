"""Arrays that share the neurons of a layer: their currents add up, each in a significance of its own."""

import dataclasses
from collections.abc import Sequence

import torch
from typing_extensions import override

from analogff.device.protocol import Device, Truth
from analogff.device.shared_inputs import whole


class Tiles(Device):
    r"""A layer whose weights are a sum over arrays.

    .. math:: y = f\left(\sum_n \gamma^n W_n x + b\right)

    The first array has the neurons and converters; of the others only the currents are used. Pulses go to the first;
    whoever writes the others has them beside it, and lets their time pass.

    Args:
        arrays: Banked devices of one class, whose `Device.sums` works.
        significance: ``gamma``.
    """

    banked = True

    def __init__(self, arrays: Sequence[Device], significance: float):
        first, count = arrays[0], len(arrays)
        sheet = first.datasheet
        most = None if sheet.weight_max is None else sheet.weight_max * sum(significance**n for n in range(count))
        sheet = dataclasses.replace(sheet, weight_max=most, signal_joules=count * sheet.signal_joules)
        super().__init__(sheet.n_in, sheet.n_out, datasheet=sheet)
        self.arrays, self.significance = torch.nn.ModuleList(arrays), significance

    @property
    def first(self) -> Device:
        """The array with the neurons."""
        return self.arrays[0]  # type: ignore[return-value]

    @override
    def measure(self, x, bias=None):
        return self.first.measure(x, self._others(x, bias))

    @override
    def measure_biased(self, x, biases):
        return [self.measure(whole(x), bias) for bias in biases]

    @override
    def pulse(self, change):
        return self.first.pulse(change)

    @override
    def pulse_trains(self, rows, columns):
        return self.first.pulse_trains(rows, columns)

    @override
    def program(self, weights):
        """Program the first array, and nothing onto the others."""
        steps = [array.program(torch.zeros_like(weights) if n else weights) for n, array in enumerate(self.arrays)]  # type: ignore[operator]
        return None if any(step is None for step in steps) else sum(steps)

    @override
    def wait(self, seconds):
        self.first.wait(seconds)

    @override
    def oracle(self, x, bias=None):
        truths = [array.oracle(x) for array in self.arrays]  # type: ignore[operator]
        weights = torch.stack([self.significance**n * truth.weights for n, truth in enumerate(truths)]).sum(0)
        others = x @ (weights - truths[0].weights).mT
        return Truth(self.first.oracle(x, others if bias is None else others + bias).slope, weights)

    @override
    def knows_truth(self):
        return self.first.knows_truth()

    def _others(self, x: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Return a bias with the currents of the other arrays."""
        for n, array in enumerate(self.arrays[1:], 1):  # type: ignore[arg-type]
            current = self.significance**n * array.sums(x)  # type: ignore[operator]
            bias = current if bias is None else bias + current
        assert bias is not None
        return bias
