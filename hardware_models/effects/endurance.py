"""Endurance: the range of a cell shrinks with writes."""

import torch

RERAM_FIRST_CYCLES = 1e6
"""Cycles after which the range of a resistive cell begins to shrink (no source; assumed)."""
RERAM_LAST_CYCLES = 1e9
"""Cycles after which the range is zero. Resistive memory lasts for 1e6 to 1e9 cycles (no source; assumed)."""


def window(
    cycles: torch.Tensor,
    first_cycles: torch.Tensor | float = RERAM_FIRST_CYCLES,
    last_cycles: torch.Tensor | float = RERAM_LAST_CYCLES,
) -> torch.Tensor:
    r"""Remaining share of a cell's range after some cycles, which falls with their logarithm.

    .. math:: r(n) = \mathrm{clip}\left(1 - \frac{\ln(n / n_1)}{\ln(n_2 / n_1)}, 0, 1\right)

    With the defaults a decade takes a third of the range. The law is an assumption of this model. Published curves stay
    flat, shrink over some decades, and end in one of the two states.

    Args:
        cycles: ``n``, write pulses so far.
        first_cycles: ``n_1``, where the range begins to shrink.
        last_cycles: ``n_2``, greater, where the range is zero.
    """
    first, last = torch.as_tensor(first_cycles), torch.as_tensor(last_cycles)
    return (1 - (cycles / first).log() / (last / first).log()).clamp(0, 1)
