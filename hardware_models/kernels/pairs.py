"""Pulses on pairs of phase-change cells, compiled for a CPU; see `memory_cells.pcm` for the equations."""

from typing import NamedTuple

import numpy as np
import torch

from hardware_models.effects import write
from hardware_models.kernels.pulsing import Numbers, Train
from hardware_models.kernels.streams import Stream

_ERROR = tuple(np.float32(c) for c in (*write.JOSHI_2020, write.JOSHI_GMAX))
_STREAMS = int(Stream.WRITE), int(Stream.REFRESH)


class Cells(NamedTuple):
    """Pairs as they stand, ``(chips, 2 n_out, n_in)``; weights and variances are ``(chips, n_out, n_in)``."""

    steps: torch.Tensor
    bounds: torch.Tensor
    drifted: torch.Tensor
    programmed: torch.Tensor
    age_seconds: torch.Tensor
    flicker: torch.Tensor
    weights: torch.Tensor
    variance: torch.Tensor


class Growth(NamedTuple):
    """How pairs grow, ``(chips, 1, 1)`` each."""

    cycle_spread: torch.Tensor
    """Spread of a step from pulse to pulse, relative."""
    program_noise: torch.Tensor
    """Error of programming, in units of the published one."""
    factor: torch.Tensor
    """Factors on the columns, ``(chips, n_out, 1)``."""
    full: float
    """Share of its range at which a cell is nearly full; one number."""
    again: bool
    """Whether a pulse starts the drift of a cell anew that drifts already; for all."""
    reset_pulses: int
    """Pulses that empty a pair; for all."""


def pulse(change: torch.Tensor, cells: Cells, numbers: Numbers, growth: Growth) -> torch.Tensor:
    """Pulse pairs in place, and refresh those of which a cell is nearly full.

    Args:
        change: Wanted changes, ``(chips, n_out, n_in)``.
        cells: As they stand.
        numbers: Of the chips.
        growth: How they grow.

    Returns:
        Pulses of each chip, ``(chips,)``.
    """
    from hardware_models.kernels.cpu import pairs as loops  # imported here, since it takes a second

    train, extra = Train(change, numbers), torch.zeros(len(change), dtype=torch.int64)
    rebuilt = train.memory("rebuilt", 2 * change.shape[1])
    arrays = tuple(values.numpy() for values in cells)
    spread, noise, factor = (values.numpy() for values in growth[:3])
    own = spread, noise, numbers.step.numpy(), numbers.unit.numpy(), factor
    limits = np.float32(growth.full), *_ERROR
    last = growth.again, *train.address, _STREAMS, rebuilt[0].numpy()
    for chip in range(len(change)):
        train.draw(chip)
        given = chip, train.array, train.roots(1.0), arrays[:6], arrays[6:], own, limits, *last
        refreshed = loops.pulse_pairs(*given)  # pyright: ignore[reportCallIssue]
        if refreshed:
            extra[chip] = rebuilt.sum((1, 2)).long().item() + growth.reset_pulses * refreshed
    return train.spent().add_(extra)
