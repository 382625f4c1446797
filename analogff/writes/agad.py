"""AGAD: a fast array whose reference is what it read before the last flip of a line's sign."""

import torch
from typing_extensions import override

from analogff.device import Sealed
from analogff.system import WORD_BYTES
from analogff.writes.fast_array import FastArray, transfer_work
from analogff.writes.options import WriteOptions
from analogff.writes.tiki_taka import gathered

TAIL = 5.0
"""By how much the last readings of a period outweigh the first in its mean; 1 is the plain mean."""


class Agad(FastArray):
    r"""Analog gradient accumulation with dynamic reference.

    .. math::
        H \leftarrow H + \lambda s (A - \bar A_{k-1}), \qquad
        \text{where } |H| \ge d: \quad \mathrm{asked} = d\, \mathrm{sign}(H), \quad H \leftarrow 0.1 H

    The sign of a line flips after each ``period`` of its reads, and :math:`\bar A_{k-1}` is the mean of those in the
    period before, in which gradients had the other sign. Offsets and symmetry points cancel in the difference, so no
    reference is measured beforehand. The mean weights late readings more, by a share of ``5 / (n + 4)`` for the n-th.

    Args:
        layer: As `FastArray`.
        fast: As `FastArray`.
        options: As `FastArray`.
        seed: As `FastArray`.
        period: Reads of a column from flip to flip.

    Reference:
        Rasch et al., Nature Communications 15, 7133 (2024), AGAD with regular chopping; weights of the mean: Shamir
        and Zhang (arXiv 1212.1824), equation 9.
    """

    state_names = ("buffer", "before", "mean", "reads")

    def __init__(self, layer: Sealed, fast: Sealed, options: WriteOptions, seed: int, period: int):
        super().__init__(layer, fast, options, seed)
        self.period = period
        shape = layer.chips, *layer.datasheet.weight_shape
        self.buffer, self.before, self.mean = (torch.zeros(shape, device=layer.torch_device) for _ in range(3))
        self.reads = torch.zeros(layer.datasheet.weight_shape[1], device=layer.torch_device)
        """Of each line, in the present period."""

    @property
    @override
    def kept_bytes(self):
        return 3 * WORD_BYTES * self.cells

    @override
    def asked(self, readings, lines, rate):
        self.layer.compute(*transfer_work(len(lines), readings.shape[1], operations=7, registers=3))
        self.reads[lines] += 1
        share = TAIL / (self.reads[lines] + TAIL - 1)
        mean = torch.lerp(self.mean[..., lines], readings, share)
        change = gathered(
            self.buffer, lines, rate * self.signs[lines] * (readings - self.before[..., lines]), self.pulse_size
        )
        over = self.reads[lines] >= self.period
        self.before[..., lines] = torch.where(over, mean, self.before[..., lines])
        self.mean[..., lines] = mean
        self.reads[lines] = torch.where(over, 0.0, self.reads[lines])
        self.signs[lines] *= torch.where(over, -1.0, 1.0)
        return change
