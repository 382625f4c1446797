r"""The way of a signal through one array's periphery where it is not the plain one, from the numbers of a `Periphery`.

Sums are converted before the neurons where they are formed in parts, in tiles or bit by bit:

.. math::
    y = f\Big(\sum_t \sum_i \tfrac{2^i}{2^B - 1}\,
        \mathrm{ADC}_t\left[g_t \circ (W_t q_{ti} + \sigma \xi) + o_t + \sigma_r \xi'\right] + b; s\Big)

The neurons are then digital: gain, offset and noise are those of the amplifier behind each column of each tile, the
bias is a number, and outputs have no converter. With :math:`T` tiles a partial sum is :math:`\sqrt T` times smaller
than the whole one; offsets, noise and range of its converter are too.

A learned or percentile range of the inputs is left out: a converter that learns from the first signals it sees
would answer otherwise to a batch in two halves, and calibration by signals is no verb of the contract. ``input_max``
is what such a calibration would set.
"""

from typing import NamedTuple

import torch

from analogff.device import product
from hardware_models import kernels
from hardware_models.effects import converters, crosstalk, defects, wires
from hardware_models.effects.quantise import quantise
from hardware_models.effects.tiles import serial, signed_range, tiles
from hardware_models.kernels.circuit import Circuit, Detours
from hardware_models.kernels.reference.read import noise_of_sums
from hardware_models.periphery import SERIAL_BITS, Periphery
from hardware_models.streams import Stream, of_conversion

Numbers = dict[str, torch.Tensor]


class Turns(NamedTuple):
    """Where the signals of a chip leave the plain way."""

    adc: bool
    """Its output converters have errors."""
    adc_steps: bool
    """Their steps differ."""
    dac: bool
    """Its input converters have errors."""
    dac_steps: bool
    """Their steps differ."""
    wires: bool
    """Its wires have a resistance."""
    rows: bool
    """Input lines are dead."""
    columns: bool
    """Columns are dead, or couple."""
    digital: bool
    """Its sums are converted in parts."""


def turns_of(periphery: Periphery, numbers: Numbers) -> list[Turns]:
    """Return the turns of each chip.

    Args:
        periphery: Of all chips.
        numbers: Its numbers, each ``(chips, 1, 1)``.
    """

    def some(*names: str) -> list[bool]:
        return torch.stack([numbers[name].flatten() > 0 for name in names]).any(0).tolist()

    each = dict(
        adc=some("adc_gain_error", "adc_offset_lsb", "adc_inl_lsb", "adc_noise_lsb"),
        adc_steps=some("adc_inl_lsb"),
        dac=some("dac_gain_error", "dac_inl_lsb"),
        dac_steps=some("dac_inl_lsb"),
        wires=some("wire_ohm"),
        rows=some("dead_rows"),
        columns=some("crosstalk", "dead_columns"),
    )
    chips = zip(*each.values(), strict=True)
    return [Turns(**dict(zip(each, turns, strict=True)), digital=periphery.digital) for turns in chips]


class Linear(NamedTuple):
    r"""What a chip does to small signals before its curve, :math:`g (W x + b) + o`, and after it."""

    weights: torch.Tensor
    """``W``, ``(1, n_out, n_in)``."""
    gain: torch.Tensor
    """``g``, ``(1, 1, n_out)``."""
    offset: torch.Tensor
    """``o``, ``(1, 1, n_out)``."""
    after: torch.Tensor
    """Gain of what follows the curve, ``(1, 1, n_out)``."""


