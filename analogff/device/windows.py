"""Windows on an image whose weights are shared: what every array that slides over a map reads."""

import dataclasses
import functools
import math
from collections.abc import Iterable
from typing import TypeVar

import torch
from torch.nn.functional import pad

from analogff.device.shared_inputs import SharedInputs

Inputs = TypeVar("Inputs", bound=torch.Tensor | SharedInputs)
_NUMBERS_AT_ONCE = 2**20
"""Numbers of windows that are written out together for each chip, so that they stay near the processor."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Windows:
    r"""Where an array is read on an image, and how its reads belong to the lines and outputs of a layer.

    .. math:: y_{pj} = f\left(\sum_{c, u, v} W_{jcuv}\, x_{c,\, s p_1 + u - m,\, s p_2 + v - m}\right)

    with positions ``p``, stride ``s`` and ``m`` lines of zeros around the image. Lines are points row by row, the
    channels of a point together; so are outputs. A window is ordered likewise. A side of one point has a kernel of one,
    without padding. An image smaller than the kernel is one window. Where channels form groups, each has an array of
    its own, which sees the windows of that group.

    Shapes:
        ``x``: ``(chips, batch, n_in)``; ``rows``: ``(chips groups, batch positions, fan_in)``; ``y``: ``(chips, batch,
        n_out)``; ``columns``: ``(chips groups, batch positions, fan_out / groups)``; weights of a layer: ``(chips,
        fan_out, fan_in)``, and of its arrays ``(chips groups, fan_out / groups, fan_in)``.
    """

    n_in: int
    """Input lines of the layer."""
    n_out: int
    """Outputs of the layer."""
    channels: int
    """Lines of each point."""
    height: int
    """Rows of points; 0 for as many as columns."""
    kernel: int
    """Side of a window, in points."""
    stride: int
    """Points from one window to the next."""
    padding: int
    """Rows and columns of zeros around the image."""
    before: int = 0
    """Lines before the image, which every read sees."""
    over: int = 0
    """First lines of the image that are no pixels, which every read sees, too."""
    groups: int = 1
    """Groups of neighboring channels, below and in the map, which are connected one to one."""

    @functools.cached_property
    def sides(self) -> tuple[int, int]:
        """Height and width of the image, in points."""
        points = -(-(self.n_in - self.before) // self.channels)
        height = self.height or math.isqrt(points - 1) + 1
        return height, -(-points // height)

    @functools.cached_property
    def margins(self) -> tuple[int, int]:
        """Zeros above and left of the image, and as many below and right of it."""
        height, width = (0 if side == 1 else self.padding for side in self.sides)
        return height, width

    @functools.cached_property
    def window(self) -> tuple[int, int]:
        """Height and width of a window."""
        height, width = (
            min(self.kernel, side + 2 * margin) for side, margin in zip(self.sides, self.margins, strict=True)
        )
        return height, width

    @functools.cached_property
    def map(self) -> tuple[int, int]:
        """Positions down and across."""
        down, across = (
            (side + 2 * margin - kernel) // self.stride + 1
            for side, margin, kernel in zip(self.sides, self.margins, self.window, strict=True)
        )
        return down, across

    @property
    def positions(self) -> int:
        """Reads of one input."""
        return math.prod(self.map)

    @property
    def common(self) -> int:
        """So many first lines are seen by every read."""
        return self.before + self.over

    @property
    def fan_in(self) -> int:
        """Lines of an array."""
        return self.common + math.prod(self.window) * self._channels_of_group

    @property
    def fan_out(self) -> int:
        """Outputs of all arrays: channels of the layer's map."""
        return self.groups * -(-self.n_out // (self.positions * self.groups))

    @property
    def samples_at_once(self) -> int:
        """Samples whose windows are written out together."""
        return max(1, _NUMBERS_AT_ONCE // (self.groups * self.positions * self.fan_in))

    def rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return what each read of each input sees; one batch that all chips see stays one in memory."""
        if x.stride(0) == 0 and len(x) > 1 and self.groups == 1:
            return self._rows(x[:1]).expand(len(x), -1, -1)
        return self._rows(x)

    def shared_rows(self, x: SharedInputs) -> SharedInputs:
        """As `rows`, of inputs whose marks are on common lines: they are marks of every read."""
        marks = x.marks.expand(x.shape[0], -1, -1, -1).repeat_interleave(self.groups, 0) if self.groups > 1 else x.marks
        marks = marks.unsqueeze(3).expand(-1, -1, -1, self.positions, -1).flatten(2, 3)
        return SharedInputs(self.rows(x.shared), marks)

    def columns(self, y: torch.Tensor) -> torch.Tensor:
        """Return numbers of the outputs, read by read."""
        missing = self.positions * self.fan_out - self.n_out
        columns = (pad(y, (0, missing)) if missing else y).reshape(y.shape[0], -1, self.fan_out)
        if self.groups == 1:
            return columns
        return columns.unflatten(-1, (self.groups, -1)).movedim(2, 1).flatten(0, 1).contiguous()

    def join(self, columns: torch.Tensor) -> torch.Tensor:
        """Return numbers of reads as those of the outputs: the inverse of `columns`."""
        if self.groups > 1:
            columns = columns.unflatten(0, (-1, self.groups)).movedim(1, 2).flatten(2)
        y = columns.reshape(len(columns), -1, self.positions * self.fan_out)
        return y if y.shape[-1] == self.n_out else y[..., : self.n_out].contiguous()

    def of_arrays(self, weights: torch.Tensor) -> torch.Tensor:
        """Return weights of a layer, or changes of them, array by array."""
        return weights if self.groups == 1 else weights.unflatten(1, (self.groups, -1)).flatten(0, 1)

    def of_layer(self, weights: torch.Tensor) -> torch.Tensor:
        """Return weights of arrays as those of a layer: the inverse of `of_arrays`."""
        return weights if self.groups == 1 else weights.unflatten(0, (-1, self.groups)).flatten(1, 2)

    def back(self, rows: torch.Tensor) -> torch.Tensor:
        """Add up what reads have to say of each line, as errors that go back: the adjoint of `rows`."""
        (down, across), (kernel, wide), (top, left) = self.map, self.window, self.margins
        each = rows.view(rows.shape[0], -1, down, across, self.fan_in)
        taps = each[..., self.common :].unflatten(-1, (kernel, wide, self._channels_of_group))
        height, width = self.sides
        image = rows.new_zeros(*each.shape[:2], height + 2 * top, width + 2 * left, self._channels_of_group)
        for u in range(kernel):
            for v in range(wide):
                seen = image[:, :, u : u + self.stride * down : self.stride, v : v + self.stride * across : self.stride]
                seen[:, :, :down, :across] += taps[..., u, v, :]
        inside = image[:, :, top : top + height, left : left + width].unflatten(0, (-1, self.groups))
        inside = inside.movedim(1, -2).flatten(2)[..., : self.n_in - self.before]
        if not self.common:
            return inside.contiguous()
        lines = rows.new_zeros(*inside.shape[:2], self.n_in)
        lines[..., self.common :] = inside[..., self.over :]
        heard = each[..., : self.common].unflatten(0, (-1, self.groups)).movedim(1, 2).flatten(2, 4)
        lines[..., : self.common] = heard.mT.contiguous().sum(-1)
        return lines

    def parts(self, x: Inputs) -> list[Inputs]:
        """Split inputs into samples whose windows are written out together."""
        if isinstance(x, SharedInputs):
            halves = zip(x.shared.split(self.samples_at_once, 1), x.marks.split(self.samples_at_once, 2), strict=True)
            return [SharedInputs(shared, marks) for shared, marks in halves]  # type: ignore[misc]
        return list(x.split(self.samples_at_once, 1))  # type: ignore[arg-type]

    def parts_like(self, x: torch.Tensor | SharedInputs, numbers: torch.Tensor) -> list[torch.Tensor]:
        """Split numbers of each sample, ``(chips, samples, n)``, as `parts` splits the inputs that they belong to."""
        if not isinstance(x, SharedInputs):
            return list(numbers.split(self.samples_at_once, 1))
        each = numbers.unflatten(1, (x.marks.shape[1], -1))
        return [part.flatten(1, 2) for part in each.split(self.samples_at_once, 2)]

    def together(self, x: torch.Tensor | SharedInputs, parts: Iterable[torch.Tensor]) -> torch.Tensor:
        """Return numbers of all samples, from those of the `parts` of inputs."""
        out, first = None, 0
        variants = x.marks.shape[1] if isinstance(x, SharedInputs) else 1
        for part in parts:
            if part.shape[1] == x.shape[1]:
                return part
            if out is None:
                out = part.new_empty(part.shape[0], variants, x.shape[1] // variants, part.shape[2])
            each = part.unflatten(1, (variants, -1))
            out[:, :, first : first + each.shape[2]] = each
            first += each.shape[2]
        assert out is not None
        return out.flatten(1, 2)

    @property
    def _channels_of_group(self) -> int:
        return -(-self.channels // self.groups)

    def _rows(self, x: torch.Tensor) -> torch.Tensor:
        (height, width), (top, left), (kernel, wide) = self.sides, self.margins, self.window
        (down, across), batch, channels = self.map, x.shape[1], self._channels_of_group
        image = pad(x[..., self.before :], (0, self.before + height * width * self.channels - self.n_in))
        if self.over:
            image = image.clone()
            image[..., : self.over] = 0
        points = image.unflatten(-1, (height, width, self.groups, channels)).movedim(-2, 1).flatten(0, 1)
        padded = pad(points, (0, 0, left, left, top, top)).contiguous()
        of_chip, of_sample, of_line, of_point, _ = padded.stride()
        steps = of_chip, of_sample, self.stride * of_line, self.stride * of_point, of_line, 1
        seen = padded.as_strided((len(points), batch, down, across, kernel, wide * channels), steps)
        rows = x.new_empty(len(points), batch, down, across, self.fan_in)
        rows[..., self.common :].unflatten(-1, (kernel, wide * channels)).copy_(seen)
        if self.common:
            rows[..., : self.common] = x[:, :, None, None, : self.common].repeat_interleave(self.groups, 0)
        return rows.view(len(points), batch * down * across, self.fan_in)
