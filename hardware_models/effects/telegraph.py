r"""Noise with memory over reads: two-level fluctuation, and 1/f noise as its sum over octaves.

Each is a function of the number of a read and of draws addressed by position. So it needs no state, and a batch may be
split anywhere. A trap keeps its draw for a block of :math:`L` reads. Each trap has its own phase of the blocks, so the
noise is stationary on average over traps. The correlation of reads :math:`k` apart is

.. math:: \rho(k) = \max(1 - |k| / L, 0)

A trap that hops in continuous time has :math:`e^{-|k| / \tau}` instead, with the same power at low frequency if
:math:`L = 2 \tau`. Times between changes are geometrically distributed multiples of a block.

Time is counted in reads: a pause without reads takes no time.
"""

from collections.abc import Sequence

import torch

PHASES = 8
"""Number of distinct phases of traps with common phases, so that few reads contain a change."""
_OCTAVE_ROWS = 2**40
"""Rows of draws reserved for each octave: more reads than the life of any chip."""


def block_rows(first_read: torch.Tensor, rows: int, length: int) -> tuple[torch.Tensor, int]:
    """Return the rows to draw for some reads: the first, and their number.

    Shapes:
        ``first_read``: whole numbers ``(chips,)``; so is the first row.
    """
    return first_read // length, (rows - 1) // length + 3


def held(draws: torch.Tensor, first_read: torch.Tensor, rows: int, length: int, phase: torch.Tensor) -> torch.Tensor:
    """Return the state of each trap during some reads.

    Shapes:
        ``draws``: ``(chips, blocks, columns)``; ``first_read``: ``(chips,)``; ``phase``: ``(chips, 1, columns)``;
        returns ``(chips, rows, columns)``.

    Args:
        draws: Draws of the rows of `block_rows`.
        first_read: Number of the first read.
        rows: Number of reads.
        length: Reads in a block, ``L``.
        phase: From [0, 1): position of a trap in its block at read 0.
    """
    since = (first_read % length)[:, None] + torch.arange(rows, device=draws.device)
    block = (since[:, :, None] + (phase * length).long()) // length
    return draws.gather(1, block)


def telegraph(
    uniform: torch.Tensor,
    first_read: torch.Tensor,
    rows: int,
    length: int,
    phase: torch.Tensor,
    occupancy: torch.Tensor,
) -> torch.Tensor:
    r"""Two-level fluctuation with mean zero, in units of its jump.

    .. math:: s - p, \quad P(s = 1) = p, \quad \mathrm{Var} = p (1 - p)

    Args:
        uniform: Draws from [0, 1); otherwise as in `held`.
        first_read: As in `held`.
        rows: As in `held`.
        length: As in `held`.
        phase: As in `held`.
        occupancy: Share ``p`` of the time that a trap spends in its upper state.

    Reference:
        Machlup, J. Applied Physics 25, 341 (1954): the spectrum of a trap that hops in continuous time.
    """
    return held((uniform < occupancy).to(uniform.dtype), first_read, rows, length, phase) - occupancy


def common_phases(uniform: torch.Tensor) -> torch.Tensor:
    """Return phases rounded to `PHASES` equidistant values.

    Args:
        uniform: From [0, 1), one for each trap.
    """
    return (uniform * PHASES).floor() / PHASES


def spells(first_read: int, rows: int, length: int) -> list[slice]:
    """Split reads into intervals within which no trap of `common_phases` changes.

    Args:
        first_read: Number of the first read.
        rows: How many reads.
        length: Reads in a block, ``L``, at least `PHASES`.

    Example:
        >>> spells(1000, 128, 1024)
        [slice(0, 24, None), slice(24, 128, None)]
    """
    starts = {(-(phase * length // PHASES)) % length for phase in range(PHASES)}
    cuts = [row for row in range(1, rows) if (first_read + row) % length in starts]
    return [slice(*ends) for ends in zip([0, *cuts], [*cuts, rows], strict=True)]


def octave_rows(first_read: torch.Tensor, rows: int, octaves: int) -> list[tuple[torch.Tensor, int]]:
    """Return the rows to draw for each octave, as `block_rows`; rows of octaves are disjoint."""
    blocks = [block_rows(first_read, rows, 2**octave) for octave in range(octaves)]
    return [(octave * _OCTAVE_ROWS + first, count) for octave, (first, count) in enumerate(blocks)]


def flicker(draws: Sequence[torch.Tensor], first_read: torch.Tensor, rows: int, phase: torch.Tensor) -> torch.Tensor:
    r"""1/f noise of variance 1 over reads: an equal contribution from each octave of block lengths.

    .. math::
        y_n = \frac{1}{\sqrt{O}} \sum_{o=0}^{O-1} \xi_o\!\left(\lfloor n / 2^o + \phi_o \rfloor\right), \quad
        S(f) \approx \frac{1}{O\, f \ln 2} \text{ for } 2^{-O} < f < \tfrac12 \text{ cycles a read}

    The level is correct within 12 % up to 1/32, and 30 % too low at 1/2. Below the span the noise is white. A batch
    costs twice the draws of white noise, plus three rows for each octave.

    Shapes:
        ``phase``: ``(chips, octaves, columns)``; returns ``(chips, rows, columns)``.

    Args:
        draws: Draws of mean 0 and variance 1 for the rows of `octave_rows`, by octave: plus or minus one for single
        traps, normals for many.
        first_read: As in `held`.
        rows: As in `held`.
        phase: As in `held`, for each octave.

    Reference:
        McWhorter's model of 1/f noise: traps with log-uniform time constants. The sum over octaves is Voss's (Gardner,
        Scientific American 238 (4), 16, 1978).
    """
    parts = [
        held(drawn, first_read, rows, 2**octave, phase[:, octave : octave + 1]) for octave, drawn in enumerate(draws)
    ]
    return torch.stack(parts).sum(0) * len(parts) ** -0.5
