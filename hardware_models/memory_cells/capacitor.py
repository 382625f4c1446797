"""Weights as charges on capacitors: even steps, and a leak."""

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Gt, Lt
from typing_extensions import override

from analogff.device import PerChip
from hardware_models.array.groups import chip_groups
from hardware_models.array.parameters import LogSpread, NonNegative, Positive, Share, per_chip
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.array.presets import CAPACITOR
from hardware_models.array.pulsed_cells import PulsedArray
from hardware_models.effects.retention import leaked
from hardware_models.kernels.streams import Stream

TYPICAL_SIEMENS = 1e-6
"""Mean conductance behind a weight: a transistor that the capacitor's voltage drives (assumed)."""


@with_periphery(read_noise=0.01)
class Capacitor(PulsedArray):
    r"""A crossbar of transistors with a capacitor at each gate, which current sources charge and discharge.

    .. math::
        w \to w \pm d^\pm_{ji} \left[(1 \mp \gamma^\pm_{ji} w) + c \xi\right], \quad
        w(t) = w\, e^{-t / \tau_{ji}}, \quad W = w\, w_\mathrm{max} / \sqrt{n_\mathrm{in}}

    clipped to bounds around -1 and 1. A wanted change becomes up to 31 whole pulses by stochastic rounding. Zero is the
    voltage that charge leaks to, and time passes in `wait` only.

    Units:
        aihwkit counts the lifetime in updates, 1e6 of them: what matters is how much is forgotten between two
        updates, and it leaves the seconds to its user. Here an update counts as 1 ms, so that the lifetime is 1000 s:
        writing some hundred input lines one after the other, with some ten to thirty pulses of 100 ns each, takes 0.1
        to 2.4 ms, and reads of a batch less. An array that writes all lines at once would forget as little with a
        lifetime of a second. Times and energies of a pulse are the general ones of a `Datasheet`.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        step: Mean step of one pulse at zero; the range is about -1 to 1.
        device_spread: Spread of the steps from cell to cell (lognormal).
        cycle_spread: Spread of the steps from pulse to pulse, over the step at zero.
        bounds_spread: Spread of the bounds from cell to cell; for both bounds.
        asymmetry: Mean of ``A`` in steps at zero of ``d (1 + A)`` up and ``d (1 - A)`` down.
        asymmetry_spread: Spread of ``A`` from cell to cell.
        slope: Share of a step that is lost on the way from zero to the mean bound (``gamma``).
        slope_spread: Spread of the slopes from cell to cell, in units of a slope.
        lifetime_seconds: Time in which a cell loses all but 1/e of its weight.
        lifetime_spread: Spread of the lifetimes from cell to cell, relative.
        program_noise: Error that write-and-verify leaves, in steps (assumed).
        weight_noise: Fluctuation of each cell from read to read, over the weight at 1 (assumed).
        weight_max: Weight of a cell at 1, in units of the typical weight ``1/sqrt(n_in)``.

    Reference:
        Li et al., VLSI Technology 2018; fit: the capacitor preset of aihwkit.
    """

    mean_lifetime_seconds: torch.Tensor
    lifetime_seconds: torch.Tensor
    lifetime_spread: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        step: Positive = CAPACITOR.step,
        device_spread: LogSpread = CAPACITOR.device_spread,
        cycle_spread: NonNegative = CAPACITOR.cycle_spread,
        bounds_spread: NonNegative = CAPACITOR.upper_spread,
        asymmetry: Annotated[PerChip, Gt(-1), Lt(1)] = CAPACITOR.asymmetry,
        asymmetry_spread: NonNegative = CAPACITOR.asymmetry_spread,
        slope: Share = CAPACITOR.slope_up,
        slope_spread: NonNegative = CAPACITOR.slope_spread,
        lifetime_seconds: Positive = 1000.0,
        lifetime_spread: NonNegative = 0.3,
        program_noise: NonNegative = 0.5,
        weight_noise: NonNegative = 0.01,
        weight_max: Positive = 3.0,
    ):
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            cell=CAPACITOR,
            told=dict(
                step=step,
                device_spread=device_spread,
                cycle_spread=cycle_spread,
                bounds_spread=bounds_spread,
                asymmetry=asymmetry,
                asymmetry_spread=asymmetry_spread,
                slope_up=slope,
                slope_down=slope,
                slope_spread=slope_spread,
            ),
            printed=dict(siemens=TYPICAL_SIEMENS),
            weight_max=weight_max,
            weight_noise=weight_noise,
            program_noise=program_noise,
            mean_lifetime_seconds=lifetime_seconds,
            lifetime_spread=lifetime_spread,
        )
        drawn = self._fabricated(Stream.LIFETIME, n_out, n_in)
        lifetimes = self.mean_lifetime_seconds * (1 + self.lifetime_spread * drawn).clamp(min=0.05)
        self._keep("lifetime_seconds", lifetimes)

    @override
    def wait(self, seconds):
        passed = per_chip("seconds", seconds, len(self.seeds)).to(self.weights.device)
        rest = torch.zeros_like(passed)
        for chip in chip_groups(self.weights):
            self.weights[chip] = leaked(self.weights[chip], rest[chip], passed[chip], self.lifetime_seconds[chip])
