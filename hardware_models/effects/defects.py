"""Defects: cells that hold one value for good, and lines that carry nothing; drawn once, as masks."""

from typing import NamedTuple

import torch


class Stuck(NamedTuple):
    """Cells that no pulse moves, as masks that do not overlap."""

    low: torch.Tensor
    """At the lower end of their range (open: never formed, or a broken via)."""
    high: torch.Tensor
    """At the upper end (short)."""
    anywhere: torch.Tensor
    """Somewhere between."""

    @property
    def at_all(self) -> torch.Tensor:
        """Any of them."""
        return self.low | self.high | self.anywhere


def stuck(uniform: torch.Tensor, low: torch.Tensor, high: torch.Tensor, anywhere: torch.Tensor) -> Stuck:
    """Decide for each cell whether and how it is stuck.

    One uniform decides, so that a greater share keeps the cells that a smaller one had, kind by kind, as long as the
    shares before it stay.

    Args:
        uniform: From [0, 1), one a cell.
        low: Share of the cells at the lower end.
        high: At the upper end.
        anywhere: Between; the three shares together are at most 1.

    Reference:
        Shares of measured arrays: 13.5 and 9.8 % corrupt (Gong et al., IEDM 2022, as aihwkit's ReRAM array presets);
        some 10 % of a test chip (Chen et al., IEEE Trans. Computers 64, 180, 2015, as cited by Aguirre et al.,
        Electronics 10, 2427, 2021). How they divide over the two ends has no source here.
    """
    is_low = uniform < low
    is_high = ~is_low & (uniform < low + high)
    return Stuck(is_low, is_high, ~is_low & ~is_high & (uniform < low + high + anywhere))


def held(
    cells: torch.Tensor, stuck: Stuck, lower: torch.Tensor, upper: torch.Tensor, place: torch.Tensor
) -> torch.Tensor:
    """Return the cells with those that are stuck where they are stuck.

    Args:
        cells: As they would be.
        stuck: Which are not.
        lower: Lower end of their range.
        upper: Upper end.
        place: From [0, 1), one a cell: where between the ends those are that are stuck anywhere.
    """
    held = torch.where(stuck.anywhere, lower + place * (upper - lower), cells)
    held = torch.where(stuck.low, lower, held)
    return torch.where(stuck.high, upper, held)


def dead(uniform: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Decide for each line whether it is dead; a greater share keeps those that a smaller one had.

    Shapes:
        ``uniform``: ``(chips, 1, lines)``; ``share`` broadcasts; returns booleans ``(chips, 1, lines)``.

    Args:
        uniform: From [0, 1), one a line.
        share: How many are dead on average.
    """
    return uniform < share


def silenced(signals: torch.Tensor, dead: torch.Tensor) -> torch.Tensor:
    """Return what lines carry where some are dead: an input that does not reach the array, a sum that is not sensed.

    Shapes:
        ``signals``: ``(chips, batch, lines)``, inputs for dead rows, sums for dead columns.
    """
    return signals.masked_fill(dead, 0)
