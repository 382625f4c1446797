"""What happens to a vector of activities on its way to the next layer, and to an image before the first."""

import abc
import dataclasses

import torch
from typing_extensions import override

from analogff.device import SharedInputs

_FLOOR = 1e-12  # keeps a silent layer silent instead of undefined


class Normalizer(abc.ABC):
    r"""Scales each vector by what its own mean square says.

    .. math:: x = y / d(s), \qquad s = \tfrac1n \sum_j y_j^2

    It stands outside of the chips and is exactly known; so backprop may differentiate it.
    """

    def forward(self, y: torch.Tensor, mean_squares: torch.Tensor | None = None) -> torch.Tensor:
        """Return the next layer's inputs.

        Shapes:
            ``y``: ``(..., n)``; ``mean_squares``: ``(...)``, those of ``y`` where they are known. Returns ``(..., n)``.
        """
        squares = mean_square(y) if mean_squares is None else mean_squares
        return y / self.divisor(squares.unsqueeze(-1), y.shape[-1])

    def forward_shared(self, x: SharedInputs) -> SharedInputs:
        """As `forward`, for variants whose marks are equally long, as one-hot labels are."""
        squares = x.shared.square().sum(-1, keepdim=True) + x.marks[:1, 0].square().sum(-1, keepdim=True)
        divisor = self.divisor(squares / x.shared.shape[-1], x.shared.shape[-1])
        return SharedInputs(x.shared / divisor, x.marks / divisor.unsqueeze(1))

    def backward(self, error: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        r"""Carry an error, the derivative by ``x = forward(y)``, back to ``y``.

        .. math:: \frac{\partial L}{\partial y} = \frac1d \left(e - x\, \frac{\partial d^2}{\partial s}\,
                  \tfrac1n \sum_j e_j x_j\right)
        """
        squares, n = mean_square(y).unsqueeze(-1), y.shape[-1]
        along = (error * x).mean(-1, keepdim=True) * self.growth(squares, n)
        return (error - x * along) / self.divisor(squares, n)

    @abc.abstractmethod
    def divisor(self, mean_squares: torch.Tensor, n: int) -> torch.Tensor:
        """Return what vectors of ``n`` numbers with these mean squares are divided by."""

    @abc.abstractmethod
    def growth(self, mean_squares: torch.Tensor, n: int) -> torch.Tensor | float:
        """Return the derivative of the divisor's square by the mean square."""


class Length(Normalizer):
    r"""Digital length normalization to mean square 1: the length, which is the goodness, is not passed on.

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


class L2(Normalizer):
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


class Unchanged(Normalizer):
    """None at all: each layer hears the last one's goodness too. Images are left as they are, in [0, 1]."""

    @override
    def divisor(self, mean_squares, n):
        return torch.ones_like(mean_squares)

    @override
    def growth(self, mean_squares, n):
        return 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class GainControl(Normalizer):
    r"""Automatic gain control, a loop around an amplifier with a limited gain, when it has settled.

    .. math:: g = A \left(1 - \max(g \sqrt s - v, 0)\right) \quad\Rightarrow\quad
              d = \tfrac1g = \max\left(\frac{\sqrt s + 1/A}{1 + v}, \frac1A\right)

    The amplifier's gain falls in proportion to what a detector reports of its output's effective value, down from
    ``A``, which is thus the gain in silence and the gain of the loop in one: weak activities stay weak, and the
    limit of a large ``A`` is `Length`. The detector does not hear the first ``v`` of the output, as a diode does
    not; below 0, ``v`` is an offset that it reports in silence. One loop serves a whole layer.

    Reference:
        The loop: Wheeler, Proc. IRE 16 (1928), automatic volume control. With ``v = 0`` it settles to divisive
        normalization, Carandini & Heeger, Nature Reviews Neuroscience 13 (2012), with semi-saturation ``1/A``.
    """

    max_gain: float = 30.0
    """``A``."""
    offset: float = 0.0
    """``v``, above -1; 1 is the output that the loop aims at."""

    @override
    def divisor(self, mean_squares, n):
        settled = (length_of(mean_squares) + 1 / self.max_gain) / (1 + self.offset)
        return settled.clamp(min=1 / self.max_gain)

    @override
    def growth(self, mean_squares, n):
        length = length_of(mean_squares)
        steep = self.divisor(mean_squares, n) / (length * (1 + self.offset))
        return steep.masked_fill(length * self.max_gain < self.offset, 0.0)  # not heard, so the gain is constant


_WITHOUT_PARAMETERS: dict[str, type[Normalizer]] = {"length": Length, "l2": L2, "none": Unchanged}


def make_normalizer(name: str, *, max_gain: float, offset: float) -> Normalizer:
    """Return the normalizer that a study names; gain and offset are those of gain control."""
    if name == "gain-control":
        return GainControl(max_gain=max_gain, offset=offset)
    return _WITHOUT_PARAMETERS[name]()


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
