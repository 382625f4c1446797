"""A small fixed random network: constants, and its response to one sum at a time."""

import math

import numpy as np
import torch


def readout(activity: torch.Tensor) -> torch.Tensor:
    r"""Output of a neuron, :math:`(1 + \tanh v) / 2`."""
    return (1 + torch.tanh(activity)) / 2


def neuron_alone(a: torch.Tensor, share: float | torch.Tensor) -> torch.Tensor:
    r"""Output without what the network adds, :math:`(1 + \tanh(\sqrt{1 - m}\, a)) / 2`."""
    return readout((1 - torch.as_tensor(share, dtype=a.dtype, device=a.device)).sqrt() * a)


def unit_scale(drive: torch.Tensor) -> torch.Tensor:
    r"""Return what makes a random sum of units :math:`\tanh(r \xi)` have unit variance, over their normals.

    By Gauss-Hermite quadrature in double precision.

    Args:
        drive: ``r``, standard deviation of what goes into a unit.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    nodes, weights = torch.from_numpy(nodes), torch.from_numpy(weights / math.sqrt(2 * math.pi))
    power = (torch.tanh(drive.double().unsqueeze(-1) * nodes).square() * weights).sum(-1)
    return power.rsqrt().to(drive.dtype)


def own_response(units: torch.Tensor, inward: torch.Tensor, outward: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Return factors of the derivative of each network output by the sum of the same index.

    .. math::
        \frac{\partial v_j}{\partial a_j} = \sum_h V_{jh} U_{hj} (1 - z_h^2), \quad v = V z, \quad z = \tanh(U a + c)

    Shapes:
        ``units``: ``(chips, reads, H)``; ``inward``: ``(chips, H, n)``; ``outward``: ``(chips, n, H)``.

    Args:
        units: ``z``.
        inward: ``U``.
        outward: ``V``.

    Returns:
        :math:`1 - z^2`, and weights to sum it with, ``(chips, n, H)``.
    """
    return 1 - units.square(), outward * inward.mT
