"""Random smooth curves, one a neuron."""

import torch

from hardware_models.effects.nonlinearity import Steepness


def mixed_curve(
    a: torch.Tensor, *, share: torch.Tensor, frequency: torch.Tensor, amplitude: torch.Tensor, phase: torch.Tensor
) -> torch.Tensor:
    r"""A trend that all neurons share, and a Gaussian process of each neuron's own, through the normal distribution.

    .. math::
        f_j(a) = \Phi\Big(\sqrt{s}\, a + \sqrt{1 - s}\, \sum_k A_{kj} \cos(\omega_{kj} a + \varphi_{kj})\Big)

    Bounded by 0 and 1, and smooth.

    Shapes:
        ``a``: ``(chips, reads, neurons)``; features are ``(chips, features, neurons)``.

    Args:
        a: Weighted sums.
        share: ``s``, from 0 to 1.
        frequency: ``omega``.
        amplitude: ``A``.
        phase: ``phi``.

    Reference:
        Rahimi and Recht, Advances in Neural Information Processing Systems 20 (2007): random Fourier features.
    """
    own = torch.zeros_like(a)
    for k in range(frequency.shape[1]):
        feature = slice(k, k + 1)
        own = own + amplitude[:, feature] * torch.cos(frequency[:, feature] * a + phase[:, feature])
    return torch.special.ndtr(share.sqrt() * a + (1 - share).sqrt() * own)


def features(
    frequencies: torch.Tensor, weights: torch.Tensor, length_scale: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    r"""Return frequencies, amplitudes and phases of Gaussian processes with a squared-exponential covariance.

    At each sum the process is normal over the neurons, with mean 0 and variance 1, for any number of features. Its
    derivative has the variance :math:`1 / \ell^2`.

    Args:
        frequencies: Standard normals, ``(chips, features, neurons)``.
        weights: Standard normals, ``(chips, 2 features, neurons)``.
        length_scale: ``l``, the distance over which a curve changes.
    """
    cosine, sine = weights.chunk(2, 1)
    return frequencies / length_scale, torch.hypot(cosine, sine) / cosine.shape[1] ** 0.5, torch.atan2(-sine, cosine)


def population_mean(a: torch.Tensor, share: Steepness) -> torch.Tensor:
    r"""Mean of `mixed_curve` over all neurons that could be made: :math:`\Phi(a \sqrt{s / (2 - s)})`."""
    share = torch.as_tensor(share, dtype=a.dtype, device=a.device)
    return torch.special.ndtr(a * (share / (2 - share)).sqrt())
