"""A chip of a kind nobody has a model for: its curve is drawn when it is made."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Le
from typing_extensions import override

from analogff.device import ContractError, PerChip
from hardware_models.array.groups import cached_groups
from hardware_models.array.parameters import LogSpread, NonNegative, require_defined
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.array.programmed import ProgrammedArray, Programming, with_programming
from hardware_models.effects import mismatch as spread
from hardware_models.effects.nonlinearity import FAMILIES
from hardware_models.effects.states import planes_of, whole_states
from hardware_models.kernels.circuit import Codes
from hardware_models.kernels.streams import Stream

TYPICAL_SIEMENS = 10e-6
"""Typical conductance behind a weight, for the energy of a read: a quarter of a ReRAM's greatest, 40 uS."""
WEIGHT_MAX = 4.0
"""Greatest weight of cells that have states to count, in typical weights."""


@with_periphery(family="saturating", mismatch=0.2, read_noise=0.05, adc_bits=6)
@with_programming()
class Unknown(ProgrammedArray):
    r"""A layer with the curve of a family, and everything about a copy of it a little off.

    .. math::
        y = \mathrm{ADC}\left[f(g \circ (W q + b + \sigma_W |q| \xi) + o; s) + \sigma \xi'\right]

    with gains :math:`g_j = e^{m \xi_j}`, offsets :math:`o_j = m \xi_j / 2` and a steepness :math:`s` for each
    chip, lognormal with mean 1. A pulse changes a cell by :math:`e^{m \xi_{ji}}` times what was asked, as
    the median, with the :math:`m` of the neurons' mismatch.

    Units:
        A weighted sum is typically 1: weights start as ``N(0, 1/n_in)`` and inputs have mean square 1.
        Outputs are in units of the full scale of the bounded families (saturating, sigmoid, non-monotone),
        range 0 to 1.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        weight_noise: Fluctuation of each weight from read to read, in units of the typical weight
            ``1/sqrt(n_in)``.
        curve_spread: Spread of the steepness from chip to chip.
        write_noise: Error of each pulse, relative to the change.
        weight_bits: Resolution of a cell, at least 2, over -4 to 4 typical weights, reached by stochastic rounding;
            0 is continuous and unbounded. With a DAC of at most 8 bits the sums are then exact.
        prints: Curve on the datasheet: that of the family, nothing, or that of a family named here, which may be
            wrong. Reads do not depend on it. The printed range of outputs is always that of the converters.

    Reference:
        No one device: the families are the circuits named at each curve, the spreads those of analog CMOS in
        weak inversion (5 mV of threshold is 14 % of current).
    """

    weight_bits: torch.Tensor
    totals: torch.Tensor
    mismatch: torch.Tensor
    unit: torch.Tensor
    most: torch.Tensor
    planes: torch.Tensor
    efficiency: torch.Tensor
    write_noise: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        programming: Programming,
        weight_noise: NonNegative = 0.0,
        curve_spread: LogSpread = 0.2,
        write_noise: NonNegative = 0.0,
        weight_bits: Annotated[int | torch.Tensor, Ge(0), Le(15)] = 0,
        prints: Literal[
            "family", "nothing", "saturating", "softplus", "exponential", "sigmoid", "non-monotone", "relu"
        ] = "family",
    ):
        printed: dict[str, Any] = dict(weight_max=_limit(weight_bits, n_in))
        if prints != "family":
            printed["neuron"] = None if prints == "nothing" else FAMILIES[prints].nominal
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            datasheet=periphery.datasheet(n_in, n_out, siemens=TYPICAL_SIEMENS, **printed),
            periphery=periphery,
            programming=programming,
            weight_noise=weight_noise * n_in**-0.5,
            curve_spread=curve_spread,
            write_noise=write_noise,
            weight_bits=weight_bits,
        )
        drawn = self._fabricated(Stream.EFFICIENCY, n_out, n_in)
        self._keep("efficiency", spread.factor(self.mismatch, drawn))
        self._make_states()

    @override
    def can_be_recorded(self):
        return not self._paths and not self.planes.shape[1]

    @override
    def pulse(self, change):
        self._require_states_for(change, "changes")
        for chips in cached_groups(change):
            landing = self._landing(chips, change[chips])
            self.weights[chips].add_(landing * self.efficiency[chips])
            self._settle(chips, change[chips])
        self._count_write(change)

    @override
    def program(self, weights):
        self._require_states_for(weights, "weights")
        return super().program(weights)

    @override
    def circuit(self):
        circuit = super().circuit()
        return circuit._replace(codes=Codes(self.planes, self.totals, self.unit)) if self.planes.shape[1] else circuit

    def _make_states(self) -> None:
        """Let the weights as fabricated settle in the nearest states, where there are any."""
        bits, n_in = self.weight_bits, self.weights.shape[2]
        if (bits == 1).any():
            raise ContractError("Expected weight_bits of 0, or from 2 to 15. Got 1. A cell needs three states or more.")
        self._keep("most", (2.0 ** (bits - 1) - 1).clamp(min=0))
        self._keep("unit", torch.where(bits > 0, WEIGHT_MAX * n_in**-0.5 / self.most, 0.0))
        planes = 0 if not bits.any() else 1 if bits.max() <= 8 else 2
        self._keep("planes", torch.zeros(len(bits), planes, n_in, self.weights.shape[1], dtype=torch.int8))
        self._keep("totals", torch.zeros(len(bits), planes, self.weights.shape[1], dtype=torch.int32))
        for chips in cached_groups(self.weights):
            self._settle(chips, torch.zeros_like(self.unit[chips]))

    def _settle(self, chips: slice, asked: torch.Tensor) -> None:
        """Let weights fall into states at random, and into the nearest one where nothing was asked for.

        Cells of continuous chips stay where they are.
        """
        w, unit = self.weights[chips], self.unit[chips]
        if not self.planes.shape[1] or (not w.is_cuda and not unit.any()):
            return
        states = whole_states(w, unit, self._rounding(chips, w).masked_fill(asked == 0, 0.5), self.most[chips])
        w.copy_(torch.where(unit > 0, states * unit, w))
        for n, of_chip in zip(range(len(self.seeds))[chips], states.nan_to_num(0.0), strict=True):
            self.planes[n] = planes_of(of_chip, self.planes.shape[1])
        self.totals[chips] = self.planes[chips].sum(2, dtype=torch.int32)

    def _require_states_for(self, asked: torch.Tensor, what: str) -> None:
        if self.planes.shape[1]:  # continuous cells keep what is undefined, and show it
            require_defined(asked, what)

    def _landing(self, chips: slice, asked: torch.Tensor) -> torch.Tensor:
        """Add the noise of a pulse to what was asked."""
        if not asked.is_cuda and not self.write_noise[chips].any():  # nobody waits for a GPU to tell
            return asked
        share = torch.ones_like(asked)
        return self._add_write_noise(share, self.write_noise[chips], Stream.WRITE, chips).mul_(asked)


def _limit(bits: int | torch.Tensor, n_in: int) -> PerChip | None:
    """Return the greatest weight as a datasheet prints it; None without a limit."""
    most = WEIGHT_MAX * n_in**-0.5
    if isinstance(bits, torch.Tensor):
        return torch.where(bits > 0, most, torch.inf) if bits.any() else None
    return most if bits else None
