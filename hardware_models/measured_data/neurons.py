"""Cells whose pulses land as asked, in front of measured neurons."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from analogff.device import PerChip
from hardware_models import kernels
from hardware_models.array.neuron_array import NeuronArray
from hardware_models.array.periphery import Periphery
from hardware_models.array.programmed import Programming
from hardware_models.array.stages.stage import Stage
from hardware_models.effects.tiles import signed_range
from hardware_models.kernels.streams import Stream
from hardware_models.measured_data.measured_curves import Curves
from hardware_models.measured_data.piecewise import Piecewise, lines, tensors
from hardware_models.measured_data.scale import Scale


class MeasuredNeurons(NeuronArray):
    r"""An array whose neurons each are one of the measured copies.

    .. math::
        y_j = \mathrm{ADC}\left[f_{c_j}\!\big(\mathrm{clip}(v_0 + u a_j,\ v_\mathrm{low}, v_\mathrm{high})\big) / y_1
        + \sigma(y_j)\, \xi\right]

    with :math:`c_j` drawn when the chip is made, each copy as likely as the others.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        periphery: Converters and lines.
        programming: What write-and-verify leaves, and costs.
        curves: As measured.
        scale: What signals are in their units.
        measured_noise: Factor on the measured noise.
    """

    copy: torch.Tensor
    breaks: torch.Tensor
    coefficients: torch.Tensor
    drivers_low: torch.Tensor
    drivers_high: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        curves: Curves,
        scale: Scale,
        measured_noise: PerChip,
    ):
        table = _in_sums(curves, scale)
        mean = Piecewise(table.breaks, table.coefficients.mean(1, keepdim=True))
        low, high = (float(end) for end in scale.sums(np.array([scale.low, scale.high])))
        least, most = _range(scale, periphery.adc_bits)
        noise = float(np.sqrt(np.mean(curves.stds**2))) / scale.output if len(curves.stds) else 0.0
        printed: dict[str, Any] = dict(
            output_min=least,
            read_noise=_together(periphery.read_noise, measured_noise * noise),
            source=_source(curves, scale),
        )
        self.noisy = bool(len(curves.stds))  # before the stages are chosen
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            programming=programming,
            neuron=lambda a: mean.to(a.device)(a.clamp(low, high)),
            output_max=most,
            printed=printed,
            drivers_low=low,
            drivers_high=high,
            measured_noise=measured_noise,
        )
        self._keep("breaks", table.breaks)
        self._keep("coefficients", table.coefficients)
        drawn = kernels.uniform(self.seeds, 0, 1, n_out, Stream.MEASURED_COPY)
        self._keep("copy", (drawn * curves.copies).long().clamp(max=curves.copies - 1))
        by_level = lines(curves.levels / scale.output, curves.stds / scale.output) if len(curves.stds) else None
        if by_level is not None:
            self._keep("noise_levels", by_level.breaks)
            self._keep("noise_lines", by_level.coefficients)

    def _curve(self, chips):
        table, low, high = Piecewise(self.breaks, self.coefficients), self.drivers_low[chips], self.drivers_high[chips]
        copy = self.copy[chips]
        return lambda a, s: table(a.clamp(low, high), copy)

    def _neuron_stages(self):
        return (MeasuredNoise(),) if self.noisy else ()


class MeasuredNoise(Stage):
    """Noise as it was measured at each level of the output."""

    @override
    def apply(self, signal):
        buffers, y = signal.chips.buffers, signal.value
        by_level = Piecewise(buffers["noise_levels"], buffers["noise_lines"])
        return signal.add_noise(signal.chips["measured_noise"] * by_level(y), Stream.MEASURED_NOISE)


def _in_sums(curves: Curves, scale: Scale) -> Piecewise:
    """Return the curves of sums, as signals count."""
    powers = scale.unit ** np.arange(4)[:, None, None] / scale.output
    return tensors(scale.sums(curves.breaks), curves.coefficients * powers)


def _range(scale: Scale, bits: int | torch.Tensor) -> tuple[PerChip, PerChip]:
    """Return which outputs converters take; those of both signs are of two's complement, with a code for 0."""
    low, high = scale.converters
    if low < 0 < high:
        ends = signed_range(torch.tensor(high, dtype=torch.float64), torch.as_tensor(bits))
        low, high = (end if end.dim() else end.item() for end in ends)
    return low, high


def _together(one: PerChip, other: PerChip) -> PerChip:
    """Return the spread of the sum of two noises."""
    both = (torch.as_tensor(one).square() + torch.as_tensor(other).square()).sqrt()
    return both if both.dim() else both.item()


def _source(curves: Curves, scale: Scale) -> str:
    input_unit, output_unit = (f" {unit}".rstrip() for unit in curves.units)
    least, greatest = curves.outputs
    return (
        f"{curves.file}: measured copies {curves.copies}, inputs {scale.low:g} to {scale.high:g}{input_unit}, outputs "
        f"{least:g} to {greatest:g}{output_unit}; a weighted sum of 1 is {scale.unit:g}{input_unit}, an output of 1 "
        f"is {scale.output:g}{output_unit}" + "".join(f"; {note}" for note in curves.notes)
    )
