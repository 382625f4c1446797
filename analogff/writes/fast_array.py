"""A fast array beside a layer: it gathers outer products, and its readings move to the layer column by column."""

import abc

import torch
from typing_extensions import override

from analogff.device import Observable, Sealed, whole
from analogff.device.datasheet import column_of
from analogff.network.readout import Columns
from analogff.system import WORD_BYTES, Work, work
from analogff.writes.options import WriteOptions
from analogff.writes.trains import Generators, RunningScale, greatest, mean_of_chips, over, trains_work
from analogff.writes.write import ArrayWrite, Rate

REFERENCE_READS = 8
"""Reads of each line that a reference is averaged over."""


class FastArray(ArrayWrite):
    r"""A write whose gradients gather in a fast array ``A``, as pulse trains, and move to the layer ``C``.

    .. math::
        A_{ji} \leftarrow A_{ji} - \frac{f\, T\, d}{\langle \max |x| \max |e| \rangle}
                              \sum_b e_{bj}\, s_i x_{bi}, \qquad
        C_{ji} \leftarrow C_{ji} + \mathrm{asked}(s_i A_{ji})

    with the fast rate ``f``, trains of ``T`` slots, the mean change ``d`` of a pulse, and signs ``s`` that a subclass
    may flip. A column moves each ``transfer_every`` vectors, the columns in turn; those that are due in a batch move
    at its end. Each is read once with its line on and once without. The rate of a transfer is ``transfer_rate`` times
    the learning rate.

    Args:
        layer: ``C``.
        fast: ``A``, sealed at TWIN; at ORACLE its true weights are taken in place of reads, which is a bound.
        options: Slots, fast rate, and pace and rate of the transfers.
        seed: Draws trains and signs.
    """

    state_names = ("generators", "scale", "signs", "column", "due")

    def __init__(self, layer: Sealed, fast: Sealed, options: WriteOptions, seed: int):
        super().__init__(layer)
        self.fast, self.options = fast, options
        self.generators, self.scale = Generators(options.train_slots, seed), RunningScale()
        self.pulse_size = column_of(layer.datasheet.change_step).to(layer.torch_device)
        self.signs = torch.ones(layer.datasheet.weight_shape[1], device=layer.torch_device)
        """Of the input lines, on their way into the fast array and out of it."""
        self.column = 0
        """The next line whose column moves."""
        self.due = 0.0
        """Columns that are due, less than 1 between steps."""
        self._columns = None if fast.level == Observable.ORACLE else Columns(fast)

    @abc.abstractmethod
    def asked(self, readings: torch.Tensor, lines: torch.Tensor, rate: Rate) -> torch.Tensor:
        """Return what readings ask of the layer, both ``(chips, n_out, lines)``.

        Args:
            readings: Of the fast array, as they are.
            lines: Which columns they are, each at most once.
            rate: Of the transfer.
        """

    @override
    def descend(self, errors, x, rate):
        self._gather(errors, whole(x))
        self._transfer(errors.shape[1], rate)

    @override
    def told(self, errors, x, rate):
        self._gather(errors, whole(x))
        return self._transfer(errors.shape[1], rate)

    @override
    def step(self, gradient, rate):
        """As one vector, whose outer product a matrix of pulses takes the place of."""
        self.layer.compute(*work.elementwise(self.cells, operations=3, operands=1))
        most = self.scale.update(gradient.abs().amax((1, 2), keepdim=True))
        self.fast.pulse(-over(self._steps * self.pulse_size, most) * gradient * self.signs)
        return self._transfer(1, rate)

    @property
    def _steps(self) -> float:
        """Steps of the cell whose lines carry the most, for a typical vector."""
        return self.options.fast_rate * self.options.train_slots

    def _gather(self, errors: torch.Tensor, x: torch.Tensor) -> None:
        """Write the outer products onto the fast array."""
        self.layer.compute(*trains_work(*x.shape[1:], errors.shape[2]))  # type: ignore[arg-type]
        most = self.scale.update(mean_of_chips(torch.mul, greatest(x), greatest(errors)))
        rows, columns = self.generators.fire(-errors, x * self.signs, over(self._steps, most))
        self.fast.pulse_trains(rows, columns, self.generators.slots)

    def _transfer(self, vectors: int, rate: Rate) -> torch.Tensor:
        """Move the columns that are due to the layer; return what was asked of it."""
        n_out, n_in = self.layer.datasheet.weight_shape
        self.due += vectors / self.options.transfer_every
        columns = int(self.due)
        self.due -= columns
        total = torch.zeros(self.layer.chips, n_out, n_in, device=self.layer.torch_device)
        while columns > 0:
            lines = (self.column + torch.arange(min(columns, n_in))) % n_in
            self.column, columns = (self.column + len(lines)) % n_in, columns - len(lines)
            change = torch.zeros_like(total)
            change[..., lines] = self.asked(self.read(lines), lines, self.options.transfer_rate * rate)
            self.layer.pulse(change)
            total += change
        return total

    def read(self, lines: torch.Tensor) -> torch.Tensor:
        """Read columns of the fast array, ``(chips, n_out, lines)``."""
        if self._columns is not None:
            return self._columns.weights(lines)
        nothing = torch.zeros(self.fast.chips, 1, self.fast.datasheet.n_in, device=self.fast.torch_device)
        return self.fast.oracle(nothing).weights[..., lines.to(self.fast.torch_device)]


class Reference:
    r"""Where the cells of a fast array stand when pulses up and down cancel: their symmetry points, as they are read.

    As many pulses up and down in turn as the printed range has steps lead each cell there; then all columns are read.

    Args:
        array: The fast array.
        subtracted: Whether it is found and subtracted at all.
    """

    state_names = ("weights",)

    def __init__(self, array: FastArray, subtracted: bool):
        self.array, self.subtracted = array, subtracted
        self.weights: torch.Tensor | None = None
        """``(chips, n_out, n_in)``; None before the first step."""

    @property
    def kept_bytes(self) -> int:
        """The digital memory of it."""
        return WORD_BYTES * self.array.cells if self.subtracted else 0

    def find(self) -> None:
        """Find it, if it is to be subtracted and unknown."""
        if not self.subtracted or self.weights is not None:
            return
        fast, step = self.array.fast, self.array.pulse_size
        shape = fast.chips, fast.datasheet.n_out, fast.datasheet.n_in
        up = step.expand(shape).contiguous()
        for _ in range(pulse_pairs(fast)):
            fast.pulse(up)
            fast.pulse(-up)
        lines = torch.arange(fast.datasheet.n_in)
        found = [self.array.read(lines) for _ in range(1 if fast.level == Observable.ORACLE else REFERENCE_READS)]
        self.weights = torch.stack(found).mean(0)

    def of(self, lines: torch.Tensor) -> torch.Tensor | float:
        """Return it for some columns, ``(chips, n_out, lines)``; 0 where nothing is subtracted."""
        return 0.0 if self.weights is None else self.weights[..., lines]


def pulse_pairs(fast: Sealed) -> int:
    """Return how many pulses up and down lead cells to their symmetry points: the steps of the printed range."""
    sheet = fast.datasheet
    return int((2 * column_of(sheet.weight_max) / column_of(sheet.change_step)).ceil().max())


def transfer_work(columns: int, n_out: int, *, operations: int, registers: int) -> Work:
    """Return the digital work of moving columns, behind the reads, whose inversion `Columns` books.

    Args:
        columns: How many.
        n_out: Numbers of each.
        operations: For each number.
        registers: Arrays that are read and written.
    """
    return work.elementwise(columns * n_out, operations=operations, operands=1 + registers, results=1 + registers)
