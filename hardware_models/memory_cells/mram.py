"""Magnetic memory: cells that are one or the other way up, and that a pulse turns over with some probability."""

from collections.abc import Sequence
from typing import Annotated, Any

import torch
from annotated_types import Ge, Le
from typing_extensions import override

from hardware_models import kernels
from hardware_models.array.crossbar import Crossbar
from hardware_models.array.groups import chip_groups
from hardware_models.array.parameters import NonNegative, Positive, require_defined
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.effects.switching import switching_probability
from hardware_models.kernels.streams import Stream

CELL_SIEMENS = 100e-6
"""Conductance of a junction and its complement together: 20 kOhm each on average (typical; assumed)."""
PULSE_SECONDS = 10e-9
"""Time of a write pulse (typical; assumed)."""
TRIES = 32
"""Pulses after which write-and-verify gives up on a cell (assumed)."""


@with_periphery(read_noise=0.01)
class MRAM(Crossbar):
    r"""A crossbar of several magnetic tunnel junctions a weight, of binary significance.

    .. math::
        W = \frac{w_\mathrm{max}}{\sqrt{n_\mathrm{in}}} \frac{\sum_b 2^b s_b}{2^B - 1}, \quad s_b = \pm 1, \quad
        P(s_b \to -s_b) = \frac{1}{1 + e^{-(V - V_{50}) / \Delta V}}

    A junction and its complement are a pair, so that its two states are exact. A wanted change is rounded at random to
    whole steps of the least cell; the controller knows what is stored, and gives one pulse to each cell that must turn
    over. **Each pulse is a coin**: with amplitude ``V`` it turns the cell over with probability ``P``, in which
    :math:`V_{50}` differs from cell to cell. So a lower voltage saves energy and lets changes land by chance, the more
    harmfully the higher the cell: a carry that fails half-way is off by a power of two. With ``bits = 1`` this is the
    stochastic binary synapse. Programming verifies and repeats, up to 32 pulses a cell. Nothing is lost with time.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        bits: Cells of a weight, ``B``.
        write_volts: Amplitude of a write pulse of 10 ns.
        switch_volts: Mean amplitude at which every other pulse succeeds.
        switch_width_volts: Width of the transition, by thermal agitation.
        switch_spread_volts: Spread of ``switch_volts`` from cell to cell.
        weight_noise: Fluctuation of each weight from read to read, over the greatest weight (assumed).
        weight_max: Weight with all cells up, in units of the typical weight ``1/sqrt(n_in)``.

    Reference:
        Vincent et al., IEEE Trans. Biomed. Circuits Syst. 9, 166 (2015): junctions as stochastic synapses. The voltages
        are typical of spin-transfer torque and no one device's (assumed).
    """

    switch_volts: torch.Tensor
    switch_spread_volts: torch.Tensor
    write_volts: torch.Tensor
    switch_width_volts: torch.Tensor
    unit: torch.Tensor
    codes: torch.Tensor
    probability: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        bits: Annotated[int, Ge(1), Le(22)] = 6,
        write_volts: Positive = 0.6,
        switch_volts: Positive = 0.5,
        switch_width_volts: Positive = 0.02,
        switch_spread_volts: NonNegative = 0.02,
        weight_noise: NonNegative = 0.01,
        weight_max: Positive = 4.0,
    ):
        unit = weight_max * n_in**-0.5
        printed: dict[str, Any] = dict(
            siemens=CELL_SIEMENS * bits,
            weight_max=unit,
            pulse_seconds=PULSE_SECONDS,
            pulse_joules=write_volts**2 * CELL_SIEMENS * PULSE_SECONDS,
        )
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            datasheet=periphery.datasheet(n_in, n_out, **printed),
            periphery=periphery,
            weight_noise=weight_noise * unit,
            unit=unit,
            write_volts=write_volts,
            switch_volts=switch_volts,
            switch_width_volts=switch_width_volts,
            switch_spread_volts=switch_spread_volts,
        )
        self.bits = bits
        drawn = self._fabricated(Stream.THRESHOLD, bits * n_out, n_in)
        thresholds = self.switch_volts + self.switch_spread_volts * drawn
        self._keep("probability", switching_probability(self.write_volts, thresholds, self.switch_width_volts))
        self._keep("codes", self._nearest(slice(None), self.weights))
        self._show(slice(None))

    @property
    def _most(self) -> int:
        """Code with all cells up."""
        return 2**self.bits - 1

    @override
    def pulse(self, change):
        require_defined(change, "changes")
        return self._chip_by_chip(self._pulse, change)

    def _pulse(self, chip: slice, change: torch.Tensor) -> torch.Tensor:
        u = self._rounding(chip, change)
        steps = (change * (self._most / (2 * self.unit[chip])) + u).floor().clamp(-self._most, self._most)
        wanted = (self.codes[chip] + steps.nan_to_num().int()).clamp(0, self._most)
        return self._turn(chip, wanted, tries=1)

    @override
    def program(self, weights):
        require_defined(weights, "weights")
        counts = [self._turn(chip, self._nearest(chip, weights[chip]), TRIES) for chip in chip_groups(weights)]
        self.writes += 1
        return torch.cat(counts)

    def _nearest(self, chip: slice, weights: torch.Tensor) -> torch.Tensor:
        """Return the codes whose weights come nearest."""
        share = weights / self.unit[chip]
        return ((share.clamp(-1, 1) + 1) * (self._most / 2)).nan_to_num().round().int()

    def _turn(self, chip: slice, wanted: torch.Tensor, tries: int) -> torch.Tensor:
        """Pulse the cells that must turn over, each until it does or ``tries`` are spent; return how many were."""
        rows, columns = wanted.shape[1:]
        codes, spent = self.codes[chip], torch.zeros(len(wanted), dtype=torch.float64, device=wanted.device)
        asked, turned = codes ^ wanted, torch.zeros_like(codes)
        for b in range(self.bits):
            p = self.probability[chip, b * rows : (b + 1) * rows].double()
            success = 1 - (1 - p) ** tries
            first = (self.writes[chip] * self.bits + b) * rows
            coin = kernels.uniform(self.seeds[chip], first, rows, columns, Stream.SWITCHING) < success
            turned |= coin.int() << b
            # a geometric series: the mean number of pulses until the first success, or the last try
            spent += ((asked >> b & 1) * torch.where(p > 1e-9, success / p, tries)).sum((1, 2))
        codes ^= asked & turned
        self._show(chip)
        return spent.round().long()

    def _show(self, chip: slice) -> None:
        """Bring the weights up to date with the cells."""
        self.weights[chip] = (2 * self.codes[chip] - self._most) * (self.unit[chip] / self._most)
