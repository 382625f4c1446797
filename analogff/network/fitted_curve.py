"""Neuron curves fitted to reads."""

from typing import Literal

import torch

from analogff.network.twin import Curve
from analogff.system import Work, work

PIECES = 40
OPERATIONS = 60
"""Elementary operations of a value and a slope: the place, four splines and their slopes, and two sums of four."""
SMOOTH = 0.1
"""Weight of the curvature penalty, in reads of one neuron."""
Share = Literal["layer", "neuron"]


class FittedCurves:
    r"""Cubic splines with a penalty on their curvature; of each chip, one a layer or one a neuron.

    .. math:: \hat f = \sum_k c_k B_k, \qquad
              \min_c \sum_i (y_i - \hat f(a_i))^2 + \lambda \sum_k (c_{k+1} - 2 c_k + c_{k-1})^2

    on equal pieces between the least and the greatest sum of a chip. Beyond them the end's value and slope 0 hold,
    since nothing was read there.

    Args:
        a: Weighted sums, as believed, ``(chips, reads, n_out)``.
        y: What was read there, the same shape.
        share: Whether the neurons of a ``layer`` have one curve, or each ``neuron`` its own.

    Reference:
        Eilers & Marx, Flexible smoothing with B-splines and penalties, Statistical Science 11 (1996), equation 3.
    """

    state_names = ("low", "width", "coefficients")

    def __init__(self, a: torch.Tensor, y: torch.Tensor, share: Share):
        self.low = a.amin((1, 2)).view(-1, 1, 1)
        self.width = ((a.amax((1, 2)).view(-1, 1, 1) - self.low) / PIECES).clamp(min=1e-6)
        fits = [_fit(*self._place(chip, a[chip]), y[chip], share) for chip in range(len(a))]
        self.coefficients = torch.stack(fits).to(a)
        """``(chips, 1 or n_out, pieces + 3)``."""

    def __call__(self, a: torch.Tensor) -> Curve:
        """Return values and slopes at weighted sums, ``(chips, batch, n_out)``."""
        parts = [self._at(chip, a[chip]) for chip in range(len(a))]  # one by one: the same numbers alone
        return Curve(*map(torch.stack, zip(*parts, strict=True)))

    def _at(self, chip: int, a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        piece, within = self._place(chip, a)
        inside = within.clamp(0, 1)
        table = self.coefficients[chip].expand(a.shape[1], -1)
        near = torch.stack([table.gather(1, (piece + k).mT).mT for k in range(4)])
        y = (near * torch.stack(_basis(inside))).sum(0)
        slope = (near * torch.stack(_basis_slopes(inside))).sum(0) / self.width[chip]
        return y, slope.masked_fill(within != inside, 0.0)

    def _place(self, chip: int, a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the piece that each sum is in, and where in it: 0 to 1, or outside beyond the ends."""
        place = (a - self.low[chip]) / self.width[chip]
        piece = place.floor().clamp(0, PIECES - 1)
        return piece.long(), place - piece


def _fit(piece: torch.Tensor, within: torch.Tensor, y: torch.Tensor, share: Share) -> torch.Tensor:
    """Solve the normal equations of one chip, ``(1 or n_out, pieces + 3)`` float64."""
    n_out, count = y.shape[1], PIECES + 3
    curve = torch.zeros_like(piece) if share == "layer" else torch.arange(n_out, device=y.device).expand_as(piece)
    curves = 1 if share == "layer" else n_out
    basis = [b.double() for b in _basis(within)]
    products = y.new_zeros(curves * count * count, dtype=torch.float64)
    sums = y.new_zeros(curves * count, dtype=torch.float64)
    for k, one in enumerate(basis):
        row = curve * count + piece + k
        sums.index_add_(0, row.flatten(), (one * y).flatten())
        for m, other in enumerate(basis):
            products.index_add_(0, (row * count + piece + m).flatten(), (one * other).flatten())
    bend = torch.diff(torch.eye(count, dtype=torch.float64, device=y.device), n=2, dim=0)
    matrix = products.view(curves, count, count) + SMOOTH * bend.mT @ bend
    return torch.linalg.lstsq(matrix, sums.view(curves, count, 1), driver="gelsd").solution.squeeze(-1)


def _basis(t: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the four cubic B-splines that are not zero on a piece, at ``t`` from 0 to 1 of it."""
    return (1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6


def _basis_slopes(t: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return their derivatives by ``t``."""
    return -((1 - t) ** 2) / 2, (3 * t**2 - 4 * t) / 2, (-3 * t**2 + 2 * t + 1) / 2, t**2 / 2


def fit_work(reads: int, n_out: int, share: Share) -> Work:
    """Return the digital work of a fit: 20 sums of products a read and neuron, then equations of each curve."""
    count = PIECES + 3
    solved = work.elementwise(count**2, operations=count, operands=1, results=0).times(1 if share == "layer" else n_out)
    return work.elementwise(reads * n_out, operations=60, operands=2, results=0) + solved
