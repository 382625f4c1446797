"""Cells with a finite number of states, as whole numbers."""

import torch


def whole_states(w: torch.Tensor, unit: torch.Tensor, uniform: torch.Tensor, most: torch.Tensor) -> torch.Tensor:
    r"""Round weights stochastically to one of the two nearest states, unbiased within the range.

    .. math:: k = \mathrm{clip}(\lfloor w / d + u \rfloor, -k_\mathrm{max}, k_\mathrm{max}), \quad u \sim U[0, 1)

    Args:
        w: Requested weights.
        unit: Weight ``d`` of one state.
        uniform: ``u`` of each cell; 0.5 rounds to the nearest.
        most: Greatest state.
    """
    state = w / unit
    below = state.floor()
    # the fraction is exact; the sum of a large state and u could round up to the next state
    return (below + (state - below + uniform >= 1)).clamp_(-most, most)


def planes_of(states: torch.Tensor, planes: int) -> torch.Tensor:
    r"""Split states into signed bytes.

    .. math:: k = \sum_p 256^p k_p, \quad -128 \le k_p \le 127

    Shapes:
        ``states``: whole numbers ``(n_out, n_in)``; returns int8 ``(planes, n_in, n_out)``.
    """
    left, parts = states.mT.to(torch.int32).contiguous(), []
    for _ in range(planes):
        low = ((left + 128) & 255) - 128
        parts.append(low.to(torch.int8))
        left = (left - low) >> 8
    return torch.stack(parts)
