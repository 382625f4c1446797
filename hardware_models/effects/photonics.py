"""Light as a signal: saturable absorbers and detectors."""

import torch

_NEWTON_STEPS = 6
_DARK = 1e-30
"""Share of the saturation power below which light counts as zero."""


def transmission(power: torch.Tensor, depth: torch.Tensor | float) -> torch.Tensor:
    r"""Transmission of a saturable absorber with the input's intensity throughout.

    .. math:: T = \exp\left(-\frac{a_0}{1 + P / P_s}\right)

    Valid for a thin absorber. A deep one transmits more than `bleached`, where light fades along the path.

    Args:
        power: ``P / P_s``, over the power at which absorption is halved.
        depth: ``a_0``, optical depth in the dark.

    Reference:
        Absorption of two levels, which falls as ``1 / (1 + P / P_s)``; no one source. As a neuron: Guo, Barrett, Wang
        and Lvovsky, Photonics Research 9, B71 (2021).
    """
    return torch.exp(-depth / (1 + power))


def bleached(power: torch.Tensor, depth: torch.Tensor | float) -> torch.Tensor:
    r"""Power after a saturable absorber of any depth, over the saturation power.

    .. math::
        \frac{dp}{dz} = -\frac{\alpha p}{1 + p} \quad\Rightarrow\quad
        \ln T + a_0 = p\, (1 - T), \quad T p = \omega(\ln p + p - a_0), \quad \omega + \ln \omega = c

    with Wright's function :math:`\omega`, by Newton's steps for :math:`\ln \omega`. The left side is convex, so the
    steps decrease to the solution. The last step carries the exact derivative. Zero input gives zero output.

    Args:
        power: ``p``, at the input, over the saturation power; at least 0.
        depth: ``a_0``, optical depth in the dark.

    Reference:
        Selden, British Journal of Applied Physics 18, 743 (1967); in this form, with ``2 sigma tau`` for the inverse of
        the saturation power, in Shen et al., Nature Photonics 11, 441 (2017).
    """
    lit = power.clamp(min=_DARK)
    c = lit.log() + lit - depth
    with torch.no_grad():
        s = torch.where(c > 1, c.clamp(min=1).log(), c)
        for _ in range(_NEWTON_STEPS - 1):
            s = s - (s + s.exp() - c) / (1 + s.exp())
    s = s - (s + s.exp() - c) / (1 + s.exp())
    return torch.where(power > _DARK, s.exp(), 0.0)


def photocurrent(
    watts: torch.Tensor, responsivity: torch.Tensor | float, saturation_amperes: torch.Tensor | float
) -> torch.Tensor:
    r"""Photocurrent of a detector with saturation by its own charges.

    .. math:: I = \frac{R P}{1 + R P / I_s}

    Args:
        watts: ``P``, in the detector.
        responsivity: ``R``, in amperes per watt.
        saturation_amperes: ``I_s``, greatest current; at ``R P = I_s`` the response is halved.

    Reference:
        The usual one-parameter form of compression (no source; assumed).
    """
    linear = responsivity * watts
    return linear / (1 + linear / saturation_amperes)