class SignalPath:
    """The way of one chip's signals.

    Args:
        periphery: What stands around its array.
        turns: Which ways it goes.
        circuit: What it would be on the plain way.
        own: All its buffers, each ``(1, ...)``.
    """

    def __init__(self, periphery: Periphery, turns: Turns, circuit: Circuit, own: Numbers):
        self.turns, self.own = turns, own
        self.tiles = tiles(circuit.weights.shape[2], periphery.rows_per_tile)
        self.share = len(self.tiles) ** -0.5
        self.bits = periphery.serial_bits
        self.plain = circuit._replace(weights=self._wired(circuit.weights), variance=self._variance(circuit))

    def circuit(self) -> Circuit:
        """Return the circuit with its detours."""
        turns = self.turns
        detours = Detours(
            inputs=self.inputs if turns.dac or turns.rows else None,
            sums=self.parts if turns.digital else self.sums if turns.columns else None,
            outputs=self.outputs if turns.adc and not turns.digital else None,
        )
        circuit = self.plain._replace(detours=detours, codes=None)
        if not turns.digital:
            return circuit
        none = torch.zeros_like(circuit.read_noise)
        exact = torch.ones_like(circuit.gain[:, :1])
        return circuit._replace(
            weight_noise=none, variance=None, gain=exact, offset=0 * exact, read_noise=none, adc_bits=none
        )

    def inputs(self, x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """Return what lines carry, by converters whose steps and gains differ; dead ones nothing."""
        low, high, bits = self.plain.input_min, self.plain.input_max, self.plain.dac_bits
        q = quantise(x, low, high, bits)
        if self.turns.dac_steps:
            step = (high - low) / (2.0**bits - 1)
            code = ((q - low) / step).round()
            level = converters.looked_up(self.own["dac_levels"], code.nan_to_num().long())
            q = torch.where(q.isnan(), q, low + level * step)
        if self.turns.dac:
            q = q * self.own["dac_gain"]
        return defects.silenced(q, self.own["row_is_dead"]) if self.turns.rows else q

    def sums(self, q: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """Return the sums of columns that couple or are dead."""
        return self._sensed(product(q, self.plain.weights))

    def outputs(self, y: torch.Tensor, first_row: torch.Tensor) -> torch.Tensor:
        """Convert what neurons put out."""
        return self._converted(y, self.plain.output_min, self.plain.output_max, first_row, 0, 0)

    def parts(self, q: torch.Tensor, first_row: torch.Tensor) -> torch.Tensor:
        """Return sums that were converted tile by tile, and bit by bit, and added."""
        total = torch.zeros((), device=q.device)
        for tile, lines in enumerate(self.tiles):
            weights = self.plain.weights[..., lines].contiguous()
            for bit in range(self.bits or 1):
                signals, worth = self._one_bit(q[..., lines], bit) if self.bits else (q[..., lines], 1.0)
                number = tile * SERIAL_BITS + bit
                total = total + worth * self._part(signals.contiguous(), weights, lines, first_row, tile, number)
        return total

    def linear(self) -> Linear:
        """Return the small-signal response of what is on the way beside the curve, without steps and limits."""
        weights, own = self.plain.weights, self.own
        after = torch.ones_like(self.plain.gain)
        if self.turns.columns:
            weights = self._sensed(weights.mT).mT
        if self.turns.rows:
            weights = defects.silenced(weights, own["row_is_dead"])
        if self.turns.dac:
            weights = weights * own["dac_gain"]
        if self.turns.adc:
            after = own["adc_gain"]
        if not self.turns.digital:
            return Linear(weights, self.plain.gain, self.plain.offset, after)
        gain, offset = self.plain.gain * after, self.plain.offset * after
        if self.turns.adc:
            low, high = self._range()
            offset = offset + own["adc_offset"] * _step(low, high, self.plain.adc_bits)
        of_lines = [gain[:, t, :, None].expand(-1, -1, lines.stop - lines.start) for t, lines in enumerate(self.tiles)]
        one = torch.ones_like(gain[:, :1])
        return Linear(weights * torch.cat(of_lines, 2), one, offset.sum(1, keepdim=True), one)

    def _part(
        self,
        q: torch.Tensor,
        weights: torch.Tensor,
        lines: slice,
        first_row: torch.Tensor,
        tile: int,
        number: int,
    ) -> torch.Tensor:
        """Read one tile, and convert its sums."""
        here = self.plain
        variance = None if here.variance is None else here.variance[..., lines].contiguous()
        a = self._sensed(product(q, weights))
        sigma = noise_of_sums(here._replace(variance=variance), q)
        self._add_noise(a, sigma, first_row, Stream.WEIGHT_READ, number)
        a.mul_(here.gain[:, tile : tile + 1]).add_(here.offset[:, tile : tile + 1])
        self._add_noise(a, here.read_noise * self.share, first_row, Stream.READ, number)
        return self._converted(a, *self._range(), first_row, tile, number)

    def _one_bit(self, q: torch.Tensor, bit: int) -> tuple[torch.Tensor, float]:
        """Return lines at full scale or zero, and what they count for."""
        steps = 2.0**self.bits - 1
        return serial(q, self.plain.input_max / steps, bit) * self.plain.input_max, 2.0**bit / steps

    def _range(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the ends of the converters of partial sums."""
        return signed_range(self.own["sum_max"] * self.share, self.plain.adc_bits)

    def _converted(
        self, v: torch.Tensor, low: torch.Tensor, high: torch.Tensor, first_row: torch.Tensor, tile: int, number: int
    ) -> torch.Tensor:
        """Put signals through the converters of one tile's columns."""
        bits, own = self.plain.adc_bits, self.own
        if not self.turns.adc:
            return quantise(v, low, high, bits)
        step = _step(low, high, bits)
        v = v * own["adc_gain"][:, tile : tile + 1] + own["adc_offset"][:, tile : tile + 1] * step
        self._add_noise(v, own["adc_noise_lsb"] * step, first_row, Stream.ADC_NOISE, number)
        if not self.turns.adc_steps:
            return quantise(v, low, high, bits)
        columns = v.shape[-1]
        thresholds = own["adc_thresholds"][:, tile * columns : (tile + 1) * columns]
        return low + converters.codes((v - low) / step, thresholds) * step

    def _add_noise(
        self, v: torch.Tensor, sigma: torch.Tensor, first_row: torch.Tensor, stream: Stream, number: int
    ) -> None:
        kernels.add_normal_(v, sigma, self.plain.seeds, first_row, of_conversion(stream, number))

    def _sensed(self, a: torch.Tensor) -> torch.Tensor:
        """Return what is sensed of the sums of columns."""
        if not self.turns.columns:
            return a
        a = crosstalk.mix(a, self.own["crosstalk"])
        return defects.silenced(a, self.own["column_is_dead"]) if "column_is_dead" in self.own else a

    def _wired(self, weights: torch.Tensor) -> torch.Tensor:
        if not self.turns.wires:
            return weights
        parts = [weights[..., lines].contiguous() for lines in self.tiles]
        return torch.cat([wires.wired(w, self.own["wire_ohm"], self.own["siemens"]) for w in parts], 2)

    def _variance(self, circuit: Circuit) -> torch.Tensor | None:
        """Return the noise of each weight, where dead columns have none."""
        if "column_is_dead" not in self.own or not self.turns.columns:
            return circuit.variance
        each = (
            circuit.weight_noise.square().expand_as(circuit.weights) if circuit.variance is None else circuit.variance
        )
        return each.masked_fill(self.own["column_is_dead"].mT, 0)


def _step(low: torch.Tensor, high: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """Return a converter's LSB; 0 of a continuous one."""
    return torch.where(bits > 0, (high - low) / (2.0**bits - 1).clamp(min=1), 0.0)
