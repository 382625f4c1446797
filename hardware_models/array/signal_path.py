r"""The way of a signal through one array's periphery where it is not the plain one, from the numbers of a `Periphery`.

Sums are converted before the neurons where they are formed in parts, in tiles or bit by bit:

.. math::
    y = f\Big(\sum_t \sum_i \tfrac{2^i}{2^B - 1}\,
        \mathrm{ADC}_t\left[g_t \circ (W_t q_{ti} + \sigma \xi) + o_t + \sigma_r \xi'\right] + b; s\Big)

The neurons are then digital: gain, offset and noise are those of the amplifier behind each column of each tile, the
bias is a number, and outputs have no converter. With :math:`T` tiles a partial sum is :math:`\sqrt T` times smaller
than the whole one; offsets, noise and range of its converter are too.

Neurons may couple and remember. What the curve gives is clipped to the neurons' range, and then goes through
inhibition, the droop of a shared supply, settling and hysteresis, in this order: coupling is between the circuits and
decides where outputs go, settling is how they get there, hysteresis is in what they move. Noise, 1/f and
white, comes after, and is not remembered. Reads follow one another without a pause, and neurons hold still in a `wait`.

A learned or percentile range of the inputs is left out: a converter that learns from the first signals it sees
would answer otherwise to a batch in two halves, and calibration by signals is no verb of the contract. ``input_max``
is what such a calibration would set.
"""

from typing import NamedTuple

import torch

