"""The sign of a step, in one pulse."""

import torch
from typing_extensions import override

from analogff.device.datasheet import column_of
from analogff.system import Work, work
from analogff.writes.write import ChangeWrite


class Sign(ChangeWrite):
    r"""At most one pulse a cell and step, towards the sign of the optimizer's step.

    .. math:: P(\mathrm{pulse}) = \min(1, \eta / d)

    with the learning rate :math:`\eta` and the mean change of a pulse, :math:`d`. So a rate of ``d`` or more is the
    Manhattan rule, in which every cell takes a pulse in every step, and a lower one thins them out.

    Reference:
        Zamanidoost et al., Manhattan rule training for memristive crossbar circuits (arXiv 1511.07076).
    """

    @property
    @override
    def kept_bytes(self):
        return 0

    @override
    def write(self, change, rate):
        self.layer.compute(*sign_work(self.cells))
        step = column_of(self.layer.datasheet.change_step).to(change.device)
        asked = change.sign() * torch.minimum(torch.as_tensor(rate, dtype=step.dtype, device=change.device), step)
        self.layer.pulse(asked)
        return asked


def sign_work(cells: int) -> Work:
    """Return the digital work of a step's signs."""
    return work.elementwise(cells, operations=1, operands=1)
