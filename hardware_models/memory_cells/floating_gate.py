"""Flash: charge on floating gates, moved by tunnelling through the oxide."""

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Gt, Lt
from typing_extensions import override

from analogff.device import PerChip
from hardware_models.array.groups import chip_groups
from hardware_models.array.parameters import LogSpread, NonNegative, Positive, per_chip
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.array.presets import FLOATING_GATE
from hardware_models.array.pulsed_cells import PulsedArray
from hardware_models.effects.retention import leaked
from hardware_models.effects.temperature import arrhenius

TYPICAL_SIEMENS = 1e-6
"""Mean conductance behind a weight: a cell somewhat above threshold (assumed)."""
PULSE_SECONDS = 10e-6
"""Time of a programming or erasing pulse by tunnelling (assumed; 1 us to 1 ms)."""
LIFETIME_SECONDS = 10 * 365.25 * 86400
"""Retention that flash is commonly specified with, here taken as the time that leaves 1/e (assumed)."""
LIFETIME_KELVIN = 358.15
"""Temperature of that time: 85 degrees."""
RETENTION_ELECTRONVOLTS = 1.1
"""Activation energy of the loss of charge that reliability tests count with: JEDEC JESD218 takes 500 h at 52 degrees or
96 h at 66 for a year at 30, which is 1.1 eV."""


@with_periphery(read_noise=0.01)
class FloatingGate(PulsedArray):
    r"""A crossbar of floating-gate transistors above threshold, each against a reference at the middle of the window.

    .. math::
        \frac{dV}{dn} = d^+ e^{-V / V_0} \;\text{(up)}, \quad \frac{dV}{dn} = -d^- e^{V / V_0} \;\text{(down)}, \quad
        W = \frac{V}{V_\mathrm{window}} \frac{w_\mathrm{max}}{\sqrt{n_\mathrm{in}}}

    with the shift :math:`V` of the threshold voltage, which a weight is proportional to. Charge already there screens
    the field that drives the tunnelling, so that a cell's shift goes with the logarithm of the pulses, and a step back
    from far out is large. A wanted change becomes up to 31 whole pulses by stochastic rounding. The wear of the oxide
    is not modeled.

    With a ``temperature_kelvin`` charge is lost in `wait`, :math:`V(t) = V e^{-t / \tau}`, in ten years at 85 degrees
    and by an Arrhenius law of 1.1 eV elsewhere: ten thousand years at 300 K, a season at 400 K. What temperature does
    to the current of a transistor, by its mobility, is one factor for all and left out; its threshold shifts as that of
    the reference.

    Units:
        Assumed are the window, the step and the spreads. ``V_0`` follows from the tunnelling current
        ``E^2 exp(-B / E)``. Its exponent changes by ``B / (E^2 t)`` a volt on the oxide. That is 2.7 with ``B`` = 24
        GV/m, ``E`` = 1 GV/m and an oxide of ``t`` = 9 nm. With 0.7 of a threshold shift on the oxide ``V_0`` is 0.5 V.
        ``B`` is ``4 sqrt(2 m) phi^1.5 / (3 q hbar)`` for half of an electron's mass (Weinberg, J. Appl. Phys. 53, 5052,
        1982) and a barrier of 2.9 eV (assumed).

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        step_volts: Mean shift by one pulse from the middle of the window.
        window_volts: Shift at either bound.
        fold_volts: Shift that changes the tunnelling current by a factor of e.
        device_spread: Spread of the tunnelling currents from cell to cell (lognormal), from the oxide's thickness.
        cycle_spread: Spread of a step from pulse to pulse, relative.
        bounds_spread: Spread of the bounds from cell to cell; for both bounds.
        asymmetry: ``A`` in steps of ``d (1 + A)`` up and ``d (1 - A)`` down, for programming by hot electrons or
            another pulse height.
        program_noise: Error that write-and-verify leaves, in steps.
        weight_noise: Fluctuation of each cell from read to read, over the weight at the bound.
        weight_max: Weight of a cell at its bound, in units of the typical weight ``1/sqrt(n_in)``.
        temperature_kelvin: Temperature at which it waits; without one it loses no charge.

    Reference:
        Lenzlinger and Snow, J. Appl. Phys. 40, 278 (1969), the current; Diorio, Hasler, Minch and Mead, IEEE Trans.
        Electron Devices 43, 1972 (1996), such a transistor as a synapse. No one device.
    """

    lifetime_seconds: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        step_volts: Positive = 0.01,
        window_volts: Positive = 1.0,
        fold_volts: Positive = 0.5,
        device_spread: LogSpread = FLOATING_GATE.device_spread,
        cycle_spread: NonNegative = FLOATING_GATE.cycle_spread,
        bounds_spread: NonNegative = FLOATING_GATE.upper_spread,
        asymmetry: Annotated[PerChip, Gt(-1), Lt(1)] = FLOATING_GATE.asymmetry,
        program_noise: NonNegative = 0.5,
        weight_noise: NonNegative = 0.01,
        weight_max: Positive = 3.0,
        temperature_kelvin: Annotated[PerChip | None, Gt(0)] = None,
    ):
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            cell=FLOATING_GATE,
            told=dict(
                step=step_volts / window_volts,
                device_spread=device_spread,
                cycle_spread=cycle_spread,
                bounds_spread=bounds_spread,
                asymmetry=asymmetry,
            ),
            printed=dict(siemens=TYPICAL_SIEMENS, pulse_seconds=PULSE_SECONDS),
            weight_max=weight_max,
            weight_noise=weight_noise,
            program_noise=program_noise,
            fold=weight_max * n_in**-0.5 * fold_volts / window_volts,
            lifetime_seconds=_lifetime(temperature_kelvin),
        )

    @override
    def wait(self, seconds):
        passed = per_chip("seconds", seconds, len(self.seeds)).to(self.weights.device)
        rest = torch.zeros_like(passed)
        for chip in chip_groups(self.weights):
            if self.lifetime_seconds[chip].isfinite().any():
                self.weights[chip] = leaked(self.weights[chip], rest[chip], passed[chip], self.lifetime_seconds[chip])


def _lifetime(kelvin: PerChip | None) -> PerChip:
    """Return the time constant of the loss of charge."""
    if kelvin is None:
        return math.inf
    # in double precision, so that a chip's does not depend on how many stand beside it
    energy = torch.tensor(-RETENTION_ELECTRONVOLTS, dtype=torch.float64)
    return LIFETIME_SECONDS * arrhenius(torch.as_tensor(kelvin, dtype=torch.float64), energy, LIFETIME_KELVIN)
