"""Coupled pendula: a fixed dynamical system behind digital weights, which moves for a while in every read."""

import math
import typing
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Gt, Le
from typing_extensions import override

from analogff.device import Datasheet, Device, Truth, chipwise
from hardware_models import kernels
from hardware_models.array.parameters import (
    Bits,
    LogSpread,
    NonNegative,
    Positive,
    per_chip,
    printed_bits,
    require_allowed,
    require_as_many,
)
from hardware_models.effects import mismatch as spread
from hardware_models.effects.pendula import Law, acceleration, move, tangent
from hardware_models.effects.quantize import quantize
from hardware_models.kernels.streams import Stream

STEP = 0.1
"""Longest step of the integration, that of the reference: errors are below 1e-5 of the angles in a unit of time."""
NATURAL_HERTZ = 1e6
"""Frequency of a pendulum alone, for the time of a read (assumed: a micromechanical resonator)."""

COLUMNS = 32
"""Columns of a Jacobian that are found at a time."""


class CoupledPendula(Device):
    r"""Pendula that are let go, or driven, and read some time later. They have no weights; digital ones stand in front.

    .. math::
        y_i = \mathrm{ADC}\left[q_i(T) / \pi + \sigma \xi\right], \qquad
        \ddot q_i = -k_i \sin q_i + e_i - \gamma \dot q_i + \sum_j J_{ij} (\sin q_j - \sin q_i)

    from rest, with :math:`q_i(0) = s\, a_i` of the sums ``a`` (`encoding` ``angles``), or with :math:`e_i = s\, a_i`
    and all pendula hanging (``drives``). The DAC clips both to :math:`\pm\pi`. ``J`` is symmetric with
    :math:`\mathcal N(0, \beta^2 / n)`, drawn when a chip is made and never learned, where the authors of the reference
    train it; here learning is in the weights in front.

    Every read integrates the equation by Runge-Kutta steps of fourth order, of .1 at most. In half a unit of time,
    that of the reference, a pendulum has gone an eighth of its way: the layer is nearly linear.

    The oracle's slope is the derivative of each output by its own sum. Backprop through the oracle uses the whole
    Jacobian of the integration, and is a bound. Nothing is printed that a twin could believe.

    Units:
        Time is in periods of a pendulum alone over 2 pi. An output of 1 is an angle of pi.

    Args:
        n_in: Pendula.
        n_out: Pendula, as many.
        seed: One seed a chip.
        duration: ``T``, from the start to the reading.
        radians: ``s``, angle, or torque, of a sum of 1.
        encoding: What a sum sets.
        coupling: ``beta``, strength of all couplings of a pendulum together.
        law: How pendula pull: ``sines`` as written, or ``angles``, sin(q_j - q_i), which conserves energy.
        damping: ``gamma``.
        mismatch: Spread of ln k_i; 0 for alike pendula.
        read_noise: Standard deviation of one output sample.
        adc_bits: Resolution of an output; 0 is continuous.
        dac_bits: Resolution of an input; 0 is continuous.

    Reference:
        Wright et al., Nature 601, 549 (2022), physics-aware training, by the authors' code (T = .5 in 5 steps).
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
        duration: Annotated[float, Gt(0), Le(100)] = 0.5,
        radians: Positive = 1.0,
        encoding: Literal["angles", "drives"] = "angles",
        coupling: NonNegative = 1.0,
        law: Law = "sines",
        damping: NonNegative = 0.0,
        mismatch: LogSpread = 0.0,
        read_noise: NonNegative = 0.01,
        adc_bits: Bits = 8,
        dac_bits: Bits = 8,
    ):
        numbers = dict(radians=radians, coupling=coupling, damping=damping, mismatch=mismatch, read_noise=read_noise)
        numbers |= dict(adc_bits=adc_bits, dac_bits=dac_bits)
        given = numbers | dict(duration=duration, law=law, encoding=encoding)
        require_allowed(given, typing.get_type_hints(CoupledPendula.__init__, include_extras=True))
        require_as_many(n_in, n_out, ", one a pendulum")
        seeds = torch.as_tensor(seed, dtype=torch.int64).reshape(-1)
        self.duration, self.encoding = duration, encoding
        self.law: Law = law
        self._steps = math.ceil(duration / STEP - 1e-9)
        sheet = Datasheet(
            n_in=n_in,
            n_out=n_out,
            output_min=-1.0,
            output_max=1.0,
            dac_bits=printed_bits(dac_bits),
            adc_bits=printed_bits(adc_bits),
            read_noise=read_noise,
            settle_seconds=duration / (2 * math.pi * NATURAL_HERTZ),
            source="Wright et al., Nature 601, 549 (2022), equation of motion; frequency and converters are assumed",
        )
        super().__init__(n_in, n_out, datasheet=sheet)
        self.register_buffer("seeds", seeds)
        self.register_buffer("reads", torch.zeros_like(seeds))
        for name, value in numbers.items():
            self.register_buffer(name, per_chip(name, value, len(seeds)))
        drawn = kernels.normal(seeds, 0, n_in, n_in, Stream.PENDULUM_COUPLING).triu(1)
        self.register_buffer("couplings", self.coupling * n_in**-0.5 * (drawn + drawn.mT))
        own = kernels.normal(seeds, 0, 1, n_in, Stream.PENDULUM_STIFFNESS)
        self.register_buffer("stiffness", spread.factor(self.mismatch, own))

    @override
    def measure(self, x, bias=None):
        y = self._angles(x if bias is None else x + bias) / math.pi
        kernels.add_normal_(y, self.read_noise, self.seeds, self.reads, Stream.READ)
        self.reads.add_(x.shape[1])
        one = torch.ones_like(self.adc_bits)
        return quantize(y, -one, one, self.adc_bits)

    @override
    def oracle(self, x, bias=None):
        a = x if bias is None else x + bias
        slope = chipwise(self._own_slopes, *self._of_chips(a)) / math.pi
        one = torch.eye(self.datasheet.n_in, dtype=a.dtype, device=a.device).repeat(len(self.seeds), 1, 1)
        return Truth(slope, one)

    @override
    def pullback(self, x, error, bias=None):
        a = x if bias is None else x + bias
        return chipwise(self._pulled, error / math.pi, *self._of_chips(a))

    def _of_chips(self, a: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return sums with what each chip has of its own."""
        return a, self.couplings, self.stiffness, self.damping, self.radians, self.dac_bits

    def _angles(self, a: torch.Tensor) -> torch.Tensor:
        """Return angles at the end, ``(chips, batch, n)``."""
        return chipwise(self._moved, *self._of_chips(a))

    def _moved(self, a, coupling, stiffness, damping, radians, dac_bits, smooth: bool = False) -> torch.Tensor:
        """Return the angles of one chip at the end, ``(batch, n)``; for slopes without steps, to the range's ends."""
        limit = torch.full_like(radians, math.pi)
        told = quantize(a * radians, -limit, limit, 0 * dac_bits if smooth else dac_bits)
        start, drive = (told, 0.0) if self.encoding == "angles" else (torch.zeros_like(told), told)

        def accelerate(q: torch.Tensor, velocity: torch.Tensor) -> torch.Tensor:
            return acceleration(q, velocity, coupling, self.law, stiffness, drive, damping)

        q, _ = move(start, torch.zeros_like(start), accelerate, self.duration, self._steps)
        return q.clamp(-math.pi, math.pi) if smooth else q

    def _own_slopes(self, a, coupling, stiffness, damping, radians, _dac_bits) -> torch.Tensor:
        """Return the diagonal of the Jacobian of one chip, ``(batch, n)``: motions next to each other."""
        start = (a * radians).clamp(-math.pi, math.pi)
        one = radians * (start.abs() < math.pi) * torch.eye(a.shape[-1], device=a.device).unsqueeze(1)
        slopes = []
        for first in range(0, a.shape[-1] if len(a) else 0, COLUMNS):
            own = one[first : first + COLUMNS]
            told = torch.cat([start.unsqueeze(0), own.expand(-1, *start.shape)])
            q, drive = (told, 0 * told) if self.encoding == "angles" else (0 * told, told)

            def accelerate(q: torch.Tensor, v: torch.Tensor, drive: torch.Tensor = drive) -> torch.Tensor:
                of_chip = coupling, self.law, stiffness
                here = acceleration(q[0], v[0], *of_chip, drive[0], damping)
                return torch.cat([here.unsqueeze(0), tangent(q[0], q[1:], v[1:], *of_chip, drive[1:], damping)])

            q, _ = move(q, torch.zeros_like(q), accelerate, self.duration, self._steps)
            inside = (q[0].abs() < math.pi)[:, first : first + COLUMNS]
            slopes.append(q[1:, :, first : first + COLUMNS].diagonal(dim1=0, dim2=2) * inside)
        return torch.cat(slopes, -1) if slopes else torch.zeros_like(a)

    def _pulled(self, error: torch.Tensor, a: torch.Tensor, *chip: torch.Tensor) -> torch.Tensor:
        """Return errors of sums from those of angles, of one chip."""
        with torch.enable_grad():
            at = a.detach().requires_grad_()
            return torch.autograd.grad(self._moved(at, *chip, smooth=True), at, error)[0]
