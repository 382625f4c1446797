"""A way back for neurons that a converter reads at its end."""

import torch

from analogff.device import PerChip
from analogff.forward_forward.slopes import Reading

END, NEAR, MIDDLE = 0.99, 0.75, 0.25
"""Shares of the printed end from which on a reading is at it, near it, and in the middle."""
STEEP = 0.3
"""Share of the slope in the middle that is left near the end of a curve that a converter cuts off.

On exponential chips it is 0.3 to 1 (large probes look over the edge), on saturating and sigmoid ones 0.1 to 0.25.
"""


def release(reading: Reading, gradient: torch.Tensor, falling: slice, end: PerChip | None) -> Reading:
    r"""Give neurons a slope that are read at the end of the range while goodness is to fall.

    .. math:: s_{bj} \leftarrow \bar s = \langle s \rangle_{0.75 \le y / y_\mathrm{max} < 0.99}
              \quad \text{where } y_{bj} \ge 0.99\, y_\mathrm{max}, \; \partial L / \partial y_{bj} > 0, \;
              \bar s \ge 0.3\, \langle s \rangle_{0.25 \le y / y_\mathrm{max} < 0.75}

    Beyond its end a converter shows no slope, so that what rose too far would stay there. On the way down the neuron is
    taken to go on as it came, where it has not begun to bend: then it is the converter that ends, and not the neuron.
    Nothing is changed for inputs whose goodness is to rise, and nothing where no end is printed or no slope was seen.

    Args:
        reading: What the layer showed.
        gradient: The derivative of the loss by the activity, ``(chips, batch, n_out)``.
        falling: Inputs of the batch whose goodness is to fall.
        end: The greatest activity that the datasheet prints.
    """
    y, slope = reading
    if end is None or slope is None:
        return reading
    top = torch.as_tensor(end, dtype=y.dtype, device=y.device).reshape(-1, 1, 1)
    ended = y[:, falling] >= END * top
    if not ended.any():
        return reading
    near = _means(slope, (y >= NEAR * top) & (y < END * top))
    goes_on = (near > 0) & (near >= STEEP * _means(slope, (y >= MIDDLE * top) & (y < NEAR * top)))
    back = ended & goes_on & (gradient[:, falling] > 0)
    slope = slope.clone()
    slope[:, falling] = torch.where(back, near, slope[:, falling])
    return Reading(y, slope)


def _means(slope: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Return the mean slope of some readings of each chip, ``(chips, 1, 1)``; 0 where there are none."""
    # chip by chip: a sum over several may round otherwise
    means = [s[some].sum() / some.sum().clamp(min=1) for s, some in zip(slope, where, strict=True)]
    return torch.stack(means).view(-1, 1, 1)
