"""What stands around an array of cells: converters and neurons, their numbers and their price."""

import dataclasses
import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Gt, Lt

from analogff.device import Beside, ContractError, Datasheet, Device, PerChip
from hardware_models.array.declare import takes_fields
from hardware_models.array.parameters import Bits, LogSpread, NonNegative, Share, printed_bits
from hardware_models.effects.converters import AdcKind
from hardware_models.effects.nonlinearity import FAMILIES, Family
from hardware_models.effects.tiles import signed_range, tiles

ADC_STEP_JOULES = 20e-15
"""Figure of merit of a converter: energy a conversion step; 5 to 50 fJ (Murmann, ADC Performance Survey)."""
CONTINUOUS_BITS = 8
"""Resolution that a converter modeled as continuous is charged for."""
READ_VOLTS = 0.2
"""Voltage of a full input during a read; others are in proportion, since amplitudes are coded as voltages."""
ONES = 0.5
"""Share of the lines that carry their full scale where an input is sent bit by bit, as if bits were coins."""
SETTLE_SECONDS = 100e-9
"""Time of a read of the array."""
TABLE_BITS = 12
"""Finest converter whose steps are each modeled."""
SERIAL_BITS = 16
"""Most bits of an input that is sent bit by bit."""
TYPICAL_SUM = 8.0
"""Full scale of converters of sums, whose typical size is 1; that of a rectifier's output."""
SERIAL_SUM = 4.0
"""The same where each line carries its full scale or nothing, in full scales: half of the lines make a sum of 0.7."""
WEIGHT_END = 4.0
"""Where stuck cells of a device are whose datasheet prints no greatest weight, in typical weights ``1/sqrt(n_in)``."""
FLICKER_OCTAVES = 12
"""Octaves of the spectrum of ``neuron_flicker``: 4096 reads, 0.4 ms of reading; slower is white."""
TRAP_READS = 1024
"""Reads for which a trap behind telegraph noise keeps its state: 0.1 ms of reading."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArraySheet(Datasheet):
    """The datasheet of an array of cells."""

    siemens: PerChip = 0.0
    """Typical conductance behind a weight, which dissipates during a read, and which wires are in series with."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Periphery:
    """Converters and neurons; each field is a parameter of every device that is made `with_periphery`."""

    family: Literal["saturating", "softplus", "exponential", "sigmoid", "non-monotone", "relu"] = "relu"
    """The kind of neuron curve; see `hardware_models.effects.nonlinearity`."""
    mismatch: LogSpread = 0.0
    """Spread of the neurons' gains (lognormal, median 1) and, half of it, of their offsets."""
    read_noise: NonNegative = 0.0
    """Standard deviation of one output sample, before the ADC, in output units."""
    adc_bits: Bits = 8
    """Resolution of an output; 0 is continuous."""
    dac_bits: Bits = 8
    """Resolution of an input; 0 is continuous."""
    input_max: Annotated[float, Gt(0)] = 8.0
    """Full scale of an input, from 0, or of either sign with signed_inputs."""
    signed_inputs: bool = False
    """Take inputs of both signs, in two's complement: from -input_max to one step below input_max; 0 is a level."""
    adc_gain_error: NonNegative = 0.0
    """Spread of the output converters' gains; each column has a converter of its own."""
    adc_offset_lsb: NonNegative = 0.0
    """Spread of the output converters' offsets, in steps."""
    adc_inl_lsb: NonNegative = 0.0
    """Integral nonlinearity of the output converters, root mean square in steps."""
    adc_kind: Annotated[AdcKind, Beside("adc_inl_lsb")] = AdcKind.SAR
    """What the nonlinearity looks like: sar, ramp or flash; see `hardware_models.effects.converters`."""
    adc_noise_lsb: NonNegative = 0.0
    """Noise of a conversion, in steps."""
    dac_gain_error: NonNegative = 0.0
    """Spread of the input converters' gains; each line has a converter of its own."""
    dac_inl_lsb: NonNegative = 0.0
    """Integral nonlinearity of the input converters, from mismatch of binary elements; root mean square in steps."""
    bit_serial: bool = False
    """Send the bits of an input one after another; convert, shift and add the sums (see the signal path)."""
    rows_per_tile: Annotated[int, Ge(0)] = 0
    """Split the inputs over arrays of at most so many rows, convert the sum of each and add; 0 is one array."""
    sum_max: Annotated[PerChip | None, Gt(0)] = None
    """Full scale, either sign, of the converters of partial sums, before it shrinks with the root of the tiles."""
    wire_ohm: NonNegative = 0.0
    """Resistance of a wire from cell to cell; see `hardware_models.effects.wires`."""
    crosstalk: Annotated[PerChip, Ge(0), Lt(0.5)] = 0.0
    """Part of a column's sum that shows in each of its neighbors."""
    dead_rows: Share = 0.0
    """Share of input lines that carry nothing."""
    dead_columns: Share = 0.0
    """Share of columns whose sum is not sensed."""
    stuck_low: Share = 0.0
    """Share of cells that stay at the lower end of their range, whatever is written."""
    stuck_high: Share = 0.0
    """Share of cells that stay at its upper end; both shares together are below 1."""
    telegraph_noise: NonNegative = 0.0
    """Jump of a cell's weight between the states of a trap, relative to it; see `hardware_models.effects.telegraph`."""
    trap_reads: Annotated[int | None, Ge(8), Beside("telegraph_noise")] = None
    """Reads for which a trap keeps its state, 1024 if none is given; correlation falls linearly over them."""
    neuron_flicker: NonNegative = 0.0
    """1/f noise of each neuron, over octaves up to 4096 reads; its standard deviation in output units."""
    inhibition: NonNegative = 0.0
    """Strength of lateral inhibition by the mean output; see `hardware_models.effects.coupling`."""
    supply_droop: Share = 0.0
    """Share of an output that a shared supply loses where all neurons are at full scale."""
    neuron_seconds: NonNegative = 0.0
    """Time constant of an output, sampled 100 ns after its input came; see `hardware_models.effects.memory`."""
    hysteresis: NonNegative = 0.0
    """Half of the width of a neuron's hysteresis (play), in output units."""

    def __post_init__(self):
        object.__setattr__(self, "adc_kind", AdcKind(self.adc_kind))
        bits, dac_bits = torch.as_tensor(self.adc_bits), torch.as_tensor(self.dac_bits)
        in_steps = [self.adc_offset_lsb, self.adc_inl_lsb, self.adc_noise_lsb]
        _refuse("adc_bits above 0 beside errors in LSB", any(_both(size, bits == 0) for size in in_steps), bits)
        outside = (bits < 2) | (bits > TABLE_BITS)
        _refuse(f"adc_bits from 2 to {TABLE_BITS} beside adc_inl_lsb", _both(self.adc_inl_lsb, outside), bits)
        outside = (dac_bits < 2) | (dac_bits > TABLE_BITS)
        _refuse(f"dac_bits from 2 to {TABLE_BITS} beside dac_inl_lsb", _both(self.dac_inl_lsb, outside), dac_bits)
        outside = (dac_bits < 1) | (dac_bits > SERIAL_BITS) | (dac_bits != dac_bits.reshape(-1)[0])
        wanted = f"dac_bits from 1 to {SERIAL_BITS}, the same for all chips, beside bit_serial"
        _refuse(wanted, _both(self.bit_serial, outside), dac_bits)
        wanted = "dac_bits of 0, or at least 2, beside signed_inputs"
        _refuse(wanted, _both(self.signed_inputs, dac_bits == 1), dac_bits)
        errors = [self.dac_gain_error, self.dac_inl_lsb]
        _refuse("no errors of a DAC beside bit_serial, which has none", any(_both(e, self.bit_serial) for e in errors))
        given = self.sum_max is not None and not self.digital
        _refuse("rows_per_tile or bit_serial beside sum_max, the range of converters of partial sums", given)
        stuck = torch.as_tensor(self.stuck_low) + torch.as_tensor(self.stuck_high)
        _refuse("stuck_low and stuck_high below 1 together", bool((stuck >= 1).any()), stuck)
        for name in ("neuron_flicker", "inhibition", "supply_droop", "neuron_seconds", "hysteresis"):
            wanted = f"no {name} beside rows_per_tile or bit_serial, where neurons are digital"
            _refuse(wanted, _both(getattr(self, name), self.digital))

    @property
    def digital(self) -> bool:
        """Whether sums are converted before the neurons, which are then digital."""
        return self.bit_serial or self.rows_per_tile > 0

    @property
    def serial_bits(self) -> int:
        """Bits of an input that are sent one after another; 0 if all at once."""
        return int(torch.as_tensor(self.dac_bits).reshape(-1)[0]) if self.bit_serial else 0

    @property
    def input_range(self) -> tuple[PerChip, PerChip]:
        """Least and greatest input that is passed on unclipped."""
        if not self.signed_inputs:
            return 0.0, self.input_max
        _, most = signed_range(torch.as_tensor(self.input_max), torch.as_tensor(self.dac_bits))
        return -self.input_max, most if most.dim() else most.item()

    @property
    def numbers(self) -> dict[str, Any]:
        """What each chip may have for itself."""
        for_all = ("family", "adc_kind", "signed_inputs", "bit_serial", "rows_per_tile", "trap_reads")
        full = (
            (SERIAL_SUM * self.input_max if self.bit_serial else TYPICAL_SUM) if self.sum_max is None else self.sum_max
        )
        return {name: value for name, value in vars(self).items() if name not in for_all} | dict(sum_max=full)

    @property
    def neuron(self) -> Family:
        """The neurons' curve and full scale."""
        return FAMILIES[self.family]

    def datasheet(self, n_in: int, n_out: int, *, siemens: PerChip, **rest: Any) -> ArraySheet:
        """Print the datasheet of an array with this periphery.

        Args:
            n_in: Input lines.
            n_out: Output lines.
            siemens: Typical conductance behind a weight, which dissipates during a read: in proportion to the mean
                square of the inputs, or where bits are sent one by one to the share of 1 among them, taken as a half.
            rest: Further fields of `Datasheet`.
        """
        bits = torch.as_tensor(self.adc_bits)
        adc_joules = ADC_STEP_JOULES * 2.0 ** torch.where(bits > 0, bits, CONTINUOUS_BITS)
        least, most = self.input_range
        fields = dict(
            input_min=least,
            input_max=most,
            output_min=0.0,
            output_max=self.neuron.high,
            dac_bits=printed_bits(self.dac_bits),
            adc_bits=None if self.digital else printed_bits(self.adc_bits),
            read_noise=self.read_noise,
            bias_port=True,
            neuron=self.neuron.nominal,
            settle_seconds=SETTLE_SECONDS,
            adc_joules=adc_joules if adc_joules.dim() else adc_joules.item(),
            signal_joules=siemens * self._joules_per_siemens(n_in, n_out),
            parallel_pulses=n_out,  # one input line at a time
            siemens=siemens,
        )
        return self._in_parts(ArraySheet(n_in=n_in, n_out=n_out, **{**fields, **rest}))

    @staticmethod
    def siemens(sheet: ArraySheet) -> PerChip:
        """Return the conductance behind a weight of 1."""
        return sheet.siemens * typical_weights(sheet.n_in)

    def _joules_per_siemens(self, n_in: int, n_out: int) -> float:
        """Return the energy of a read of inputs of mean square 1, or of their bits, over the conductance of a cell."""
        at_full_scale = n_in * n_out * READ_VOLTS**2 * SETTLE_SECONDS
        return at_full_scale * (self.serial_bits * ONES if self.bit_serial else self.input_max**-2)

    @staticmethod
    def weight_end(sheet: Datasheet) -> PerChip:
        """Return the greatest weight, at which cells are that are stuck high; those stuck low are at minus that."""
        end = torch.as_tensor(math.inf if sheet.weight_max is None else sheet.weight_max)
        return torch.where(end.isfinite(), end, WEIGHT_END * sheet.n_in**-0.5)

    def _in_parts(self, sheet: ArraySheet) -> ArraySheet:
        """Return the sheet of an array whose sums are converted in parts, if they are."""
        if not self.digital:
            return sheet
        rounds = self.serial_bits or 1
        return dataclasses.replace(
            sheet,
            adc_bits=None,  # numbers are added, and no output is in steps of a converter
            adcs=sheet.n_out * rounds * len(tiles(sheet.n_in, self.rows_per_tile)),
            dacs=0 if self.bit_serial else sheet.dacs,
            dac_seconds=0.0 if self.bit_serial else sheet.dac_seconds,
            settle_seconds=rounds * sheet.settle_seconds,
            adc_seconds=rounds * sheet.adc_seconds,
            read_joules=rounds * sheet.read_joules + (sheet.signal_joules if self.bit_serial else 0.0),
            signal_joules=0.0 if self.bit_serial else sheet.signal_joules,
        )


