"""Stochastic switching of magnetic cells."""

import torch


def switching_probability(volts: torch.Tensor, median_volts: torch.Tensor, width_volts: torch.Tensor) -> torch.Tensor:
    r"""Probability that one pulse switches a magnetic tunnel junction.

    .. math:: P = \frac{1}{1 + e^{-(V - V_{50}) / \Delta V}}

    Args:
        volts: Amplitude of the pulse; its length is fixed.
        median_volts: Amplitude with a probability of one half.
        width_volts: Width of the transition, from thermal agitation.

    Reference:
        Vincent et al., IEEE Trans. Biomed. Circuits Syst. 9, 166 (2015): a junction as a stochastic synapse; the
        sigmoid is a fit, without a theory of precession behind it.
    """
    return torch.sigmoid((volts - median_volts) / width_volts)
