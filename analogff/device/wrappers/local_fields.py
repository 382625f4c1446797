"""Many small arrays instead of a large one: local receptive fields without shared weights."""

import dataclasses
import functools
import math
import typing
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge
from typing_extensions import override

from analogff.device.datasheet import Datasheet, PerChip
from analogff.device.errors import ContractError
from analogff.device.fabricate import fabricate
from analogff.device.numerics.counting import cells_asked
from analogff.device.protocol import Device, Truth
from analogff.device.seeds import chip_seeds, derive_seed
from analogff.device.shared_inputs import SharedInputs
from analogff.device.wrappers.wrapping import answer, wrapping


class LocalFields(Device):
    r"""Small chips of another class, each under one field of an image, side by side in place of one chip.

    .. math:: y = (f(W_1 x_{F_1}), \dots, f(W_P x_{F_P})), \qquad F_p \subset \{1, \dots, n_{in}\}

    The inputs are points row by row, in `height` rows or on the smallest square that holds them, each of one line or of
    `channels` together. Fields are squares of `field` points a side, every `stride` points and at both ends. Outputs
    come field by field, so that the fields of one layer are the points of the next, with as many channels as each
    has neurons. Each field of a chip is a chip of its own, with the seed ``derive_seed(seed, "field", p)``. Weights are
    not shared.

    Where the number of outputs is no multiple of that of the fields, the last fields have neurons that are not
    connected. A line that is not there (past the end of the image) is silent, and its weights are never written.

    Args:
        n_in: Lines of the image, and those before it.
        n_out: Outputs of all fields together.
        seed: One seed a chip.
        field: Side of a field, in points; the whole height or width if that is smaller.
        stride: Points from one field to the next.
        channels: Lines of each point.
        height: Rows of points; 0 for as many as columns.
        before: So many lines come before the image, and go to every field: labels on lines of their own, or what is
            heard from another layer.
        over: So many of the image's first lines are no pixels, and go to every field: labels written over them.
        parameters: Of the class, for each of its chips; a tensor ``(chips,)`` gives each layer of fields its own.

    Example:
        >>> from analogff.device import Digital
        >>> local_fields(Digital)(784, 490, seed=[0], field=10, stride=3).datasheet.conversions
        (0, 0)

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), sections 3.2 and 4: "local receptive fields
        (without weight-sharing)".
    """

    banked = True
    model: ClassVar[type[Device]]
    """The class of the small chips; `local-fields` fills it in."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int | typing.Sequence[int],
        field: Annotated[int, Ge(1)],
        stride: Annotated[int, Ge(1)] = 1,
        channels: Annotated[int, Ge(1)] = 1,
        height: Annotated[int, Ge(0)] = 0,
        before: Annotated[int, Ge(0)] = 0,
        over: Annotated[int, Ge(0)] = 0,
        **parameters: Any,
    ):
        before = min(before, n_in - 1)  # an array smaller than what it is told may still be made, to be tried
        over = min(over, n_in - before)
        lines = fields_of(n_in, field, stride, channels, before, over, height)
        given = chip_seeds(seed)
        self.chips, self.fields, self.neurons = len(given), len(lines), -(-n_out // len(lines))
        self.common = before + over
        own = {name: self._for_fields(value) for name, value in parameters.items()}
        seeds = [derive_seed(s, "field", p) for s in given for p in range(self.fields)]
        patches = fabricate(self.model, lines.shape[1], self.neurons, seeds=seeds, parameters=own)
        connected = int((lines < n_in).sum())
        super().__init__(n_in, n_out, datasheet=self._sum_up(patches.datasheet, n_in, n_out, connected))
        self.patches = patches
        self.lines: torch.Tensor
        self.register_buffer("lines", lines)

    @classmethod
    @override
    def check_size(cls, n_in, n_out, *, field, stride=1, channels=1, height=0, before=0, over=0, **parameters):
        image = n_in - before
        if over >= image:
            raise ContractError(
                f"Expected lines of an image beside {before} before it and {over} over it. Got {n_in} lines in all. "
                "Give smaller numbers for before and over."
            )
        points, rest = divmod(image, channels)
        if height and (rest or points % height):
            raise ContractError(
                f"Expected points in rows of one length, of the {image} lines of this layer. Got channels = {channels} "
                f"and height = {height}, which make rows of {image / channels / height:.6g}. Give numbers that divide."
            )
        if channels > 1 and not height and (rest or math.isqrt(points) ** 2 != points):
            raise ContractError(
                f"Expected channels that make a square image of the {image} lines of this layer. Got {channels}, which "
                f"make {image / channels:.6g} points. Give the width of the layer before over the number of its fields."
            )
        lines = fields_of(n_in, field, stride, channels, before, over, height)
        cls.model.check_size(lines.shape[1], -(-n_out // len(lines)), **parameters)

    @classmethod
    @override
    def check_image(cls, n_in, image, *, channels=1, height=0, before=0, **_):
        if image is None:
            raise ContractError(
                "Expected images (n, height, width), which fields are parts of. Got a table, whose columns are in no "
                "place. Take the class of the small chips itself."
            )
        right = {"channels": image[0], "height": image[1], "before": n_in - math.prod(image)}
        told = {"channels": channels, "height": height or _side(math.prod(image[1:])), "before": before}
        if told != right:
            raise ContractError(
                f"Expected {_listed(right)}, as {image[0]} x {image[1]} x {image[2]} images (channels, height, width) "
                f"have. Got {_listed(told)}. Write the former."
            )

    @override
    def measure(self, x, bias=None):
        return self._join(answer(self.patches, self._cut(x), self._cut_bias(bias)))

    @override
    def measure_marked(self, x, bias=None):
        return self._join(answer(self.patches, self._cut_marked(x), self._cut_bias(bias)))

    @override
    def measure_biased(self, x, biases):
        cut = self._cut_marked(x) if isinstance(x, SharedInputs) else self._cut(x)
        answers = self.patches.measure_biased(cut, [self._cut_outputs(bias) for bias in biases])
        return [self._join(y) for y in answers]

    @override
    def pulse(self, change):
        return self._write(self.patches.pulse, change)

    @override
    def program(self, weights):
        return self._write(self.patches.program, weights)

    @override
    def wait(self, seconds):
        self.patches.wait(self._for_fields(seconds))

    @override
    def oracle(self, x, bias=None):
        slope, weights = self.patches.oracle(self._cut(x), self._cut_bias(bias))
        n_in = self.datasheet.n_in
        dense = weights.new_zeros(self.chips, self.fields, self.neurons, n_in + 1)
        dense.scatter_(-1, self._lines_like(dense), weights.view(self.chips, self.fields, self.neurons, -1))
        return Truth(self._join(slope), dense.flatten(1, 2)[:, : self.datasheet.n_out, :n_in])

    @override
    def knows_truth(self):
        return self.patches.knows_truth()

    def _cut(self, x: torch.Tensor) -> torch.Tensor:
        """Return what each field hears, ``(chips, batch, n_in)`` to ``(chips fields, batch, lines)``."""
        padded = torch.nn.functional.pad(x, (0, 1))  # what is not there is silent
        return padded[..., self.lines].transpose(1, 2).flatten(0, 1)

    def _cut_marked(self, x: SharedInputs) -> torch.Tensor | SharedInputs:
        """As `_cut`; marks on common lines are marks of every field, others are written out."""
        if x.marks.shape[-1] > self.common:
            return self._cut(x.whole())
        marks = x.marks.expand(self.chips, -1, -1, -1).repeat_interleave(self.fields, 0)
        return SharedInputs(self._cut(x.shared), marks)

    def _cut_bias(self, bias: torch.Tensor | None) -> torch.Tensor | None:
        return None if bias is None else self._cut_outputs(bias)

    def _cut_outputs(self, bias: torch.Tensor) -> torch.Tensor:
        """Return the bias of each field's neurons, ``(chips fields, batch or 1, neurons)``; a number stays one."""
        if bias.dim() == 0:
            return bias
        rows = bias.shape[-2] if bias.dim() > 1 else 1
        bias = bias.expand(self.chips, rows, self.datasheet.n_out)
        padded = torch.nn.functional.pad(bias, (0, self.fields * self.neurons - bias.shape[-1]))
        return padded.unflatten(-1, (self.fields, self.neurons)).transpose(1, 2).flatten(0, 1)

    def _join(self, y: torch.Tensor) -> torch.Tensor:
        """Return all outputs side by side, ``(chips fields, batch, neurons)`` to ``(chips, batch, n_out)``."""
        side_by_side = y.unflatten(0, (self.chips, self.fields)).transpose(1, 2).flatten(2)
        return side_by_side[..., : self.datasheet.n_out].contiguous()

    def _write(self, verb, values: torch.Tensor) -> torch.Tensor:
        """Pass on what concerns cells that there are, and return the steps that each layer spent."""
        rows = self.fields * self.neurons - values.shape[1]
        padded = torch.nn.functional.pad(values, (0, 1, 0, rows)).unflatten(1, (self.fields, self.neurons))
        cells = padded.gather(-1, self._lines_like(padded)).flatten(0, 1)
        steps = verb(cells)
        return (cells_asked(cells) if steps is None else steps).view(self.chips, self.fields).sum(1)

    def _lines_like(self, dense: torch.Tensor) -> torch.Tensor:
        """Return the line of every cell, ``(chips, fields, neurons, lines)``."""
        return self.lines[None, :, None, :].expand(*dense.shape[:3], -1)

    def _for_fields(self, value: Any) -> Any:
        """Give each field its chip's number, where there is one a chip."""
        per_chip = isinstance(value, torch.Tensor) and value.dim() > 0
        return value.expand(self.chips).repeat_interleave(self.fields) if per_chip else value

    def _sum_up(self, sheet: Datasheet, n_in: int, n_out: int, connected: int) -> Datasheet:
        """Return the sheet of all small chips together: they work side by side, so energies add and times do not."""
        own = {
            name: value[:: self.fields]
            for name, value in vars(sheet).items()
            if isinstance(value, torch.Tensor) and value.dim() > 0
        }
        read: PerChip = own.get("read_joules", sheet.read_joules)
        signal: PerChip = own.get("signal_joules", sheet.signal_joules)
        return dataclasses.replace(
            sheet,
            **own
            | dict(
                n_in=n_in,
                n_out=n_out,
                dacs=connected if sheet.dacs is None else self.fields * sheet.dacs,
                adcs=n_out if sheet.adcs is None else self.fields * sheet.adcs,
                read_joules=self.fields * read,
                signal_joules=self.fields * signal,
                parallel_pulses=self.fields * sheet.parallel_pulses,
            ),
        )


