"""Drift: conductances that fall with the logarithm of time."""

import torch

from hardware_models.effects.pairs import difference

SILENT = 0.25
"""Least valid reference read, as a share of the mean for unrelated cells of the same size, which is 0.8."""
START_SECONDS = 20.0
"""Time from programming to the first reliable read, the origin of the law."""


def exponent(g: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    r"""Drift exponents of phase-change cells.

    .. math::
        \nu = |\mu + s \xi|, \quad \mu = \mathrm{clip}(-0.0155 \ln g + 0.0244, 0.049, 0.1), \quad
        s = \mathrm{clip}(-0.0125 \ln g - 0.0059, 0.008, 0.045)

    Args:
        g: Conductance as programmed, over the greatest one.
        normal: A standard normal of each cell.

    Reference:
        Joshi et al., Nature Communications 11, 2473 (2020); constants as in aihwkit's PCM-like noise model.
    """
    log = g.log()
    mean = (-0.0155 * log + 0.0244).clamp(0.049, 0.1)
    spread = (-0.0125 * log - 0.0059).clamp(0.008, 0.045)
    return (mean + spread * normal).abs()


def drifted(g: torch.Tensor, nu: torch.Tensor, seconds: torch.Tensor) -> torch.Tensor:
    r"""Conductance some time after programming.

    .. math:: g(t) = g \left(\frac{t + t_0}{t_0}\right)^{-\nu}
    """
    return g * ((seconds + START_SECONDS) / START_SECONDS) ** -nu


def compensation(fresh: torch.Tensor, now: torch.Tensor) -> torch.Tensor:
    r"""One factor for each chip that compensates the mean drift.

    .. math:: \alpha = \frac{\sum_j |\sum_i W_{ji}(t_0)|}{\sum_j |\sum_i W_{ji}(t)|}, \quad W = g^+ - g^-

    Measured by reading the array with all inputs on; here without the noise of that read. If weights nearly cancel, the
    quotient shows only differences of drift. So the factor is 1 if either sum is below `SILENT` times
    :math:`\sum_j \sqrt{\sum_i {g^+_{ji}}^2 + {g^-_{ji}}^2}`.

    Shapes:
        Cells of the pairs, ``(chips, 2 n_out, n_in)``; returns ``(chips, 1, 1)``.

    Reference:
        Le Gallo et al., IEEE Trans. Electron Devices 65, 4304 (2018): global drift compensation.
    """
    reference, present = (difference(g).sum(2, keepdim=True).abs().sum(1, keepdim=True) for g in (fresh, now))
    least, least_now = (SILENT * _squares(g, g).sqrt().sum(1, keepdim=True) for g in (fresh, now))
    return torch.where((reference > least) & (present > least_now), reference / present, 1.0)


def column_compensation(fresh: torch.Tensor, now: torch.Tensor) -> torch.Tensor:
    r"""One least-squares factor for each column that compensates its drift.

    .. math:: \alpha_j = \frac{\sum_i W_{ji}(t_0)\, W_{ji}(t)}{\sum_i W_{ji}(t)^2}, \quad W = g^+ - g^-

    It minimizes the squares of ``W(t_0) - alpha W(t)``, and so those of sums for uncorrelated inputs. It is measured by
    reading the array with one input on after the other. This takes ``n_in`` reads where `compensation` needs one; their
    noise is neglected here. A sum over the weights themselves needs one read, but may nearly cancel in a column. If the
    cells of the pairs nearly cancel, the factor is 1. The criterion is that either sum is below the square of `SILENT`
    times the same sum over cells.

    Shapes:
        Cells of the pairs, ``(chips, 2 n_out, n_in)``; returns ``(chips, n_out, 1)``.

    Reference:
        Least squares by column instead of the single factor of Le Gallo et al. (`compensation`).
    """
    shared, present = ((difference(g) * difference(now)).sum(2, keepdim=True) for g in (fresh, now))
    least, least_now = (SILENT**2 * _squares(g, now) for g in (fresh, now))
    return torch.where((shared > least) & (present > least_now), shared / present, 1.0)


def _squares(g: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the sum of products of the cells behind each output, ``(chips, n_out, 1)``."""
    plus, minus = (g * other).sum(2, keepdim=True).chunk(2, 1)
    return plus + minus
