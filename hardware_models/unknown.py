"""A chip of a kind nobody has a model for: its curve is drawn when it is made."""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Gt

from hardware_models.crossbar import Crossbar, chip_groups
from hardware_models.effects import mismatch as spread
from hardware_models.effects.nonlinearity import FAMILIES
from hardware_models.parameters import Bits, NonNegative
from hardware_models.periphery import Periphery
from hardware_models.streams import Stream

TYPICAL_SIEMENS = 10e-6
"""Typical conductance behind a weight, for the energy of a read: a quarter of a ReRAM's greatest, 40 uS."""


class Unknown(Crossbar):
    r"""A layer with the curve of a family, and everything about a copy of it a little off.

    .. math::
        y = \mathrm{ADC}\left[f(g \circ (W q + b + \sigma_W |q| \xi) + o; s) + \sigma \xi'\right]

    with gains :math:`g_j = e^{m \xi_j}`, offsets :math:`o_j = m \xi_j / 2` and a steepness :math:`s` for each
    chip, lognormal with mean 1. A pulse changes a cell by :math:`e^{m \xi_{ji}}` times what was asked.

    Units:
        A weighted sum is typically 1: weights start as ``N(0, 1/n_in)`` and inputs have mean square 1.
        Outputs are in units of the full scale of the bounded families (saturating, sigmoid, non-monotone),
        range 0 to 1.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        family: The kind of curve; see `hardware_models.effects.nonlinearity`.
        mismatch: Spread of gains, of offsets (half of it) and of the write efficiency of the cells.
        read_noise: Standard deviation of one output sample, before the ADC.
        weight_noise: Fluctuation of each weight from read to read, in units of the typical weight
            ``1/sqrt(n_in)``.
        adc_bits: Resolution of an output; 0 is continuous.
        dac_bits: Resolution of an input; 0 is continuous.
        input_max: Full scale of an input, from 0.
        curve_spread: Spread of the steepness from chip to chip.
        write_noise: Error of each write, relative to the change.

    Reference:
        No one device: the families are the circuits named at each curve, the spreads those of analog CMOS in
        weak inversion (5 mV of threshold is 14 % of current).
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        family: Literal["saturating", "softplus", "exponential", "sigmoid", "non-monotone", "relu"] = "saturating",
        mismatch: NonNegative = 0.2,
        read_noise: NonNegative = 0.05,
        weight_noise: NonNegative = 0.0,
        adc_bits: Bits = 6,
        dac_bits: Bits = 8,
        input_max: Annotated[float, Gt(0)] = 8.0,
        curve_spread: NonNegative = 0.2,
        write_noise: NonNegative = 0.0,
    ):
        periphery = Periphery(
            family=FAMILIES[family],
            input_max=input_max,
            dac_bits=dac_bits,
            adc_bits=adc_bits,
            read_noise=read_noise,
            mismatch=mismatch,
        )
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            datasheet=periphery.datasheet(n_in, n_out, siemens=TYPICAL_SIEMENS),
            periphery=periphery,
            weight_noise=weight_noise * n_in**-0.5,
            curve_spread=curve_spread,
            write_noise=write_noise,
        )
        drawn = self._fabricated(Stream.EFFICIENCY, n_out, n_in)
        self._keep("efficiency", spread.factor(self.mismatch, drawn))

    def pulse(self, change):  # noqa: D102
        for chip in chip_groups(change):
            landing = self._landing(chip, change[chip], Stream.WRITE)
            self.weights[chip].addcmul_(landing, self.efficiency[chip])
        self.writes += 1

    def program(self, weights):  # noqa: D102
        for chip in chip_groups(weights):
            self.weights[chip] = self._landing(chip, weights[chip], Stream.PROGRAM)
        self.writes += 1

    def _landing(self, chip: slice, asked: torch.Tensor, stream: Stream) -> torch.Tensor:
        """Add the noise of a write to what was asked."""
        if not self.write_noise[chip].any():
            return asked
        share = torch.ones_like(asked)
        return self._add_write_noise(share, self.write_noise[chip], stream, chip).mul_(asked)
