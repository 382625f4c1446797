"""Normalization of activities between layers, and of images before the first."""

import abc
import dataclasses
from typing import ClassVar

import torch
from typing_extensions import override

from analogff.device import SharedInputs
from analogff.system import Work, work

_FLOOR = 1e-12  # keeps a silent layer silent instead of undefined


class Normalizer(abc.ABC):
    """Makes the inputs of a layer of each vector of activities, or of images.

    It is outside of the chips and exactly known, so backprop may differentiate it.
    """

    digital: ClassVar[bool] = True
    """Whether digital logic does it, and not a circuit or nothing."""
    centered: ClassVar[bool] = False
    """Whether inputs are below 0 although no activity is."""

    @abc.abstractmethod
    def forward(self, y: torch.Tensor, mean_squares: torch.Tensor | None = None) -> torch.Tensor:
        """Return the next layer's inputs.

        Shapes:
            ``y``: ``(..., n)``; ``mean_squares``: ``(...)``, those of ``y`` where they are known. Returns ``(..., n)``.
        """

    @abc.abstractmethod
    def forward_shared(self, x: SharedInputs) -> SharedInputs:
        """As `forward`, for variants whose marks have equal length and sum, such as one-hot labels."""

    @abc.abstractmethod
    def backward(self, error: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Carry an error, the derivative by ``x = forward(y)``, back to ``y``."""

    @abc.abstractmethod
    def work(self, vectors: int, n: int, marks: int = 0) -> Work:
        """Return the digital work of `forward`, or with so many marks in all of `forward_shared`."""

    @abc.abstractmethod
    def backward_work(self, vectors: int, n: int) -> Work:
        """Return that of `backward`."""

    def of_channels(self, channels: int) -> "Normalizer":
        """Return what normalizes activities of which so many belong to each point of a map."""
        return self


class Scaling(Normalizer):
    r"""Scales each vector by a function of its mean square.

    .. math:: x = y / d(s), \qquad s = \tfrac1n \sum_j y_j^2
    """

    @override
    def forward(self, y, mean_squares=None):
        squares = mean_square(y) if mean_squares is None else mean_squares
        return y / self.divisor(squares.unsqueeze(-1), y.shape[-1])

    @override
    def forward_shared(self, x):
        squares = x.shared.square().sum(-1, keepdim=True) + x.marks[:1, 0].square().sum(-1, keepdim=True)
        divisor = self.divisor(squares / x.shared.shape[-1], x.shared.shape[-1])
        return SharedInputs(x.shared / divisor, x.marks / divisor.unsqueeze(1))

    @override
    def work(self, vectors, n, marks=0):
        return (work.normalization(vectors, n) + work.elementwise(marks, operations=1, operands=1)).times(self.digital)

    @override
    def backward_work(self, vectors, n):
        return work.normalization_backward(vectors, n)

    @override
    def backward(self, error, x, y):
        r"""Carry an error, the derivative by ``x = forward(y)``, back to ``y``.

        .. math:: \frac{\partial L}{\partial y} = \frac1d \left(e - x\, \frac{\partial d^2}{\partial s}\,
                  \tfrac1n \sum_j e_j x_j\right)
        """
        squares, n = mean_square(y).unsqueeze(-1), y.shape[-1]
        along = (error * x).mean(-1, keepdim=True) * self.growth(squares, n)
        return (error - x * along) / self.divisor(squares, n)

    @abc.abstractmethod
    def divisor(self, mean_squares: torch.Tensor, n: int) -> torch.Tensor:
        """Return the divisor of vectors of ``n`` numbers with these mean squares."""

    @abc.abstractmethod
    def growth(self, mean_squares: torch.Tensor, n: int) -> torch.Tensor | float:
        """Return the derivative of the divisor's square by the mean square."""


class Length(Scaling):
    r"""Digital length normalization to mean square 1, which removes the goodness.

    .. math:: d = \sqrt s

    Reference:
        Hinton, The Forward-Forward Algorithm (2022), section 2 (no mean removed).
    """

    @override
    def divisor(self, mean_squares, n):
        return length_of(mean_squares)

    @override
    def growth(self, mean_squares, n):
        return 1.0


class L2(Scaling):
    r"""Digital length normalization to length 1: as `Length`, but inputs shrink as a layer grows.

    .. math:: d = \sqrt{n s}

    Reference:
        Many ports of Forward-Forward, such as pytorch/examples, mnist_forward_forward (which adds 1e-4).
    """

    @override
    def divisor(self, mean_squares, n):
        return length_of(mean_squares * n)

    @override
    def growth(self, mean_squares, n):
        return float(n)


class Unchanged(Scaling):
    """No normalization: each layer also receives the previous one's goodness. Images stay in [0, 1]."""

    digital = False

    @override
    def backward_work(self, vectors, n):
        return Work()

    @override
    def divisor(self, mean_squares, n):
        return torch.ones_like(mean_squares)

    @override
    def growth(self, mean_squares, n):
        return 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class GainControl(Scaling):
    r"""Settled automatic gain control, a loop around an amplifier with limited gain.

    .. math:: g = A \left(1 - \max(g \sqrt s - v, 0)\right) \quad\Rightarrow\quad
              d = \tfrac1g = \max\left(\frac{\sqrt s + 1/A}{1 + v}, \frac1A\right)

    A detector reports the rms of the output, and the amplifier's gain falls in proportion to it. ``A`` is both the gain
    at zero input and the gain of the loop. Weak activities stay weak, and the limit of a large ``A`` is `Length`. The
    detector misses the first ``v`` of the output, like a diode. Below 0, ``v`` is an offset that it reports at zero
    output. One loop serves a whole layer.

    Reference:
        The loop: Wheeler, Proc. IRE 16 (1928), automatic volume control. With ``v = 0`` it settles to divisive
        normalization, Carandini & Heeger, Nature Reviews Neuroscience 13 (2012), with semi-saturation ``1/A``.
    """

    digital = False
    max_gain: float = 30.0
    """``A``."""
    offset: float = 0.0
    """``v``, above -1; the target output is 1."""

    @override
    def divisor(self, mean_squares, n):
        settled = (length_of(mean_squares) + 1 / self.max_gain) / (1 + self.offset)
        return settled.clamp(min=1 / self.max_gain)

    @override
    def growth(self, mean_squares, n):
        length = length_of(mean_squares)
        steep = self.divisor(mean_squares, n) / (length * (1 + self.offset))
        return steep.masked_fill(length * self.max_gain < self.offset, 0.0)  # not detected, so the gain is constant


def length_normalize(y: torch.Tensor) -> torch.Tensor:
    """Scale each vector to mean square 1; see `Length`."""
    return Length().forward(y)


def mean_square(y: torch.Tensor) -> torch.Tensor:
    """Return the mean of squares of each vector, ``(..., n)`` to ``(...)``."""
    return torch.linalg.vector_norm(y, dim=-1).square() / y.shape[-1]


def length_of(mean_squares: torch.Tensor) -> torch.Tensor:
    """Return the length that belongs to a mean of squares.

    One that overflows is NaN: dividing by infinity would pass a diverged layer off as a silent one.
    """
    length = (mean_squares + _FLOOR).sqrt()
    return length.masked_fill(length.isinf(), torch.nan)
