"""Coupling of neurons: inhibition, and a shared supply.

Both act along the outputs of one read, on nonnegative activities. Means are in double precision, so that they do not
depend on the size of the batch.
"""

import torch


def inhibited(activity: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    r"""Recurrent subtractive inhibition of every neuron by the mean output of all neurons.

    .. math:: y_j = \max\Big(f_j - \beta\, \frac1n \sum_k y_k,\, 0\Big)

    The exact fixed point. With activities in descending order and :math:`S_k` the sum of the first :math:`k`, the mean
    output is :math:`m = \max_k S_k / (n + k \beta)`. A further neuron raises that quotient as long as its activity
    exceeds its inhibition. If :math:`K` neurons fire, a small common increase of their drive has a gain of :math:`n /
    (n + K \beta)`, and differences between them have a gain of 1. A large strength leaves few neurons active.

    Shapes:
        ``activity``: ``(chips, reads, lines)``, 0 or more; ``strength`` broadcasts.

    Args:
        activity: ``f``, without inhibition.
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
    r"""Supply droop: outputs fall in proportion to the total current of all neurons.

    .. math:: y_j = f_j \Big(1 - \rho\, \frac{1}{n Y} \sum_k f_k\Big)

    First order in the droop: the lower current at the lower supply is neglected.

    Shapes:
        ``activity``: ``(chips, reads, lines)``, from 0 to ``full``; the others broadcast.

    Args:
        activity: ``f``, with an ideal supply.
        share: ``rho``, loss with all neurons at full scale; 0 returns the activities.
        full: Full scale ``Y`` of an output.
    """
    load = activity.mean(-1, keepdim=True, dtype=torch.float64) / full
    return activity * (1 - share * load).to(activity.dtype)