def typical_weights(n_in: int) -> float:
    """Return how many typical weights a weight of 1 is: as fabricated, their mean size is ``sqrt(2 / (pi n_in))``."""
    return math.sqrt(n_in * math.pi / 2)


def _both(size: Any, condition: Any) -> bool:
    """Tell whether some chip has a size above zero and meets a condition."""
    return bool(((torch.as_tensor(size) > 0) & torch.as_tensor(condition)).any())


def _refuse(expected: str, broken: bool, got: Any = None) -> None:
    if broken:
        found = "both" if got is None else got.tolist() if isinstance(got, torch.Tensor) else repr(got)
        raise ContractError(f"Expected {expected}. Got {found}. Change one of them.")


def with_periphery(**defaults: Any) -> Callable[[type[Device]], Any]:
    """Let a device's constructor take every field of `Periphery` beside its own arguments.

    The class itself takes one argument ``periphery``; whoever makes one of its chips, or reads its signature, type
    hints or docstring, finds the fields in its place.

    Args:
        defaults: What differs for this device from the defaults of `Periphery`.

    Example:
        >>> from hardware_models.memory_cells.pcm import PCM
        >>> PCM(4, 2, seed=0, read_noise=0.5).read_noise.item()
        0.5
    """
    return takes_fields(Periphery, "periphery", defaults)
