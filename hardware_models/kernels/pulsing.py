"""Pulses on the cells of a bank, compiled for a CPU; the numbers are those of the equations, carried out one by one.

Loops are compiled but for powers, logarithms and roots, which are torch's: no other library rounds them alike. Chips
come one after another, as such functions round by where a number stands.
"""

from typing import NamedTuple

import numpy as np
import torch

from hardware_models.effects import write
from hardware_models.kernels.streams import Stream

_MOST, _ROUNDING, _WRITE = np.float32(write.PULSES_AT_MOST), int(Stream.ROUNDING), int(Stream.WRITE)


class Cells(NamedTuple):
    """Cells whose steps are linear in their state, ``(chips, n_out, n_in)`` each."""

    weights: torch.Tensor
    step_up: torch.Tensor
    """Step at zero, upwards."""
    step_down: torch.Tensor
    """Step at zero, downwards."""
    lower: torch.Tensor
    upper: torch.Tensor
    falls: tuple[torch.Tensor, ...]
    """Loss of steps up and down for a unit of state; empty for soft bounds."""


class Numbers(NamedTuple):
    """Numbers of the chips of a bank."""

    step: torch.Tensor
    """Mean step of a pulse, ``(chips, 1, 1)``."""
    unit: torch.Tensor
    """What the step is in units of, likewise."""
    seeds: torch.Tensor
    """One a chip."""
    writes: torch.Tensor
    """Number of the write of each chip."""


class Train:
    """Whole pulses of one chip after another, in memory that is used again.

    Args:
        change: Wanted changes of all chips, ``(chips, n_out, n_in)``.
        numbers: Of the chips.
    """

    def __init__(self, change: torch.Tensor, numbers: Numbers):
        self.shape = (1, *change.shape[1:])
        self.pulses, self._count, self._roots = (self.memory(name) for name in ("pulses", "counts", "roots"))
        self.array = self.pulses[0].numpy()
        """Signed pulses of the chip, ``(n_out, n_in)``."""
        self._spent = torch.zeros(len(change))
        step, unit, *self.address = (values.numpy() for values in numbers)
        self._asked = change.detach().numpy(), step, unit

    def memory(self, name: str, rows: int | None = None) -> torch.Tensor:
        """Return memory for the cells of one chip, ``(1, n_out, n_in)``, or so many rows of them."""
        from hardware_models.kernels.cpu.scratch import scratch

        _, n_out, n_in = self.shape
        return scratch(f"of a train: {name}", (1, rows or n_out, n_in))

    def draw(self, chip: int) -> bool:
        """Round the changes of a chip to pulses, and count them; tell whether there are any."""
        from hardware_models.kernels.cpu import pulsing as loops  # imported here, since it takes a second

        change, step, unit = self._asked
        own = self.array, self._count[0].numpy()
        given = change, chip, step, unit, _MOST, *self.address, _ROUNDING, *own
        some, undefined = loops.round_changes(*given)  # pyright: ignore[reportCallIssue]
        defined = self._count.nan_to_num() if undefined else self._count
        torch.sum(defined, (1, 2), out=self._spent[chip : chip + 1])
        return some

    def roots(self, least: float) -> np.ndarray:
        """Return the square roots of the numbers of pulses, of which each is taken as so many at least."""
        return torch.clamp(self._count, min=least, out=self._roots).sqrt_()[0].numpy()

    def remaining(self, share: torch.Tensor) -> None:
        """Turn shares that one pulse leaves into those that all leave."""
        share.pow_(self._count)

    def lost(self, share: torch.Tensor, out: torch.Tensor) -> None:
        """Fill in minus the shares that all pulses lose, from minus those that one loses."""
        torch.mul(self._count, torch.log1p(share, out=out), out=out).expm1_()

    def spent(self) -> torch.Tensor:
        """Return the pulses of all chips so far, ``(chips,)``."""
        return self._spent.long()


def takes(change: torch.Tensor) -> bool:
    """Tell whether compiled loops take such changes."""
    return change.device.type == "cpu" and change.dtype == torch.float32


def which_ask(change: torch.Tensor) -> torch.Tensor:
    """Tell which chips are asked for anything, ``(chips, n_out, n_in)`` to ``(chips,)``."""
    if not takes(change):
        return (change != 0).flatten(1).any(1)
    from hardware_models.kernels.cpu import pulsing as loops

    return torch.from_numpy(loops.which_ask(change.detach().numpy()))


def pulse(change: torch.Tensor, cells: Cells, numbers: Numbers, noise: torch.Tensor, even: bool) -> torch.Tensor:
    """Pulse cells in place; see `array.pulsed_cells` for the equations.

    Args:
        change: Wanted changes, ``(chips, n_out, n_in)``.
        cells: As they stand.
        numbers: Of the chips.
        noise: Spread of a step from pulse to pulse, relative, ``(chips, 1, 1)``.
        even: Whether that is of a step at zero, or of the step as it is.

    Returns:
        Pulses of each chip, ``(chips,)``.
    """
    from hardware_models.kernels.cpu import pulsing as loops

    w, *ends = (values.numpy() for values in cells[:5])
    up, down, low, high = ends
    falls = tuple(values.numpy() for values in cells.falls)
    train, spread = Train(change, numbers), noise.numpy()
    moved, lost = train.memory("moved"), train.memory("lost")
    changes, losses = moved[0].numpy(), lost[0].numpy()
    for chip in range(len(change)):
        some = train.draw(chip)
        if some and falls:
            loops.linear_loss(chip, train.array, up, down, *falls, losses)  # pyright: ignore[reportCallIssue]
            train.lost(lost, moved)
        elif some:
            loops.soft_share(chip, train.array, up, down, high, low, changes)
            train.remaining(moved)
        roots, where = train.roots(0.0 if even else 1.0), (*train.address, _WRITE)
        loops.land(chip, train.array, roots, losses, changes, w, tuple(ends), falls, spread, even, *where)  # pyright: ignore
    return train.spent()
