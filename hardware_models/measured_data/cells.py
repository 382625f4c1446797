"""Arrays of measured cells."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from hardware_models import kernels
from hardware_models.array.periphery import Periphery
from hardware_models.array.presets import Cell, Law
from hardware_models.array.pulsed_cells import PulsedArray
from hardware_models.kernels.streams import Stream
from hardware_models.measured_data.pulses import POINTS, Pulses


def measured_steps(
    w: torch.Tensor,
    pulses: torch.Tensor,
    copy: torch.Tensor,
    table: torch.Tensor,
    lower: torch.Tensor,
    upper: torch.Tensor,
) -> torch.Tensor:
    r"""Change of cells after several pulses, one after the other.

    .. math:: w \to w \pm (w^+ - w^-)\, d^\pm_c\!\left(\frac{w - w^-}{w^+ - w^-}\right)

    with the steps :math:`d^\pm_c` of the measured cell :math:`c`, joined by lines between the points of a table, and
    clipped to the bounds after each.

    Args:
        w: State, between the bounds.
        pulses: How many whole ones; negative is down.
        copy: Which measured cell each is.
        table: Steps by state, in shares of the range, ``(1 or chips, 2, cells, POINTS)``; all chips have the same.
        lower: Lower bounds.
        upper: Upper bounds.
    """
    left = pulses.abs().nan_to_num().flatten()
    moving = left.nonzero().squeeze(1)
    sign, left = pulses.sign().flatten()[moving], left[moving]
    row = (copy + (pulses < 0) * table.shape[2]).flatten()[moving] * POINTS
    span = upper - lower
    before = ((w - lower) / span).nan_to_num().clamp(0, 1).flatten()[moving]
    moved, steps, going = torch.zeros_like(before), table[0].flatten(), torch.arange(len(moving), device=w.device)
    for done in range(1, 1 + int(left.max() if len(left) else 0)):
        start = before[going]
        place = (start + moved[going]) * (POINTS - 1)
        at = place.floor().clamp(0, POINTS - 2)
        index = row[going] + at.long()
        first = steps.take(index)
        step = first + (place - at) * (steps.take(index + 1) - first)
        moved[going] = torch.clamp(moved[going] + sign[going] * step, -start, 1 - start)
        going = going[left[going] > done]
    change = torch.zeros_like(w).flatten()
    change[moving] = moved
    return change.view_as(w) * span + 0 * pulses  # what is undefined stays so


MEASURED = Law(measured_steps, ("copy", "steps", "lower", "upper"))
"""Steps as measured, by state."""


class MeasuredCells(PulsedArray):
    r"""An array whose cells each are one of the measured ones.

    .. math::
        w \to w \pm d^\pm_{c_{ji}}(w) + \sigma^\pm(w)\, \xi, \quad W = w\, w_\mathrm{max} / \sqrt{n_\mathrm{in}}, \quad
        w = (G - G_0) / G_1

    with :math:`G_0` and :math:`G_1` the middle and half of the mean range, so as against a reference cell in the
    middle; :math:`c_{ji}` is drawn when the chip is made, each measured cell as likely as the others.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        periphery: Converters and neurons.
        pulses: As measured.
        weight_max: Weight at the end of the mean range, in units of the typical weight ``1/sqrt(n_in)``.
        program_noise: Error that write-and-verify leaves, in steps.
        measured_noise: Factor on the measured noise of pulses.
    """

    copy: torch.Tensor
    measured_noise: torch.Tensor
    step_noise: torch.Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | Sequence[int],
        periphery: Periphery,
        pulses: Pulses,
        weight_max: Any,
        program_noise: Any,
        measured_noise: Any,
    ):
        self.pulses = pulses
        middle = pulses.steps[:, :, POINTS // 2] * (pulses.greatest - pulses.least) / pulses.half
        cell = Cell(
            law=MEASURED,
            step=float(middle.mean()),
            device_spread=0.0,
            cycle_spread=0.0,
            upper_spread=0.0,
            lower_spread=0.0,
        )
        super().__init__(
            n_in,
            n_out,
            seed=seed,
            periphery=periphery,
            cell=cell,
            told={},
            printed=dict(siemens=pulses.middle, source=_source(pulses)),
            weight_max=weight_max,
            weight_noise=0.0,
            program_noise=program_noise,
            measured_noise=measured_noise,
        )

    def _fabricate_cells(self) -> None:
        """Draw which measured cell each is, and take its range and steps."""
        chips, cells = len(self.seeds), (self.datasheet.n_out, self.datasheet.n_in)
        drawn = kernels.uniform(self.seeds, 0, *cells, Stream.MEASURED_CELL)
        self._keep("copy", (drawn * self.pulses.cells).long().clamp(max=self.pulses.cells - 1))
        ends = (np.stack([self.pulses.least, self.pulses.greatest]) - self.pulses.middle) / self.pulses.half
        lower, upper = (self.unit * _tensor(end).take(self.copy) for end in ends)
        self._keep("lower", lower)
        self._keep("upper", upper)
        self._keep("steps", _tensor(self.pulses.steps).repeat(chips, 1, 1, 1))
        self._keep("step_noise", _tensor(self.pulses.noise).repeat(chips, 1, 1))
        middle = _tensor(self.pulses.steps[:, :, POINTS // 2])
        self._keep("step_up", (upper - lower) * middle[0].take(self.copy))
        self._keep("step_down", (upper - lower) * middle[1].take(self.copy))
        self.weights = self.weights.clamp(lower, upper)

    def _cycle_noise(self, chip: slice, pulses: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
        """Return the spread of a change: that of a step where it begins, times the root of their number."""
        lower, span = self.lower[chip], self.upper[chip] - self.lower[chip]
        at = ((self.weights[chip] - lower) / span * (POINTS - 1)).nan_to_num().round().long().clamp(0, POINTS - 1)
        each = self.step_noise[chip][0].flatten().take(at + (pulses < 0) * POINTS)
        return self.measured_noise[chip] * each * span * pulses.abs().sqrt()


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(array, dtype=torch.float32).contiguous()


def _source(pulses: Pulses) -> str:
    low, high = pulses.least.mean(), pulses.greatest.mean()
    return f"{pulses.file}: measured cells {pulses.cells}, {low:.3g} to {high:.3g} siemens on average"
