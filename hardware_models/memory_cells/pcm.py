"""Phase-change memory: two cells a weight, programmed with error, drifting, with 1/f noise."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from typing_extensions import override

from analogff.device import PerChip
from hardware_models.array.crossbar import Crossbar
from hardware_models.array.groups import chip_groups
from hardware_models.array.parameters import LogSpread, NonNegative, Positive, per_chip
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.effects import drift as drifts
from hardware_models.effects import mismatch as spread
from hardware_models.effects import read_noise, temperature, write
from hardware_models.effects.pairs import difference, pair
from hardware_models.kernels import pairs, pulsing
from hardware_models.kernels.streams import Stream

TYPICAL_SIEMENS = 5e-6
"""Mean conductance behind a weight as fabricated: a fifth of the greatest, 25 uS."""
PULSE_JOULES = 10e-12  # 1 to 30 pJ
VERIFY_PULSES = 8
"""Pulses that write-and-verify is counted for on a cell (assumed; the order of published schemes)."""
FULL = 0.9
"""Share of its range at which a cell has its pair refreshed."""
RESET_PULSES = 2
"""Pulses that empty a pair."""
ACTIVATION_ELECTRONVOLTS = 0.2
"""Of the conduction of amorphous Ge2Sb2Te5 at low field (no source; assumed)."""
COMPENSATIONS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None] = {
    "none": None,
    "global": drifts.compensation,
    "column": drifts.column_compensation,
}
"""Ways to rescale sums: from cells as programmed and as they are to factors."""


@with_periphery(read_noise=0.01)
class PCM(Crossbar):
    r"""A crossbar of pairs of phase-change cells with rectifying neurons.

    .. math::
        W = (g^+ - g^-)\, w_\mathrm{max} / \sqrt{n_\mathrm{in}}, \quad
        g(t) = g \left(\tfrac{t + t_0}{t_0}\right)^{-\nu}, \quad
        \sigma_g(t) = g(t)\, Q(g) \sqrt{\ln \tfrac{t + t_r}{2 t_r}}

    with :math:`g` in units of 25 uS. Each cell has its own exponent and its own time since it was written;
    time passes in `wait` only. A pulse crystallizes, so that a cell only grows: positive changes go to :math:`g^+`,
    negative ones to :math:`g^-`. With ``restart = "pulse"`` the whole cell then starts to drift anew from where it was,
    as aihwkit's ``drift_weights`` has it. With ``"program"`` it goes on to drift as before: what relaxed once does not
    relax again. A pair of which one is nearly full is refreshed: emptied, and its difference programmed
    again. The step of a pulse is normal, as in aihwkit (``(1 + dw_min_std xi) dw_min``), and not cut off at 0: with
    the published spread of 0.6 one pulse in 21 (4.8 %) takes its cell back, and 0.9 % of trains of two do.

    1/f noise is drawn as noise of the sums, of variance :math:`x^2 \cdot v(W)`, anew for each read: its size is that
    of the law, but reads do not remember it. Its time counts from the write, so that a cell just written has none. In
    contrast, aihwkit adds the :math:`t_0` of 20 s before its first read. That makes noise 10 % larger after a second,
    and changes nothing after an hour.

    Cells are programmed, and their conductances verified, at 300 K. What is read at another temperature is
    :math:`g A / (1 + g (A - 1))` with the Arrhenius factor :math:`A` of an amorphous part, in series with one that does
    not depend on temperature: the smaller a conductance, the more it changes, 28 % for 10 K at most. The pace of drift
    is that of a constant temperature.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        program_noise: Error of programming, in units of the published one; so too:
        drift: Drift exponents.
        flicker_noise: 1/f noise.
        restart: What starts the drift of a cell anew: each "pulse", or writing it whole only ("program").
        compensation: Rescale the sums after each wait by measured factors: one for all columns (global drift
            compensation, one read), or one for each ("column", a read for each input line); neither is counted. Where
            what is read nearly cancels, the factor is 1.
        temperature_kelvin: Temperature at which it is read.
        step: Growth of a cell in one pulse, the mean of all cells; its range is 0 to 1.
        device_spread: Spread of the steps from cell to cell (lognormal); that of their logarithms.
        cycle_spread: Spread of the steps from pulse to pulse, relative.
        bounds_spread: Spread of the greatest conductance from cell to cell; no write takes a cell beyond its own.
        weight_max: Weight of a cell at 1, in units of the typical weight ``1/sqrt(n_in)``.

    Reference:
        Joshi et al., Nature Communications 11, 2473 (2020), a million devices, 20 s to months; pulses: the
        one-sided PCM preset of aihwkit; temperature: Ielmini and Zhang, J. Appl. Phys. 102, 054517 (2007), activated
        conduction.
    """

    device_spread: torch.Tensor
    drifted: torch.Tensor
    variance: torch.Tensor
    temperature_kelvin: torch.Tensor
    bounds_spread: torch.Tensor
    step: torch.Tensor
    age_seconds: torch.Tensor
    flicker: torch.Tensor
    factor: torch.Tensor
    cycle_spread: torch.Tensor
    program_noise: torch.Tensor
    unit: torch.Tensor
    bounds: torch.Tensor
    programmed: torch.Tensor
    drift: torch.Tensor
    drift_normals: torch.Tensor
    flicker_noise: torch.Tensor
    steps: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        program_noise: NonNegative = 1.0,
        drift: NonNegative = 1.0,
        flicker_noise: NonNegative = 1.0,
        restart: Literal["pulse", "program"] = "pulse",
        compensation: Literal["none", "global", "column"] = "none",
        temperature_kelvin: Annotated[PerChip, Ge(250), Le(360)] = temperature.ROOM_KELVIN,
        step: Positive = 0.01,
        device_spread: LogSpread = 0.2,
        cycle_spread: NonNegative = 0.6,
        bounds_spread: NonNegative = 0.1,
        weight_max: Positive = 4.0,
    ):
        unit = weight_max * n_in**-0.5
        longest = write.PULSES_AT_MOST * step * unit
        sheet = dict(siemens=TYPICAL_SIEMENS, weight_max=unit, change_max=longest, change_step=step * unit)
        sheet["pulse_joules"] = PULSE_JOULES
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            datasheet=periphery.datasheet(n_in, n_out, **sheet),
            periphery=periphery,
            unit=unit,
            program_noise=program_noise,
            drift=drift,
            flicker_noise=flicker_noise,
            temperature_kelvin=temperature_kelvin,
            step=step,
            device_spread=device_spread,
            cycle_spread=cycle_spread,
            bounds_spread=bounds_spread,
        )
        self.compensated = COMPENSATIONS[compensation]
        self.restart = restart
        self._fabricate_cells()

    def _fabricate_cells(self) -> None:
        """Draw what belongs to the cells, first all ``g+``, then all ``g-``; program the first weights."""
        cells = 2 * self.datasheet.n_out, self.datasheet.n_in
        steps = spread.unit_mean_factor(self.device_spread, self._fabricated(Stream.EFFICIENCY, *cells))
        bounds = 1 + self.bounds_spread * self._fabricated(Stream.UPPER_BOUND, *cells)
        self._keep("steps", self.step * steps)
        self._keep("bounds", bounds.clamp_(min=0.05))
        self._keep("drift_normals", self._fabricated(Stream.DRIFT, *cells))
        for name in ("programmed", "drifted", "age_seconds", "flicker"):
            self._keep(name, torch.zeros_like(self.bounds))
        self._keep("factor", torch.ones_like(self.weights[..., :1]))
        self._keep("variance", torch.zeros_like(self.weights))
        self.program(self.weights)

    @override
    def circuit(self):
        return super().circuit()._replace(variance=self.variance)

    @override
    def wait(self, seconds):
        self.age_seconds.add_(per_chip("seconds", seconds, len(self.seeds)).to(self.age_seconds.device))
        for chip in chip_groups(self.weights):
            g, age = self.programmed[chip], self.age_seconds[chip]
            nu = self.drift[chip] * drifts.exponent(g, self.drift_normals[chip])
            self.drifted[chip] = drifts.drifted(g, nu, age)
            self.flicker[chip] = self.flicker_noise[chip] * self.drifted[chip] * read_noise.flicker(g, age)
            if self.compensated is not None:
                now = self._warmed(chip, self.drifted[chip])
                self.factor[chip] = self.compensated(g, now)
            self._sum_up(chip)

    @override
    def program(self, weights):
        self.factor.fill_(1.0)
        for chip in chip_groups(weights):
            target = pair((weights[chip] / self.unit[chip]).clamp(-1, 1))
            self._write(chip, self._programmed(chip, target, Stream.PROGRAM), torch.ones_like(target))
        self.writes += 1
        return torch.full_like(self.seeds, 2 * weights[0].numel() * VERIFY_PULSES)

    @override
    def pulse(self, change):
        if not pulsing.takes(change):
            return self._chip_by_chip(self._pulse, change)
        counts = self._pulse_compiled(change)
        self._count_write(change)
        return counts

    def _pulse_compiled(self, change: torch.Tensor) -> torch.Tensor:
        """As `_pulse` for all chips, with the same numbers."""
        cells = pairs.Cells(*(self._buffers[name] for name in pairs.Cells._fields))  # type: ignore[arg-type]
        numbers = pulsing.Numbers(self.step, self.unit, self.seeds, self.writes)
        again, own = self.restart == "pulse", (self.cycle_spread, self.program_noise, self.factor)
        counts = pairs.pulse(change, cells, numbers, pairs.Growth(*own, FULL, again, RESET_PULSES))
        for chip in chip_groups(change):
            if not self._is_at_room_temperature(chip):
                self._sum_up(chip)
        return counts

    def _pulse(self, chip: slice, change: torch.Tensor) -> torch.Tensor:
        signed = write.whole_pulses(change, self.step[chip] * self.unit[chip], self._rounding(chip, change))
        # n independent steps of mean m and spread c m add up to a spread of c m sqrt(n)
        sigma = self.cycle_spread[chip] / signed.abs().clamp(min=1).sqrt()
        luck = self._add_write_noise(torch.ones_like(signed), sigma, Stream.WRITE, chip)
        pulses = pair(signed)
        growth = (pulses * self.steps[chip]).unflatten(1, (2, -1)).mul_(luck.unsqueeze(1)).flatten(1, 2)
        g = self._bounded(chip, self.drifted[chip] + growth)
        fresh = pulses.clamp_(max=1)
        if self.restart == "program":
            fresh *= self.drifted[chip] == 0  # nothing is there yet that could go on
        spent = signed.abs().nan_to_num().sum((1, 2)).long()
        full = (g > FULL * self.bounds[chip]).unflatten(1, (2, -1)).any(1) & (signed != 0)
        if full.any():
            target, again = pair(difference(g)), torch.cat([full, full], 1)
            g = torch.where(again, self._programmed(chip, target, Stream.REFRESH), g)
            rebuilt = (target / self.step[chip]).ceil() * again
            spent += rebuilt.sum((1, 2)).long() + RESET_PULSES * full.sum((1, 2))
            fresh = torch.maximum(fresh, again.float())
        self._write(chip, g, fresh)
        return spent

    def _programmed(self, chip: slice, target: torch.Tensor, stream: Stream) -> torch.Tensor:
        """Return where programming lands."""
        error = write.programming_error(target.clamp(max=1), write.JOSHI_2020, write.JOSHI_GMAX)
        sigma = self.program_noise[chip] * error
        return self._bounded(chip, self._add_write_noise(target.clone(), sigma, stream, chip))

    def _bounded(self, chip: slice, g: torch.Tensor) -> torch.Tensor:
        """Return where cells end up that were to reach ``g``: each inside its own range, however it is written."""
        return torch.minimum(g, self.bounds[chip]).clamp_(min=0)

    def _write(self, chip: slice, g: torch.Tensor, fresh: torch.Tensor) -> None:
        """Put all cells where they are now; those written, marked with 1 and not 0, start anew."""
        kept = 1 - fresh
        before = self.drifted[chip]
        # a cell that drifts on is as if it had been written larger in the first place
        grown = torch.where(before > 0, self.programmed[chip] * (g / before), g)
        self.programmed[chip].copy_(torch.where(fresh > 0, g, grown))
        self.drifted[chip] = g
        self.age_seconds[chip].mul_(kept)
        self.flicker[chip].mul_(kept)
        self._sum_up(chip)

    def _sum_up(self, chip: slice) -> None:
        """Bring the effective weights and their noise up to date."""
        scale = self.unit[chip] * self.factor[chip]
        rows = self.datasheet.n_out
        squares = self._warmed(chip, self.flicker[chip]).square()
        self.weights[chip] = scale * difference(self._warmed(chip, self.drifted[chip]))
        self.variance[chip] = scale.square() * (squares[:, :rows] + squares[:, rows:])

    def _warmed(self, chip: slice, size: torch.Tensor) -> torch.Tensor:
        """Return what grows in proportion to the conductances, as it is at the temperature of the chips."""
        if self._is_at_room_temperature(chip):
            return size
        kelvin = self.temperature_kelvin[chip]
        energy = torch.full_like(kelvin, ACTIVATION_ELECTRONVOLTS)
        return size * temperature.in_series(self.drifted[chip], temperature.arrhenius(kelvin, energy))

    def _is_at_room_temperature(self, chip: slice) -> bool:
        return bool((self.temperature_kelvin[chip] == temperature.ROOM_KELVIN).all())
