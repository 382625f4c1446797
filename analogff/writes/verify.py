"""Write-and-verify: every step is read back and corrected."""

import torch
from typing_extensions import override

from analogff.device import Sealed
from analogff.device.datasheet import column_of
from analogff.network.readout import Columns
from analogff.system import WORD_BYTES, Work, work
from analogff.writes.write import ChangeWrite


class WriteAndVerify(ChangeWrite):
    r"""Changes of a digital target, which the array is pulsed towards until it reads as that.

    .. math:: T \leftarrow T + \Delta, \qquad \text{up to } n \text{ times: } \Delta W = T - \hat W
              \text{ where } |T - \hat W| > \theta d

    with readings :math:`\hat W` of all columns, each once with its line on and once without, and the mean change of a
    pulse, ``d``. The target begins with what is read before the first step, and stays within the printed range. All
    columns are read in every round, so that chips of a bank are read alike.

    Args:
        layer: Where to write.
        own: The same array, sealed at TWIN.
        rounds: ``n``.
        tolerance: ``theta``.
    """

    state_names = ("target",)

    def __init__(self, layer: Sealed, own: Sealed, rounds: int, tolerance: float):
        super().__init__(layer)
        self.rounds, self.tolerance = rounds, tolerance
        self.pulse_size = column_of(layer.datasheet.change_step).to(layer.torch_device)
        self.target: torch.Tensor | None = None
        """``T``; None before the first step."""
        self._columns, self._lines = Columns(own), torch.arange(layer.datasheet.weight_shape[1])

    @property
    @override
    def kept_bytes(self):
        return WORD_BYTES * self.cells

    @override
    def write(self, change, rate):
        if self.target is None:
            self.target = self._columns.weights(self._lines).contiguous()
        self.layer.compute(*work.elementwise(self.cells, operations=2, operands=2))
        self.target = self.target + change
        if (end := self.layer.datasheet.weight_max) is not None:
            end = column_of(end).to(change.device)
            self.target = self.target.clamp(-end, end)
        for _ in range(self.rounds):
            self.layer.compute(*round_work(self.cells))
            missing = self.target - self._columns.weights(self._lines)
            self.layer.pulse(torch.where(missing.abs() > self.tolerance * self.pulse_size, missing, 0.0))
        return change


def round_work(cells: int) -> Work:
    """Return the digital work of a round behind its reads: difference, magnitude and comparison."""
    return work.elementwise(cells, operations=3, operands=2)
