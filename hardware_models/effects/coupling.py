"""Neurons that know of each other: inhibition, and a supply that they share.

Both act along the outputs of one read, on activities that are not negative. Means are taken in double precision, so
that they do not depend on how many reads stand beside each other.
"""

import torch


def inhibited(activity: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    r"""Recurrent subtractive inhibition: every neuron is held down by the mean of what all neurons put out.

    .. math:: y_j = \max\Big(f_j - \beta\, \frac1n \sum_k y_k,\, 0\Big)

    The fixed point, exactly. With the activities in falling order and :math:`S_k` the sum of the first :math:`k`, the
    mean output is :math:`m = \max_k S_k / (n + k \beta)`: adding a neuron to those that fire raises that quotient as
    long as it lies above the inhibition that it would meet. Where :math:`K` neurons fire, a small common increase
    of what drives them comes out :math:`n / (n + K \beta)` as large, and differences between them whole; a great
    strength leaves few.

    Shapes:
        ``activity``: ``(chips, reads, lines)``, 0 or more; ``strength`` broadcasts.

    Args:
        activity: ``f``, without the others.
        strength: ``beta``; 0 returns the activities.

    Reference:
        Hartline and Ratliff, J. General Physiology 40, 357 (1957): linear inhibition by the neighbors' outputs, above
        a threshold, in the eye of Limulus. Here with equal weights, the neuron's own among them, and no threshold; as
        where all outputs feed one current mirror.
    """
    n = activity.shape[-1]
    sums = activity.sort(dim=-1, descending=True).values.double().cumsum(-1)
    firing = torch.arange(1, n + 1, device=activity.device)
    mean = (sums / (n + firing * strength)).amax(-1, keepdim=True)
    return (activity - (strength * mean).to(activity.dtype)).clamp_(min=0)


def drooped(activity: torch.Tensor, share: torch.Tensor, full: torch.Tensor) -> torch.Tensor:
    r"""A supply that gives way: outputs fall in proportion to the current that all neurons draw.

    .. math:: y_j = f_j \Big(1 - \rho\, \frac{1}{n Y} \sum_k f_k\Big)

    To first order in the droop: that less current is drawn from a supply that has fallen is left out.

    Shapes:
        ``activity``: ``(chips, reads, lines)``, from 0 to ``full``; the others broadcast.

    Args:
        activity: ``f``, from a supply that does not give way.
        share: ``rho``, what is lost where all neurons are at full scale; 0 returns the activities.
        full: Full scale ``Y`` of an output.
    """
    load = activity.mean(-1, keepdim=True, dtype=torch.float64) / full
    return activity * (1 - share * load).to(activity.dtype)
