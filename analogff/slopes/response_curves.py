"""The slope of every neuron as a function of its own activity, learned from probes."""

from typing import Any

import torch

from analogff.support.state import restore
from analogff.system import Work, work

DEGREE = 4
FORGET = 0.98
RIDGE = 0.01
"""Times the share of noise in the variance of activities."""


class ResponseCurves:
    r"""Polynomials of the activity whose mean over a neuron's noise is its slope, one a neuron.

    .. math:: \hat s_j(y) = \sum_{k=0}^4 w_{jk} u^k, \qquad
              \mathrm{E}\left[\left(s_j - \hat s_j(y_1)\right) u_2^k\right] = 0

    over probes that found the slopes ``s`` beside two activities of one and the same input: a single read ``y_1``, and
    that of the probe itself, ``y_2``, as an instrument whose noise is in neither of the others. The place of ``y`` is

    .. math:: u = \frac{v - m}{v\,(1 - 2 m / h) + m}, \qquad
              v = y - y_\mathrm{min}, \quad h = y_\mathrm{max} - y_\mathrm{min},

    -1 at the least, 1 at the greatest and 0 at a middle, ``v = m``, so that curves can bend where activities are, in
    whatever part of a converter's range that is; a middle in the middle makes it a straight line. Neurons whose least
    activity is zero have a constant of their own for silent readings, which the other equations leave out, since
    rectifiers have a slope right beside zero and none there.

    Least squares of ``s`` on ``y_1`` would give the mean slope of all that may have shown that reading. That is nearest
    to the truth, and drawn to the middle: where noise hides how far a neuron is beyond its bend it would never rest.

    The equations, with older probes counting less, are solved with a ridge that grows with the noise (Tikhonov), so
    that what is narrower than it is not made up.

    Args:
        low: Least activity, ``(chips, 1, 1)``.
        middle: An activity between them, around which there are many.
        high: Greatest activity; beyond it the slope at the end holds.
        width: Number of neurons.
        noise: Variance of the noise of an activity over that of all activities, ``(chips,)``.

    Reference:
        Instruments for errors in a variable: Newey and Powell, Econometrica 71, 1565 (2003).
    """

    state_names = ("low", "middle", "high", "noise", "products", "sums")

    def __init__(self, low: torch.Tensor, middle: torch.Tensor, high: torch.Tensor, width: int, noise: torch.Tensor):
        self.low, self.middle, self.high, self.noise = low, middle, high, noise
        self.rests = bool((low >= 0).all())
        terms = DEGREE + 1 + self.rests
        exact = {"dtype": torch.float64, "device": low.device}  # powers of one number are nearly dependent
        self.products = torch.zeros(len(low), width, terms, terms, **exact)
        self.sums = torch.zeros(len(low), width, terms, 1, **exact)
        self.weights = self.sums.to(low.dtype)

    def learn(self, alone: torch.Tensor, beside: torch.Tensor, slopes: torch.Tensor) -> None:
        """Add what a probe has shown, ``(chips, batch, width)`` each."""
        silent = self._silent(alone)
        regressors, instruments = (self._terms(y, silent).transpose(1, 2).double() for y in (alone, beside))
        self.products.mul_(FORGET).add_(instruments.mT @ regressors)
        self.sums.mul_(FORGET).add_(instruments.mT @ slopes.mT.unsqueeze(-1).double())
        self.solve()

    def work(self, vectors: int) -> Work:
        """Return the digital work of `slopes`."""
        return slopes_work(vectors, self.sums.shape[1], self.sums.shape[2])

    def learning_work(self, vectors: int) -> Work:
        """Return that of `learn`, and of a judgment by the residuals of both activities."""
        width, terms = self.sums.shape[1:3]
        equations = work.outer(vectors, terms, terms) + work.outer(vectors, terms, 1)
        solution = work.product(terms, terms, terms).times(2) + work.product(1, terms, terms)
        residuals = work.elementwise(vectors * width, operations=5, operands=3, results=0)
        return (equations + solution).times(width) + self.work(vectors).times(2) + residuals

    def slopes(self, y: torch.Tensor) -> torch.Tensor:
        """Return the slope that belongs to each activity, ``(chips, batch, width)``."""
        return torch.einsum("cbjk,cjkl->cbj", self._terms(y, self._silent(y)), self.weights)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "ResponseCurves":
        """Make the curves whose state `state_of` gave."""
        curves = cls(state["low"], state["middle"], state["high"], state["sums"].shape[1], state["noise"])
        curves.load_state_dict(state)
        return curves

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_of` gave."""
        restore(self, state)
        self.solve()

    def solve(self) -> None:
        """Bring the weights up to date."""
        squares = self.products.mT @ self.products
        diagonal = squares.diagonal(dim1=-2, dim2=-1)
        share = RIDGE * self.noise.view(-1, 1, 1) + 1e-8
        diagonal.add_((share * diagonal.mean(-1, keepdim=True)).clamp(min=1e-30))
        # a diverged chip must be able to go on: no raise, but numbers that are none
        solution = torch.linalg.solve_ex(squares, self.products.mT @ self.sums).result
        self.weights = solution.to(self.weights.dtype)

    def _silent(self, y: torch.Tensor) -> torch.Tensor:
        return (y <= self.low).unsqueeze(-1)

    def _terms(self, y: torch.Tensor, silent: torch.Tensor) -> torch.Tensor:
        """Return the powers of ``u``, or of what is silent a constant of its own, ``(chips, batch, width, terms)``."""
        v, m, h = y.clamp(self.low, self.high) - self.low, self.middle - self.low, self.high - self.low
        u = (v - m) / (v * (1 - 2 * m / h) + m)
        powers = torch.stack([u**k for k in range(DEGREE + 1)], -1)
        return torch.cat([powers.masked_fill(silent, 0), silent.to(powers)], -1) if self.rests else powers


def slopes_work(vectors: int, width: int, terms: int = DEGREE + 1) -> Work:
    """Return the digital work of one slope a neuron and vector: its place, powers and their sum."""
    place = work.elementwise(vectors * width, operations=6 + DEGREE, operands=1, results=0)
    return place + work.product(vectors, terms, 1).times(width)
