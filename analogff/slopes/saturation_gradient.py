"""A way back for neurons that a converter reads at its end."""

import torch

from analogff.device import PerChip, chipwise
from analogff.slopes.slopes import Reading
from analogff.system import Work, work

END, NEAR, MIDDLE = 0.99, 0.75, 0.25
"""Shares of the printed end from which on a reading is at it, near it, and in the middle."""
OFTEN = 0.01
"""Share of a layer's readings at the end from which on it matters."""
STEEP = 0.3
"""Share of the slope in the middle that is left near the end of a curve that a converter cuts off.

On exponential chips it is 0.3 to 1 (large probes look over the edge), on saturating and sigmoid ones 0.1 to 0.25 once
they learn.
"""
MEMORY = 0.98


class SaturationGradient:
    r"""Gives neurons a slope that are read at the end of the range while goodness is to fall.

    .. math:: s_{bj} \leftarrow \bar s = \langle s \rangle_{0.75 \le y / y_\mathrm{max} < 0.99}
              \quad \text{where } y_{bj} \ge 0.99\, y_\mathrm{max}, \; \partial L / \partial y_{bj} > 0

    Beyond its end a converter shows no slope, so that what rose too far would stay there. On the way down the neuron is
    taken to go on as it came, on chips that show over some fifty reads that it is the converter that ends and not
    the neuron: a hundredth of the layer's readings is at the end, and the slope near it is at least 0.3 of that in
    the middle.
    Nothing is changed for inputs whose goodness is to rise, and nothing where no end is printed or no slope is seen.

    Args:
        end: The greatest activity that the datasheet prints.
    """

    state_names = ("seen",)

    def __init__(self, end: PerChip | None):
        self.end = end
        self._top: torch.Tensor | None = None  # the end, beside the activities
        self.seen: torch.Tensor | None = None  # running means: share at the end, slope near it over that in the middle

    @property
    def is_set(self) -> bool:
        """Whether `of` makes nothing that stays any more, so that a CUDA graph may hold it."""
        return self.end is None or (self._top is not None and self.seen is not None)

    @staticmethod
    def work(vectors: int, n: int) -> Work:
        """Return the digital work of `of`: comparisons, sums of slopes near the end and in the middle, and a choice."""
        return work.elementwise(vectors * n, operations=8, operands=3)

    def of(self, reading: Reading, gradient: torch.Tensor, falling: slice) -> Reading:
        """Return the reading with the slopes by which its neurons learn.

        Args:
            reading: What the layer showed.
            gradient: The derivative of the loss by the activity, ``(chips, batch, n_out)``.
            falling: Inputs of the batch whose goodness is to fall.
        """
        y, slope = reading
        if self.end is None or slope is None:
            return reading
        if self._top is None or self._top.device != y.device:
            self._top = torch.as_tensor(self.end, dtype=y.dtype, device=y.device).reshape(-1, 1, 1)
        top = self._top
        ended = y >= END * top
        near = _means(slope, (y >= NEAR * top) & ~ended)
        middle = _means(slope, (y >= MIDDLE * top) & (y < NEAR * top))
        share = _means(ended.to(y), torch.ones_like(ended))
        often, steep = self._see(torch.stack([share, (near / middle).nan_to_num(0, 0, 0)]))
        goes_on = (often >= OFTEN) & (steep >= STEEP)
        back = ended[:, falling] & goes_on & (gradient[:, falling] > 0)
        slope = slope.clone()
        slope[:, falling] = torch.where(back, near, slope[:, falling])
        return Reading(y, slope)

    def _see(self, now: torch.Tensor) -> torch.Tensor:
        """Bring the running means up to date, where they are, and return them."""
        self.seen = torch.zeros_like(now) if self.seen is None else self.seen.to(now.device)
        return self.seen.copy_(MEMORY * self.seen + (1 - MEMORY) * now)


def _means(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Return the mean of some values of each chip, ``(chips, 1, 1)``; 0 where there are none."""
    dims = (-2, -1)
    means = chipwise(lambda v, some: (v * some).sum(dims) / some.sum(dims).clamp(min=1), values, where)
    return means.view(-1, 1, 1)
