"""Residues on several arrays: each learns in turn what the coarser ones before it have left."""

from collections.abc import Sequence

from typing_extensions import override

from analogff.device import Sealed
from analogff.writes.pulse_trains import PulseTrains


class MultiTile(PulseTrains):
    r"""Pulse trains on one of the arrays that a layer's weights are the sum of, the finer ones later.

    .. math::
        W = \sum_n \gamma^n W_n, \qquad \Delta W_n = \gamma^{-n} \Delta W, \qquad n = \lfloor N p \rfloor

    with the step :math:`\Delta W` of `PulseTrains` when the share ``p`` of the training is done. A pulse on array ``n``
    moves the weight by :math:`\gamma^n d`, so the last array decides the resolution, and the first the range.

    Args:
        layer: The layer, whose first array it writes to begin with.
        further: The other arrays, coarse to fine.
        significance: ``gamma``.
        slots: As `PulseTrains`.
        seed: As `PulseTrains`.

    Reference:
        Li et al., Multi-tile residual learning (arXiv 2510.02516), who go on to the next array by their own time
        scales; here each has an equal share of the training.
    """

    state_names = ("now",)

    def __init__(self, layer: Sealed, further: Sequence[Sealed], significance: float, slots: int, seed: int):
        super().__init__(layer, slots, seed)
        self.arrays, self.significance = [layer, *further], significance
        self.now = 0
        """Which array learns."""

    @override
    def advance(self, progress):
        self.now = min(int(len(self.arrays) * progress), len(self.arrays) - 1)

    @property
    @override
    def target(self):
        return self.arrays[self.now]

    @property
    @override
    def weight(self):
        return self.significance**self.now
