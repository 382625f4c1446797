"""What stands around an array of cells: converters and neurons, their numbers and their price."""

import dataclasses
from typing import Any

import torch

from analogff.device import Datasheet, PerChip
from hardware_models.effects.nonlinearity import FAMILIES, Family
from hardware_models.parameters import printed_bits

ADC_STEP_JOULES = 20e-15
"""Figure of merit of a converter: energy a conversion step; 5 to 50 fJ (Murmann, ADC Performance Survey)."""
CONTINUOUS_BITS = 8
"""Resolution that a converter modelled as continuous is charged for."""
READ_VOLTS = 0.2
"""Voltage of a full input during a read."""
SETTLE_SECONDS = 100e-9
"""Time of a read of the array."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Periphery:
    """Converters and neurons."""

    family: Family = FAMILIES["relu"]
    """Neuron curve and its full scale."""
    input_max: float
    """Full scale of the inputs, from 0."""
    dac_bits: int | torch.Tensor
    """Resolution of an input; 0 is continuous."""
    adc_bits: int | torch.Tensor
    """Resolution of an output; 0 is continuous."""
    read_noise: PerChip
    """Standard deviation of one output sample, in output units."""
    mismatch: PerChip
    """Spread of the neurons' gains (lognormal); of their offsets half of it."""

    def datasheet(self, n_in: int, n_out: int, *, siemens: float, **rest: Any) -> Datasheet:
        """Print the datasheet of an array with this periphery.

        Args:
            n_in: Input lines.
            n_out: Output lines.
            siemens: Typical conductance behind a weight, which dissipates during a read.
            rest: Further fields of `Datasheet`.
        """
        bits = torch.as_tensor(self.adc_bits)
        adc_joules = ADC_STEP_JOULES * 2.0 ** torch.where(bits > 0, bits, CONTINUOUS_BITS)
        fields = dict(
            input_min=0.0,
            input_max=self.input_max,
            output_min=0.0,
            output_max=self.family.high,
            dac_bits=printed_bits(self.dac_bits),
            adc_bits=printed_bits(self.adc_bits),
            read_noise=self.read_noise,
            bias_port=True,
            neuron=self.family.nominal,
            settle_seconds=SETTLE_SECONDS,
            adc_joules=adc_joules if adc_joules.dim() else adc_joules.item(),
            read_joules=n_in * n_out * READ_VOLTS**2 * siemens * SETTLE_SECONDS,
            parallel_pulses=n_out,  # one input line at a time
        )
        return Datasheet(n_in=n_in, n_out=n_out, **{**fields, **rest})
