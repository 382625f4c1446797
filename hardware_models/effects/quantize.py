"""Converters: quantization over a finite range."""

import torch


def quantize(x: torch.Tensor, low: torch.Tensor, high: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    r"""Round to a uniform grid from end to end of a range, and clip to it.

    .. math:: q(x) = \mathrm{clip}\left(l + d \left\lfloor \tfrac{x - l}{d} \right\rceil, l, h\right), \quad
              d = \frac{h - l}{2^b - 1}

    The error is at most ``d / 2`` inside the range. With ``l = 0`` zero is on the grid, so a silent neuron stays
    silent.

    Args:
        x: Signal.
        low: Least value; may be minus infinity where ``bits`` is 0.
        high: Greatest value.
        bits: Resolution; 0 is continuous, and only clips.
    """
    steps = (2.0**bits - 1).clamp(min=1)
    code = ((x - low) * (steps / (high - low))).round()
    stepped = torch.where(bits > 0, code * ((high - low) / steps) + low, x)
    return torch.clamp(stepped, low, high)
