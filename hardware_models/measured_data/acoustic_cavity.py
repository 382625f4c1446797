"""An acoustic cavity as others measured it: a fixed physical transform behind digital weights."""

import typing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from typing_extensions import override

from analogff.device import Datasheet, Device, Truth, product
from hardware_models import kernels
from hardware_models.array.parameters import (
    Bits,
    NonNegative,
    Positive,
    per_chip,
    printed_bits,
    require_allowed,
    require_as_many,
)
from hardware_models.effects.quadratic import features, own_slopes, pulled_back
from hardware_models.effects.quantize import quantize
from hardware_models.kernels.streams import Stream

CHANNELS = 20
"""Inputs and outputs of the cavity."""
READ_SECONDS = 1e-3
"""Time of a read of the cavity (assumed: sound passes a cavity of centimeters some times)."""
FILE = Path(__file__).with_name("acoustic_cavity.npz")


class AcousticCavity(Device):
    r"""A cavity that mixes 20 sound amplitudes into 20 others. It has no weights; digital ones stand in front of it.

    .. math::
        y_k = \mathrm{ADC}\left[c_k + \sum_i B_{ki} u_i + \sum_{i \le j} Q_{kij} u_i u_j + \sigma_k \xi\right], \quad
        u = \mathrm{DAC}\left[\tfrac12 + a / s\right] \in [0, 1]

    A layer of more lines is cut into groups of 20, which the one cavity transforms one after another. Channels of the
    last group that no line uses are silent. All chips are this cavity; their seeds decide noise and first weights.

    The transform is a fit to 10,000 measured pairs by ridge regression on all products of two inputs
    (`fit_acoustic_cavity`). On held-out pairs it explains .97 to .99 of the variance of twelve outputs. The other
    eight are 10 to 600 times weaker, near the floor of the noise, and .24 to .80 of their variance is explained. **The
    measured physics is mostly linear**: without products, the mean share over the ten best outputs falls from .977
    to .959. No input was measured twice, so noise cannot be told from what the fit misses: ``sigma`` is the
    standard deviation of both, as white noise of each read.

    No neuron is alone: what an output owes to the sum of the same index is mostly small, and the oracle's slope is that
    derivative only. Backprop through the oracle uses the whole Jacobian, and is a bound. Nothing is printed that a twin
    could believe.

    Units:
        The full range of an input is ``sum_span`` sums around 0. An output of 1 is the greatest measured one.

    Args:
        n_in: Lines.
        n_out: Lines, as many.
        seed: One seed a chip.
        sum_span: ``s``, sums over the full range of an input.
        measured_noise: Noise in units of the residual of the fit.
        adc_bits: Resolution of an output; 0 is continuous (assumed).
        dac_bits: Resolution of an input; 0 is continuous (assumed).

    Reference:
        Momeni, Rahmani, Mallejac, del Hougne and Fleury, Science 382, 1297 (2023): data, by the repository
        MomeniAli/PhyLL (MIT license). No energy is charged for sound, which is not reported there.
    """

    banked = True

    if typing.TYPE_CHECKING:  # every name that is not a method is a buffer

        def __getattr__(self, name: str) -> torch.Tensor: ...

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        sum_span: Positive = 4.0,
        measured_noise: NonNegative = 1.0,
        adc_bits: Bits = 8,
        dac_bits: Bits = 8,
    ):
        given = dict(sum_span=sum_span, measured_noise=measured_noise, adc_bits=adc_bits, dac_bits=dac_bits)
        require_allowed(given, typing.get_type_hints(AcousticCavity.__init__, include_extras=True))
        require_as_many(n_in, n_out, " of the cavity")
        seeds = torch.as_tensor(seed, dtype=torch.int64).reshape(-1)
        with np.load(FILE) as file:
            fit = {name: torch.from_numpy(file[name]) for name in ("coefficients", "residual")}
        self.groups = -(-n_in // CHANNELS)
        noise = torch.as_tensor(measured_noise) * fit["residual"].square().mean().sqrt()
        sheet = Datasheet(
            n_in=n_in,
            n_out=n_out,
            output_min=0.0,
            output_max=1.0,
            dac_bits=printed_bits(dac_bits),
            adc_bits=printed_bits(adc_bits),
            read_noise=noise if noise.dim() else noise.item(),
            settle_seconds=self.groups * READ_SECONDS,
            source="Momeni et al., Science 382, 1297 (2023), as fitted; times and converters are assumed",
        )
        super().__init__(n_in, n_out, datasheet=sheet)
        self.register_buffer("seeds", seeds)
        self.register_buffer("reads", torch.zeros_like(seeds))
        for name, value in given.items():
            self.register_buffer(name, per_chip(name, value, len(seeds)))
        self.register_buffer("coefficients", fit["coefficients"])
        self.register_buffer("slopes", own_slopes(fit["coefficients"]))
        self.register_buffer("residual", fit["residual"].repeat(self.groups)[:n_out])

    @override
    def measure(self, x, bias=None):
        u = self._channels(self._drive(x if bias is None else x + bias))
        y = self._lines(product(features(u), self._of_chips(self.coefficients)))
        sigma = self.measured_noise * self.residual
        kernels.add_normal_(y, sigma, self.seeds, self.reads, Stream.MEASURED_NOISE)
        self.reads.add_(x.shape[1])
        zero = torch.zeros_like(self.adc_bits)
        return quantize(y, zero, zero + 1, self.adc_bits)

    @override
    def oracle(self, x, bias=None):
        a = x if bias is None else x + bias
        u = self._channels(self._drive(a))
        slope = self._lines(product(torch.cat([torch.ones_like(u[..., :1]), u], -1), self._of_chips(self.slopes)))
        one = torch.eye(self.datasheet.n_in, dtype=a.dtype, device=a.device).repeat(len(self.seeds), 1, 1)
        return Truth(self._by_sums(slope, a), one)

    @override
    def pullback(self, x, error, bias=None):
        a = x if bias is None else x + bias
        u = self._channels(self._drive(a))
        return self._by_sums(self._lines(pulled_back(u, self._channels(error), self.coefficients)), a)

    def _by_sums(self, by_amplitudes: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        """Return derivatives by sums; none where the converter of the input is at an end of its range."""
        inside = (a.abs() < self.sum_span / 2).to(a.dtype)
        return by_amplitudes * inside / self.sum_span

    def _drive(self, a: torch.Tensor) -> torch.Tensor:
        """Return amplitudes of sums."""
        zero = torch.zeros_like(self.dac_bits)
        return quantize(0.5 + a / self.sum_span, zero, zero + 1, self.dac_bits)

    def _channels(self, u: torch.Tensor) -> torch.Tensor:
        """Cut lines ``(chips, batch, lines)`` into groups, ``(chips, batch groups, 20)``."""
        silent = self.groups * CHANNELS - u.shape[-1]
        padded = torch.nn.functional.pad(u, (0, silent))
        return padded.reshape(u.shape[0], -1, CHANNELS)

    def _lines(self, y: torch.Tensor) -> torch.Tensor:
        """Put groups together again."""
        whole = y.reshape(y.shape[0], -1, self.groups * CHANNELS)
        return whole[..., : self.datasheet.n_out].contiguous()

    def _of_chips(self, numbers: torch.Tensor) -> torch.Tensor:
        return numbers.expand(len(self.seeds), -1, -1)
