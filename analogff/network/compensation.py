"""Correction of a gain that all cells of an array lose together."""

import torch

from analogff.device import Sealed, derive_seed
from analogff.system import work

VECTORS = 10
"""Calibration inputs of a layer."""


def calibrate(layer: Sealed, seed: int) -> torch.Tensor:
    r"""Read fixed inputs, and return the sum of the outputs' magnitudes, ``(chips,)``.

    .. math:: \Sigma = \sum_{b j} |y_{bj}|

    The ratio of two such sums is the gain that was lost between them, where outputs are in proportion to the weighted
    sums: behind neurons that rectify, and no others. Inputs are magnitudes of normal numbers, the same at each call.

    Args:
        layer: The layer.
        seed: Draws the inputs.

    Reference:
        Joshi et al., Nature Communications 11, 2473 (2020), global drift compensation.
    """
    sheet, generator = layer.datasheet, torch.Generator().manual_seed(derive_seed(seed, "calibration", layer.name))
    x = torch.randn(VECTORS, sheet.n_in, generator=generator).abs()
    y = layer.measure(x.to(layer.torch_device).expand(layer.chips, -1, -1))
    layer.compute(*work.elementwise(y[0].numel(), operations=2, operands=1, results=0))
    return torch.stack([chip.abs().sum() for chip in y])  # one by one: all at once may round otherwise in a bank
