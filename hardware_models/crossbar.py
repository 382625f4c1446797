"""A crossbar and its periphery: the composition of effects that the array devices share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from analogff.device import Datasheet, Device, Truth, product
from hardware_models import kernels
from hardware_models.effects import mismatch
from hardware_models.effects.noise import sum_noise
from hardware_models.effects.quantise import quantise
from hardware_models.parameters import per_chip
from hardware_models.periphery import Periphery
from hardware_models.streams import Stream


class Crossbar(Device):
    r"""Inputs through converters onto an array of cells, sums through neurons to converters.

    .. math::
        y = \mathrm{ADC}\left[f(g \circ (W q + b + \sigma_W |q| \xi) + o) + \sigma \xi'\right], \quad
        q = \mathrm{DAC}[x]

    The cells are a subclass's: it fills ``weights`` and overrides `pulse` and `program`.
    The chips of a bank are read one after the other on a CPU, so that a chip's numbers do not depend on its
    neighbours, and what belongs to it stays in the cache.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        datasheet: What its maker prints.
        periphery: Converters and neurons.
        weight_noise: Fluctuation of a weight from read to read, in units of a weight.
        cells: Further per-chip numbers, kept as buffers of their names.
    """

    banked = True

    if TYPE_CHECKING:  # every name that is not a method is a buffer

        def __getattr__(self, name: str) -> torch.Tensor: ...

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        datasheet: Datasheet,
        periphery: Periphery,
        weight_noise: Any = 0.0,
        **cells: Any,
    ):
        super().__init__(n_in, n_out, datasheet=datasheet)
        self.curve = periphery.family.curve
        self._keep("seeds", torch.as_tensor(seed, dtype=torch.int64).reshape(-1))
        self._keep("reads", torch.zeros_like(self.seeds))
        self._keep("writes", torch.zeros_like(self.seeds))
        numbers = dict(vars(periphery), weight_noise=weight_noise, input_min=0.0, output_min=0.0, **cells)
        numbers["output_max"] = numbers.pop("family").high
        for name, value in numbers.items():
            self._keep(name, per_chip(name, value, len(self.seeds)))
        self._keep("gain", mismatch.factor(self.mismatch, self._fabricated(Stream.GAIN, 1, n_out)))
        self._keep("offset", mismatch.offset(self.mismatch, self._fabricated(Stream.OFFSET, 1, n_out)))
        self._keep("weights", self._fabricated(Stream.INITIAL, n_out, n_in) / n_in**0.5)

    def measure(self, x, bias=None):  # noqa: D102
        y = x.new_empty(*x.shape[:2], self.datasheet.n_out)
        bias = y.new_zeros(()) if bias is None else torch.as_tensor(bias, dtype=y.dtype, device=y.device)
        for chip in chip_groups(x):
            y[chip] = self._read(chip, x[chip], bias.expand_as(y)[chip])
        self.reads += x.shape[1]
        return y

    def oracle(self, x, bias=None):  # noqa: D102
        slope = x.new_empty(*x.shape[:2], self.datasheet.n_out)
        bias = slope.new_zeros(()) if bias is None else bias
        for chip in chip_groups(x):
            a = product(x[chip], self.weights[chip]) + bias.expand_as(slope)[chip]
            slope[chip] = self._slope(chip, a * self.gain[chip] + self.offset[chip]) * self.gain[chip]
        return Truth(slope, self.weights.clone())

    def neuron(self, a: torch.Tensor, chip: slice) -> torch.Tensor:
        """Apply the curve of some chips to sums after gain and offset."""
        return self.curve(a)

    def sum_noise(self, x: torch.Tensor, chip: slice) -> torch.Tensor:
        """Return the standard deviation of the weighted sums that inputs ``x`` meet."""
        return sum_noise(x, self.weight_noise[chip])

    def _read(self, chip: slice, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        at = self.seeds[chip], self.reads[chip]
        x = quantise(x, self.input_min[chip], self.input_max[chip], self.dac_bits[chip])
        a = product(x, self.weights[chip]).add_(bias)
        kernels.add_normal_(a, self.sum_noise(x, chip), *at, Stream.WEIGHT_READ)
        y = self.neuron(a.mul_(self.gain[chip]).add_(self.offset[chip]), chip)
        kernels.add_normal_(y, self.read_noise[chip], *at, Stream.READ)
        return quantise(y, self.output_min[chip], self.output_max[chip], self.adc_bits[chip])

    def _slope(self, chip: slice, a: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            a = a.detach().requires_grad_()
            return torch.autograd.grad(self.neuron(a, chip).sum(), a)[0]

    def _keep(self, name: str, value: torch.Tensor) -> None:
        """Make a tensor part of the chip's state."""
        self.register_buffer(name, value)

    def _fabricated(self, stream: Stream, rows: int, columns: int) -> torch.Tensor:
        """Draw standard normals that belong to these chips for good."""
        return kernels.normal(self.seeds, 0, rows, columns, stream)

    def _add_write_noise(
        self, cells: torch.Tensor, sigma: torch.Tensor, stream: Stream, chip: slice = slice(None)
    ) -> torch.Tensor:
        """Add noise of the present write to cells ``(chips, rows, columns)`` in place."""
        first_row = self.writes[chip] * cells.shape[1]
        return kernels.add_normal_(cells, sigma, self.seeds[chip], first_row, stream)


def chip_groups(x: torch.Tensor) -> list[slice]:
    """Return the chips to read together: each by itself on a CPU, all in one launch elsewhere."""
    return [slice(None)] if x.is_cuda else [slice(c, c + 1) for c in range(x.shape[0])]
