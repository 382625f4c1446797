"""Tiles and bit-serial inputs: partial sums that are converted separately and added digitally."""

import math

import torch


def tiles(lines: int, most: int) -> list[slice]:
    """Split input lines evenly over the least number of arrays with at most so many rows.

    Args:
        lines: Input lines.
        most: Rows of an array; 0 for a single array.

    Example:
        >>> tiles(784, 512)
        [slice(0, 392, None), slice(392, 784, None)]
    """
    count = math.ceil(lines / most) if most else 1
    ends = [n * lines // count for n in range(count + 1)]
    return [slice(*bounds) for bounds in zip(ends, ends[1:], strict=False)]


def serial(q: torch.Tensor, step: torch.Tensor, bit: int) -> torch.Tensor:
    r"""Return one bit of each input, as 0 or 1.

    .. math:: q = d \sum_i 2^i \beta_i \quad\text{or}\quad
              q = d \left(\sum_{i < b - 1} 2^i \beta_i - 2^{b-1} \beta_{b-1}\right)

    The second is two's complement, whose last bit says that a number is below 0.

    Args:
        q: Inputs on the grid of a converter that starts at 0, or of one for both signs.
        step: ``d``.
        bit: ``i``.
    """
    return (q / step).round().div_(2.0**bit).floor_().remainder_(2)


def signed_range(full: torch.Tensor, bits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Return the range of a converter for both signs with a code for zero.

    .. math:: -A \;\text{to}\; A - d, \quad d = 2 A / 2^b

    Args:
        full: ``A``.
        bits: ``b``; 0 is continuous, from ``-A`` to ``A``.
    """
    return -full, torch.where(bits > 0, full - 2 * full / 2.0**bits, full)
