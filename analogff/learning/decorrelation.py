"""Decorrelation of a layer's inputs by a digital matrix in front of it."""

import torch

from analogff.device import outer, product
from analogff.system import Work, work


class Decorrelation:
    r"""A matrix that learns to take the correlations out of what it passes on.

    .. math:: z = R x, \qquad R \leftarrow R - \epsilon\, \mathrm{offdiag}(\langle z z^T \rangle)\, R

    with ``R = I`` at first. Each vector costs ``n^2`` multiply-accumulates, and each step ``n^3`` more.

    Args:
        chips: How many chips there are; each has a matrix of its own.
        n: Inputs of the layer.
        rate: ``epsilon``.
        device: Where the matrix is.

    Reference:
        Ahmad et al., Constrained parameter inference as a principle for learning (arXiv 2203.13203); with node
        perturbation: Dalm et al. (arXiv 2310.00965), equation 9.
    """

    state_names = ("matrix",)

    def __init__(self, chips: int, n: int, rate: float, device: torch.device):
        self.matrix = torch.eye(n, device=device).repeat(chips, 1, 1)
        self.rate = rate

    @staticmethod
    def work(vectors: int, n: int) -> Work:
        """Return the digital work of `of`."""
        return work.product(vectors, n, n)

    @staticmethod
    def learning_work(vectors: int, n: int) -> Work:
        """Return that of `learn`."""
        return work.outer(vectors, n, n) + work.product(n, n, n) + work.difference(n * n)

    def of(self, x: torch.Tensor) -> torch.Tensor:
        """Return decorrelated inputs, ``(chips, batch, n)``."""
        return product(x, self.matrix)

    def learn(self, z: torch.Tensor) -> None:
        """Take a step that makes inputs like these, decorrelated already, less correlated."""
        correlation = outer(z, z) / z.shape[1]
        correlation.diagonal(dim1=1, dim2=2).zero_()
        self.matrix -= self.rate * product(correlation, self.matrix.mT)
