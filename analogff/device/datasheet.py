"""What a maker prints about a device: limits, costs and what can be observed; never one chip's own flaws."""

import dataclasses
from collections.abc import Callable

import torch

from analogff.device.observable import Observable
from analogff.device.windows import Windows

PerChip = float | torch.Tensor
"""A number for all chips of a bank, or a tensor of shape ``(chips,)`` with one number each."""


def column_of(value: PerChip | None) -> torch.Tensor:
    """Return a printed number as a tensor that broadcasts to cells, ``(chips or 1, 1, 1)``."""
    assert value is not None
    return torch.as_tensor(value, dtype=torch.float32).reshape(-1, 1, 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Datasheet:
    """The printed properties of a device type, in normalized signal units and SI units.

    Times are of one read of the whole array (its columns convert side by side unless ``adc_share`` says
    otherwise), and an input vector takes ``reads_per_vector`` of them. Energies are per elementary act, so that energy
    is counts times unit energies.
    """

    n_in: int
    """Input lines."""
    n_out: int
    """Output lines."""
    input_min: PerChip | None = None
    """Least input that is passed on unclipped; None without a limit."""
    input_max: PerChip | None = None
    """Greatest input that is passed on unclipped; None without a limit."""
    output_min: PerChip | None = None
    """Least output a read can give; None without a limit."""
    output_max: PerChip | None = None
    """Greatest output a read can give; None without a limit."""
    dac_bits: PerChip | None = None
    """Resolution of an input; None for a continuous one."""
    adc_bits: PerChip | None = None
    """Resolution of an output; None for a continuous one."""
    dacs: int | None = None
    """Input lines with a converter; all of them if None, 0 for a digital layer."""
    adcs: int | None = None
    """Output samples that a read converts; all of them if None, 0 for a digital layer."""
    weight_max: PerChip | None = None
    """Greatest magnitude of a weight that can be asked for; None without a limit."""
    change_max: PerChip | None = None
    """Greatest change of a weight that one write makes, by the mean step; None without a limit."""
    change_step: PerChip | None = None
    """Mean change of a weight by one write pulse, up or down; None where writes are not made of such pulses."""
    read_noise: PerChip = 0.0
    """Typical standard deviation of one output sample, in output units."""
    bias_port: bool = False
    """Whether ``measure`` takes a bias at the summing node, before the nonlinearity."""
    readable_weights: bool = False
    """Whether the weights are digital numbers that the experimenter holds anyway."""
    observable: Observable = Observable.ACTIVITY
    """The most that one read shows, ``LOSS`` to ``ACTIVITY``; a bias port lifts ``ACTIVITY`` to ``PROBE``."""
    neuron: Callable[[torch.Tensor], torch.Tensor] | None = None
    """The typical curve of the neurons, differentiable, as a maker would plot it; None if none is printed."""
    settle_seconds: float = 100e-9
    """Time for the array and neurons to settle."""
    dac_seconds: float = 10e-9
    """Time of one input conversion; all inputs convert at once."""
    adc_seconds: float = 77e-9
    """Time of one output conversion (8 bits, 77 ns: Khaddam-Aljameh et al., VLSI 2021, per SCIENCE notes)."""
    adc_share: int = 1
    """Columns that take turns at one ADC."""
    pulse_seconds: float = 100e-9
    """Time of one write pulse."""
    reads_per_vector: int = 1
    """Reads that one input vector takes, of arrays that see it piece by piece."""
    parallel_pulses: int = 1
    """Cells that can be pulsed at the same time."""
    dac_joules: PerChip = 0.5e-12
    """Energy of one input conversion (0.1-1 pJ)."""
    adc_joules: PerChip = 5e-12
    """Energy of one output conversion (FoM x 2^bits, 20 fJ a step at 8 bits)."""
    read_joules: PerChip = 0.0
    """Energy that the array and neurons spend on one read, whatever its inputs."""
    signal_joules: PerChip = 0.0
    """Energy that inputs of mean square 1 add to a read; it grows in proportion to their mean square, as that of
    amplitudes coded as voltages across conductances does."""
    line_loads: torch.Tensor | None = None
    """Weight of each input line in that mean square, ``(n_in,)`` with mean 1; None if all are equal."""
    pulse_joules: PerChip = 1e-12
    """Energy of one write pulse on one cell (ReRAM 0.1-10 pJ)."""
    windows: Windows | None = None
    """Where one array is read for all outputs of a layer, whose weights it shares; None where each has its own."""
    source: str = ""
    """Where the numbers come from."""

    @property
    def conversions(self) -> tuple[int, int]:
        """DAC and ADC samples of one read."""
        return self.n_in if self.dacs is None else self.dacs, self.n_out if self.adcs is None else self.adcs

    @property
    def all_digital(self) -> bool:
        """Whether nothing but digital logic computes an answer; a black box behind digital weights converts."""
        return self.readable_weights and self.conversions == (0, 0)

    @property
    def weight_shape(self) -> tuple[int, int]:
        """Shape of a chip's weights: ``(n_out, n_in)``, or outputs and lines of the array that the layer shares."""
        return (self.n_out, self.n_in) if self.windows is None else (self.windows.fan_out, self.windows.fan_in)

    def clipped(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the lines carry of inputs ``(chips, batch, n_in)``: those within the printed range."""
        low, high = self.input_min, self.input_max
        if isinstance(low, torch.Tensor):
            x, low = x.maximum(column_of(low).to(x.device)), None
        if isinstance(high, torch.Tensor):
            x, high = x.minimum(column_of(high).to(x.device)), None
        return x if low is None and high is None else x.clamp(low, high)

    def __post_init__(self):
        if self.n_in < 1 or self.n_out < 1:
            raise ValueError(
                f"Expected a device with at least one input and one output. Got n_in={self.n_in}, "
                f"n_out={self.n_out}. Give positive sizes."
            )
        if self.reads_per_vector < 1:
            raise ValueError(
                f"Expected at least one read for each input vector. Got reads_per_vector={self.reads_per_vector}. Give "
                "a positive number."
            )
        if self.observable > Observable.ACTIVITY:
            raise ValueError(
                f"Expected observable from LOSS to ACTIVITY. Got {self.observable.name}. A bias port makes PROBE; "
                "a neuron curve makes TWIN; overriding Device.oracle makes ORACLE."
            )
