"""Neurons with memory: the effect of one read on the next.

Reads are processed one by one, so that rounding does not depend on the split of a batch.
"""

import torch


def settling(seconds: float, tau_seconds: torch.Tensor) -> torch.Tensor:
    r"""Share of a transition that an output has completed after some time.

    .. math:: r = 1 - e^{-T / \tau}

    Args:
        seconds: ``T``, from the arrival of an input to the sampling of the output.
        tau_seconds: ``tau``, resistance times capacitance of the output; above 0.
    """
    return -torch.expm1(-seconds / tau_seconds)


def settled(target: torch.Tensor, before: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    r"""Outputs that are sampled before they have settled, read after read.

    .. math:: y_t = y_{t-1} + r\, (f_t - y_{t-1}) = r \sum_{s \ge 0} (1 - r)^s f_{t-s}

    The reads follow without a pause: a capacitor keeps its voltage.

    Shapes:
        ``target``: ``(chips, reads, lines)``; ``before``: ``(chips, 1, lines)``; ``share``: ``(chips, 1, 1)``.

    Args:
        target: ``f``, the settled outputs.
        before: ``y`` of the read before the first.
        share: ``r``, from `settling`; 1 returns the targets.
    """
    y, state, step = torch.empty_like(target), before[:, 0], share[:, 0]
    for f, out in zip(target.unbind(1), y.unbind(1), strict=True):
        state = torch.lerp(state, f, step, out=out)
    return y


def played(drive: torch.Tensor, before: torch.Tensor, half_width: torch.Tensor) -> torch.Tensor:
    r"""Play, or backlash: the output follows its drive only at a distance.

    .. math:: p_t = \min(\max(p_{t-1},\, f_t - h),\, f_t + h)

    Rate-independent: only the turning points of the drive count, and their order.

    Shapes:
        ``drive``: ``(chips, reads, lines)``; ``before``: ``(chips, 1, lines)``; ``half_width`` broadcasts.

    Args:
        drive: ``f``.
        before: ``p`` of the read before the first.
        half_width: ``h``; 0 returns the drive.

    Reference:
        Krasnosel'skii and Pokrovskii, Systems with Hysteresis (Springer 1989): the play operator.
    """
    p, state = torch.empty_like(drive), before[:, 0]
    low, high = drive - half_width, drive + half_width
    for least, most, out in zip(low.unbind(1), high.unbind(1), p.unbind(1), strict=True):
        state = torch.clamp(state, least, most, out=out)
    return p
