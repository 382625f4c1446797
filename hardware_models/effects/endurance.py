"""Endurance: a range that closes as a cell is written."""

import torch

RERAM_FIRST_CYCLES = 1e6
"""Cycles after which the range of a resistive cell begins to close (no source; assumed)."""
RERAM_LAST_CYCLES = 1e9
"""Cycles after which nothing is left of it: 1e6 to 1e9 cycles of resistive memory are no source's (assumed)."""


def window(
    cycles: torch.Tensor,
    first_cycles: torch.Tensor | float = RERAM_FIRST_CYCLES,
    last_cycles: torch.Tensor | float = RERAM_LAST_CYCLES,
) -> torch.Tensor:
    r"""Share of a cell's range that is left after some cycles: it falls with their logarithm.

    .. math:: r(n) = \mathrm{clip}\left(1 - \frac{\ln(n / n_1)}{\ln(n_2 / n_1)}, 0, 1\right)

    Between the defaults that is a third of the range a decade. The law is an assumption of this model; published curves
    stay flat, close over some decades, and end in one of the two states.

    Args:
        cycles: ``n``, write pulses so far.
        first_cycles: ``n_1``, where it begins to close.
        last_cycles: ``n_2``, greater, where it is closed.
    """
    first, last = torch.as_tensor(first_cycles), torch.as_tensor(last_cycles)
    return (1 - (cycles / first).log() / (last / first).log()).clamp(0, 1)