def fields_of(
    n_in: int, field: int, stride: int, channels: int = 1, before: int = 0, over: int = 0, height: int = 0
) -> torch.Tensor:
    """Return the lines that each field hears, ``(fields, before + over + channels field^2)``; ``n_in`` for none.

    Example:
        >>> fields_of(9, 2, 1).tolist()
        [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]
        >>> fields_of(8, 1, 1, channels=2).tolist()
        [[0, 1], [2, 3], [4, 5], [6, 7]]
        >>> fields_of(8, 2, 2, height=2).tolist()
        [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    points = -(-(n_in - before) // channels)
    height, width = (height, -(-points // height)) if height else (_side(points),) * 2
    starts = [_starts(side, field, stride) for side in (height, width)]
    inside = [torch.arange(min(field, side)) for side in (height, width)]
    rows = (starts[0][:, None, None, None] + inside[0][:, None]) * width  # (down, 1, field, 1)
    columns = starts[1][:, None, None] + inside[1]  # (across, 1, field)
    seen = (rows + columns).flatten(2).flatten(0, 1)
    heard = (seen[..., None] * channels + torch.arange(channels)).flatten(1) + before
    common = before + over
    heard = heard.masked_fill((heard >= n_in) | (heard < common), n_in)
    return torch.cat([torch.arange(common).expand(len(heard), -1), heard], dim=1)


def _side(points: int) -> int:
    """Return the side of the smallest square that holds so many points."""
    return math.isqrt(points - 1) + 1


def _starts(side: int, field: int, stride: int) -> torch.Tensor:
    """Return where fields begin along a side: every stride, and where the last one ends with it."""
    last = side - min(field, side)
    return torch.tensor([*range(0, last, stride), last])


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in numbers.items())


@functools.cache
def local_fields(model: type[Device]) -> type[LocalFields]:
    """Return the class of local fields of a class, which takes its parameters beside its own.

    In a study file or on the command line it is ``model = "local-fields(NAME)"``.
    """
    return wrapping(LocalFields, model, f"Local fields, each under a small {model.__name__} chip")