from analogff.device import product
from hardware_models import kernels
from hardware_models.array.periphery import FLICKER_OCTAVES, SERIAL_BITS, SETTLE_SECONDS, TRAP_READS, Periphery
from hardware_models.effects import converters, coupling, crosstalk, defects, memory, telegraph, wires
from hardware_models.effects.quantize import quantize
from hardware_models.effects.tiles import serial, signed_range, tiles
from hardware_models.kernels.circuit import Circuit, Detours
from hardware_models.kernels.reference.read import noise_of_sums
from hardware_models.kernels.streams import Stream, of_conversion

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
    stuck: bool
    """Some of its cells are stuck."""
    wires: bool
    """Its wires have a resistance."""
    rows: bool
    """Input lines are dead."""
    columns: bool
    """Columns are dead, or couple."""
    traps: bool
    """Its weights jump."""
    flickers: bool
    """Its neurons have 1/f noise."""
    coupled: bool
    """Its neurons know of each other."""
    slow: bool
    """Its neurons settle too slowly."""
    sticky: bool
    """Its neurons have hysteresis."""
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
        stuck=some("stuck_low", "stuck_high"),
        wires=some("wire_ohm"),
        rows=some("dead_rows"),
        columns=some("crosstalk", "dead_columns"),
        traps=some("telegraph_noise"),
        flickers=some("neuron_flicker"),
        coupled=some("inhibition", "supply_droop"),
        slow=some("neuron_seconds"),
        sticky=some("hysteresis"),
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
        own: All its buffers, each ``(1, ...)``; views, since what neurons remember is written into them.
    """

    def __init__(self, periphery: Periphery, turns: Turns, circuit: Circuit, own: Numbers):
        self.turns, self.own = turns, own
        self.tiles = tiles(circuit.weights.shape[2], periphery.rows_per_tile)
        self.share = len(self.tiles) ** -0.5
        self.bits = periphery.serial_bits
        self.trap_reads = periphery.trap_reads or TRAP_READS
        weights = self._wired(self._stuck(circuit.weights))
        self.plain = circuit._replace(weights=weights, variance=self._variance(circuit))

    def circuit(self) -> Circuit:
        """Return the circuit with its detours."""
        turns = self.turns
        detours = Detours(
            inputs=self.inputs if turns.dac or turns.rows else None,
            sums=self.sums if turns.digital or turns.columns or turns.traps else None,
            neurons=self.neurons if turns.flickers or turns.coupled or turns.slow or turns.sticky else None,
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
        q = quantize(x, low, high, bits)
        if self.turns.dac_steps:
            step = (high - low) / (2.0**bits - 1)
            code = ((q - low) / step).round()
            level = converters.looked_up(self.own["dac_levels"], code.nan_to_num().long())
            q = torch.where(q.isnan(), q, low + level * step)
        if self.turns.dac:
            q = q * self.own["dac_gain"]
        return defects.silenced(q, self.own["row_is_dead"]) if self.turns.rows else q

    def sums(self, q: torch.Tensor, first_row: torch.Tensor) -> torch.Tensor:
        """Return the sums that columns couple, or that jump, or that are formed in parts."""
        parts = []
        for rows, weights in self._spells(first_row, q.shape[1]):
            here, first = q[:, rows].contiguous(), first_row + (rows.start or 0)
            digital = self.turns.digital
            parts.append(self._parts(here, weights, first) if digital else self._sensed(product(here, weights)))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def neurons(self, y: torch.Tensor, first_row: torch.Tensor) -> torch.Tensor:
        """Return what neurons put out that couple, remember or flicker."""
        turns, own, full = self.turns, self.own, self.plain.output_max
        if turns.coupled or turns.slow or turns.sticky:
            y = torch.clamp(y, self.plain.output_min, full)
        if turns.coupled:
            y = coupling.drooped(coupling.inhibited(y, own["inhibition"]), own["supply_droop"], full)
        if turns.slow:
            y = self._remembered("neuron_state", memory.settled(y, own["neuron_state"], self._settling()))
        if turns.sticky:
            y = self._remembered("neuron_play", memory.played(y, own["neuron_play"], own["hysteresis"]))
        return y + own["neuron_flicker"] * self._flicker(first_row, *y.shape[1:]) if turns.flickers else y

    def outputs(self, y: torch.Tensor, first_row: torch.Tensor) -> torch.Tensor:
        """Convert what neurons put out."""
        return self._converted(y, self.plain.output_min, self.plain.output_max, first_row, 0, 0)

    def _parts(self, q: torch.Tensor, all_weights: torch.Tensor, first_row: torch.Tensor) -> torch.Tensor:
        """Return sums that were converted tile by tile, and bit by bit, and added."""
        total = torch.zeros((), device=q.device)
        for tile, lines in enumerate(self.tiles):
            weights = all_weights[..., lines].contiguous()
            for bit in range(self.bits or 1):
                signals, worth = self._one_bit(q[..., lines], bit) if self.bits else (q[..., lines], 1.0)
                number = tile * SERIAL_BITS + bit
                total = total + worth * self._part(signals.contiguous(), weights, lines, first_row, tile, number)
        return total

    def linear(self) -> Linear:
        """Return the small-signal response of what is on the way beside the curve, without steps and limits.

        Of neurons with a memory that to the input of the same read. How neurons couple, and hysteresis, depends on all
        signals of a read, or of those before, and is left out: each neuron alone, moving one way.
        """
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
        if self.turns.slow:
            after = after * self._settling()
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
            return quantize(v, low, high, bits)
        step = _step(low, high, bits)
        v = v * own["adc_gain"][:, tile : tile + 1] + own["adc_offset"][:, tile : tile + 1] * step
        self._add_noise(v, own["adc_noise_lsb"] * step, first_row, Stream.ADC_NOISE, number)
        if not self.turns.adc_steps:
            return quantize(v, low, high, bits)
        columns = v.shape[-1]
        thresholds = own["adc_thresholds"][:, tile * columns : (tile + 1) * columns]
        return low + converters.codes((v - low) / step, thresholds) * step

    def _add_noise(
        self, v: torch.Tensor, sigma: torch.Tensor, first_row: torch.Tensor, stream: Stream, number: int
    ) -> None:
        kernels.add_normal_(v, sigma, self.plain.seeds, first_row, of_conversion(stream, number))

    def _spells(self, first_row: torch.Tensor, rows: int) -> list[tuple[slice, torch.Tensor]]:
        """Return stretches of reads, and the weights during each."""
        weights, own = self.plain.weights, self.own
        if not self.turns.traps:
            return [(slice(None), weights)]
        length, found = self.trap_reads, []
        for spell in telegraph.spells(int(first_row), rows, length):
            first = first_row + spell.start
            row, count = telegraph.block_rows(first, 1, length)
            drawn = kernels.uniform(self.plain.seeds, row, count, weights[0].numel(), Stream.TELEGRAPH)
            occupancy = torch.full_like(own["telegraph_noise"], 0.5)
            jump = telegraph.telegraph(drawn, first, 1, length, own["trap_phase"], occupancy).view_as(weights)
            found.append((spell, weights * (1 + own["telegraph_noise"] * jump)))
        return found

    def _flicker(self, first_row: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
        """Return 1/f noise of variance 1 of each neuron."""
        octaves = telegraph.octave_rows(first_row, rows, FLICKER_OCTAVES)
        draws = [kernels.normal(self.plain.seeds, row, count, columns, Stream.FLICKER) for row, count in octaves]
        return telegraph.flicker(draws, first_row, rows, self.own["flicker_phase"])

    def _settling(self) -> torch.Tensor:
        """Return the share of its way that an output has gone when it is sampled."""
        return memory.settling(SETTLE_SECONDS, self.own["neuron_seconds"])

    def _remembered(self, name: str, y: torch.Tensor) -> torch.Tensor:
        """Return outputs, the last of which is kept for the next read."""
        if y.shape[1]:
            self.own[name].copy_(y[:, -1:])
        return y

    def _sensed(self, a: torch.Tensor) -> torch.Tensor:
        """Return what is sensed of the sums of columns."""
        if not self.turns.columns:
            return a
        a = crosstalk.mix(a, self.own["crosstalk"])
        return defects.silenced(a, self.own["column_is_dead"]) if "column_is_dead" in self.own else a

    def _stuck(self, weights: torch.Tensor) -> torch.Tensor:
        """Return the weights as they act where cells are stuck at an end of their range."""
        if not self.turns.stuck:
            return weights
        low, high, end = self.own["cell_is_low"], self.own["cell_is_high"], self.own["weight_end"]
        nowhere = torch.zeros_like(low)
        return defects.held(weights, defects.Stuck(low, high, nowhere), -end, end, torch.zeros_like(end))

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
