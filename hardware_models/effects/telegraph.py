r"""Noise with a memory of earlier reads: two-level fluctuation, and 1/f noise as a sum of it over octaves.

Each is a function of the number of a read and of draws that are addressed by position, so that it needs no state, and a
batch may be split anywhere. A trap keeps what it drew for a block of :math:`L` reads; where the blocks begin is a phase
of each trap's own, so that on average over traps the noise is stationary. The correlation of reads :math:`k` apart is

.. math:: \rho(k) = \max(1 - |k| / L, 0)

A trap that hops at random in continuous time has :math:`e^{-|k| / \tau}` in its place, with the same power at low
frequency where :math:`L = 2 \tau`. Times between changes are a whole number of blocks, of geometric law.

Reads are counted, not timed: a second without reads is no time here.
"""

from collections.abc import Sequence

import torch

PHASES = 8
"""Places in a block at which traps start that are to change together, so that few reads see a change."""
_OCTAVE_ROWS = 2**40
"""Rows of draws that each octave may use: more reads than any chip lives."""


def block_rows(first_read: torch.Tensor, rows: int, length: int) -> tuple[torch.Tensor, int]:
    """Return which rows to draw for some reads: the first, and how many.

    Shapes:
        ``first_read``: whole numbers ``(chips,)``; so is the first row.
    """
    return first_read // length, (rows - 1) // length + 3


def held(draws: torch.Tensor, first_read: torch.Tensor, rows: int, length: int, phase: torch.Tensor) -> torch.Tensor:
    """Return what each trap holds during some reads.

    Shapes:
        ``draws``: ``(chips, blocks, columns)``; ``first_read``: ``(chips,)``; ``phase``: ``(chips, 1, columns)``;
        returns ``(chips, rows, columns)``.

    Args:
        draws: Of the rows that `block_rows` names.
        first_read: Number of the first read.
        rows: How many reads.
        length: Reads in a block, ``L``.
        phase: From [0, 1): where in a block a trap was at read 0.
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
    r"""Two-level fluctuation with mean zero and a jump of one, in units of the jump.

    .. math:: s - p, \quad P(s = 1) = p, \quad \mathrm{Var} = p (1 - p)

    Args:
        uniform: From [0, 1); otherwise as `held`.
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
    """Return phases of which there are only `PHASES`, evenly apart.

    Args:
        uniform: From [0, 1), one a trap.
    """
    return (uniform * PHASES).floor() / PHASES


def spells(first_read: int, rows: int, length: int) -> list[slice]:
    """Split reads into stretches within which no trap of `common_phases` changes.

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
    """Return for each octave which rows to draw for some reads, as `block_rows`; those of octaves do not overlap."""
    blocks = [block_rows(first_read, rows, 2**octave) for octave in range(octaves)]
    return [(octave * _OCTAVE_ROWS + first, count) for octave, (first, count) in enumerate(blocks)]


def flicker(draws: Sequence[torch.Tensor], first_read: torch.Tensor, rows: int, phase: torch.Tensor) -> torch.Tensor:
    r"""1/f noise of variance 1 over reads: an equal contribution from each octave of block lengths.

    .. math::
        y_n = \frac{1}{\sqrt{O}} \sum_{o=0}^{O-1} \xi_o\!\left(\lfloor n / 2^o + \phi_o \rfloor\right), \quad
        S(f) \approx \frac{1}{O\, f \ln 2} \text{ for } 2^{-O} < f < \tfrac12 \text{ cycles a read}

    The level is right within 12 % up to 1/32, and 30 % too low at 1/2; below the span it is white. A batch costs twice
    the draws of white noise, and three rows more an octave.

    Shapes:
        ``phase``: ``(chips, octaves, columns)``; returns ``(chips, rows, columns)``.

    Args:
        draws: Of each octave, of mean 0 and variance 1, of the rows that `octave_rows` names: plus or minus one for
            single traps, normals for many.
        first_read: As in `held`.
        rows: As in `held`.
        phase: As in `held`, of each octave.

    Reference:
        McWhorter's picture of 1/f noise, traps of time constants spread evenly in their logarithm; the sum over octaves
        is Voss's (Gardner, Scientific American 238 (4), 16, 1978).
    """
    parts = [
        held(drawn, first_read, rows, 2**octave, phase[:, octave : octave + 1]) for octave, drawn in enumerate(draws)
    ]
    return torch.stack(parts).sum(0) * len(parts) ** -0.5
