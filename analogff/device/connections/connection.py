"""The base class of topologies: which input lines each array of a chip reads."""

from typing import Any

import torch
from torch.nn.functional import pad

from analogff.device.lines import InputLines
from analogff.device.seeds import derive_seed
from analogff.device.shared_inputs import SharedInputs
from analogff.device.windows import Windows


class Connection(torch.nn.Module):
    r"""How the input lines of a layer are connected to the arrays of a chip.

    .. math:: y_{arj} = f_a(W_a x_{L_{ar}})_j

    A chip has several arrays ``a`` of one size. For one input vector each of them is read once or several times, ``r``,
    and each read sees the lines ``L`` of the vector. Everything else follows from these indices, so a topology is a
    subclass whose constructor computes them.

    Outputs come array by array, read by read, neuron by neuron. Where ``n_out`` does not fill them the last neurons are
    not connected. A line that is not there is silent, and its cells are never written.

    An array that is read several times has weights that all its reads share. A change of such a cell is the sum of the
    changes of all weights that it stands for, and a programmed value their mean.

    Args:
        n_in: Input lines of the layer.
        n_out: Outputs of the layer.
        lines: ``(arrays, reads, array_in)``; ``n_in`` for a line that is not there. No read has a line twice.
        common: So many first lines of the layer are the first lines of every read, in order.
    """

    lines: torch.Tensor
    windows: Windows | None = None
    """Where one array with the weights of the whole layer is read; None where the layer has weights of its own."""

    def __init__(self, n_in: int, n_out: int, lines: torch.Tensor, common: int = 0):
        super().__init__()
        self.n_in, self.n_out, self.common = n_in, n_out, common
        self.arrays, self.reads, self.array_in = lines.shape
        self.array_out = -(-n_out // (self.arrays * self.reads))
        self.register_buffer("lines", lines)

    @classmethod
    def check_size(cls, n_in: int, n_out: int, **options: Any) -> None:
        """Raise a `ContractError` where options do not fit a layer; see `Device.check_size`."""

    @classmethod
    def check_image(cls, n_in: int, image: tuple[int, int, int] | None, **options: Any) -> None:
        """Raise a `ContractError` where options do not fit the images of a first layer; see `Device.check_image`."""

    @classmethod
    def on_lines(cls, lines: InputLines, options: dict[str, Any]) -> dict[str, Any]:
        """Return options, with those filled in that follow from the lines of a layer; see `Device.on_lines`."""
        return options

    def seeds(self, seed: int) -> list[int]:
        """Return the seeds of the arrays of a chip."""
        return [derive_seed(seed, "array", a) for a in range(self.arrays)]

    def loads(self, of_array: torch.Tensor | None = None) -> torch.Tensor:
        """Return the load of each line from one input vector, in lines of an array, ``(n_in,)`` in double precision.

        Args:
            of_array: Loads of an array's own lines, ``(array_in,)``, where they are not all 1.
        """
        each = torch.ones(self.array_in) if of_array is None else of_array
        load = torch.zeros(self.n_in + 1, dtype=torch.float64)
        load.index_add_(0, self.lines.flatten(), each.double().expand(self.lines.shape).flatten())
        return load[: self.n_in]

    def spread(self, x: torch.Tensor | SharedInputs) -> torch.Tensor | SharedInputs:
        """Return the inputs of each read, ``(chips, batch, n_in)`` to ``(chips arrays, batch reads, array_in)``.

        Marks on common lines are marks of every read; others are written out.
        """
        if isinstance(x, SharedInputs):
            if x.marks.shape[-1] > self.common:
                return self._spread(x.whole())
            marks = x.marks.expand(x.shape[0], -1, -1, -1).repeat_interleave(self.arrays, 0)
            marks = marks.unsqueeze(3).expand(-1, -1, -1, self.reads, -1).flatten(2, 3)
            return SharedInputs(self._spread(x.shared), marks)
        return self._spread(x)

    def _spread(self, x: torch.Tensor) -> torch.Tensor:
        padded = pad(x, (0, 1))  # a line that is not there is silent
        return padded[..., self.lines].transpose(1, 2).flatten(0, 1).flatten(1, 2)

    def spread_bias(self, bias: torch.Tensor, chips: int, batch: int) -> torch.Tensor:
        """Return the bias of each read, ``(chips arrays, batch reads or 1, array_out)``; a number stays one."""
        if bias.dim() == 0:
            return bias
        rows = batch if self.reads > 1 else bias.shape[-2] if bias.dim() > 1 else 1
        bias = bias.expand(chips, rows, self.n_out)
        shape = self.arrays, self.reads, self.array_out
        padded = pad(bias, (0, self._not_connected)).unflatten(-1, shape)
        return padded.transpose(1, 2).flatten(0, 1).flatten(1, 2)

    def join(self, y: torch.Tensor) -> torch.Tensor:
        """Return the outputs of the layer, ``(chips arrays, batch reads, array_out)`` to ``(chips, batch, n_out)``."""
        each = y.unflatten(1, (-1, self.reads)).unflatten(0, (-1, self.arrays))
        return each.transpose(1, 2).flatten(2)[..., : self.n_out].contiguous()

    def changes(self, change: torch.Tensor) -> torch.Tensor:
        """Return changes of cells, ``(chips, n_out, n_in)`` to ``(chips arrays, array_out, array_in)``."""
        each = self._cells(change)
        return (each.squeeze(2) if self.reads == 1 else each.sum(2)).flatten(0, 1)

    def weights(self, weights: torch.Tensor) -> torch.Tensor:
        """Return weights of cells, shaped as `changes`; where they are shared, those that are closest."""
        if self.reads == 1:
            return self.changes(weights)
        there = self._cells(torch.ones_like(weights[:1])).sum(2).flatten(0, 1)
        return self.changes(weights) / there.clamp(min=1).repeat(len(weights), 1, 1)

    def dense(self, cells: torch.Tensor) -> torch.Tensor:
        """Return the weights of the layer, ``(chips arrays, array_out, array_in)`` to ``(chips, n_out, n_in)``."""
        each = cells.unflatten(0, (-1, self.arrays)).unsqueeze(2).expand(-1, -1, self.reads, -1, -1)
        dense = each.new_zeros(*each.shape[:-1], self.n_in + 1)
        dense.scatter_(-1, self._lines_like(dense), each)
        return dense.flatten(1, 3)[:, : self.n_out, : self.n_in]

    @property
    def _not_connected(self) -> int:
        """Return how many neurons of all reads are no outputs of the layer."""
        return self.arrays * self.reads * self.array_out - self.n_out

    def _cells(self, dense: torch.Tensor) -> torch.Tensor:
        """Return the entry of each cell in each read, ``(chips, arrays, reads, array_out, array_in)``."""
        padded = pad(dense, (0, 1, 0, self._not_connected))
        padded = padded.unflatten(1, (self.arrays, self.reads, self.array_out))
        return padded.gather(-1, self._lines_like(padded))

    def _lines_like(self, dense: torch.Tensor) -> torch.Tensor:
        """Return the line of every cell in every read, ``(chips, arrays, reads, array_out, array_in)``."""
        return self.lines[None, :, :, None, :].expand(*dense.shape[:4], -1)
