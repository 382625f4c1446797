"""Convolution: one array that is read at every position of an image."""

import functools
from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from annotated_types import Ge
from typing_extensions import override

from analogff.device.connections.connected import Connected
from analogff.device.connections.on_image import OnImage, lines_beside
from analogff.device.errors import ContractError
from analogff.device.numerics.windowed import rows_of
from analogff.device.protocol import Device, Truth
from analogff.device.seeds import derive_seed
from analogff.device.shared_inputs import SharedInputs, whole
from analogff.device.windows import Windows
from analogff.device.wrappers.wrapping import answer, wrapping


class Convolution(OnImage):
    r"""One array, read with one window of an image after another; its weights are those of all positions.

    .. math:: y_{pj} = f\left(\sum_{c, u, v} W_{jcuv}\, x_{c,\, s p_1 + u - m,\, s p_2 + v - m}\right)_j

    The inputs are points row by row, in `height` rows or on the smallest square that holds them, each of one line or of
    `channels` together. Outputs come position by position, so that they are the points of the next layer, with as many
    channels as the array has outputs. Windows are squares of `kernel` points a side, every `stride` points, on an image
    with `padding` rows and columns of zeros around it. Zeros are read as any other number. The lines before the image
    and those written over go to every position.

    One input takes as many reads as there are positions, each with noise of its own, and one bias a neuron and
    position. The layer is written as its array: changes are ``(chips, channels out, lines of a window)``.

    Args:
        n_in: Lines of the image, and those before it.
        n_out: Outputs of all positions together.
        kernel: Side of a window, in points. A side of one point has a kernel of one, without padding.
        stride: Points from one window to the next.
        padding: Rows and columns of zeros around the image.
        channels: Lines of each point.
        height: Rows of points; 0 for as many as columns.
        before: Lines before the image; in a study, those of the rule if None, else none.
        over: First lines of the image that are no pixels; in a study, those that the rule writes labels over if None,
            else none.
        groups: Groups of neighboring channels, below and in the map, which are connected one to one. Each has an array
            of its own, with the seed ``derive_seed(seed, "group", g)`` if there are several; they are read together.

    Example:
        >>> from analogff.device import Digital
        >>> layer = convolution(Digital)(784, 784 * 8, seed=[0], padding=1)
        >>> layer.datasheet.reads_per_vector, layer.datasheet.weight_shape
        (784, (8, 9))

    Reference:
        An array that is read once for each position: Gokmen, Onen & Haensch, Frontiers in Neuroscience 11, 538 (2017).
    """

    windows: Windows

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        kernel: Annotated[int, Ge(1)] = 3,
        stride: Annotated[int, Ge(1)] = 1,
        padding: Annotated[int, Ge(0)] = 0,
        channels: Annotated[int, Ge(1)] = 1,
        height: Annotated[int, Ge(0)] = 0,
        before: Annotated[int, Ge(0)] | None = None,
        over: Annotated[int, Ge(0)] | None = None,
        groups: Annotated[int, Ge(1)] = 1,
    ):
        before, over = lines_beside(n_in, before, over)
        shape = {"kernel": kernel, "stride": stride, "padding": padding, "channels": channels, "height": height}
        shape |= {"groups": groups}
        windows = Windows(n_in=n_in, n_out=n_out, before=before, over=over, **shape)
        _require_groups(windows, windows.fan_out)
        super().__init__(n_in, n_out, _lines(windows), common=before + over)
        self.windows = windows

    @classmethod
    @override
    def check_size(cls, n_in, n_out, *, channels=1, height=0, before=None, over=None, **given):
        super().check_size(n_in, n_out, channels=channels, height=height, before=before, over=over)
        shape = {"kernel": 3, "stride": 1, "padding": 0, "groups": 1} | given
        windows = Windows(n_in=n_in, n_out=n_out, channels=channels, height=height, before=before or 0, **shape)
        (rows, columns), (down, across) = windows.sides, windows.map
        if any(side > 1 and size < windows.kernel for side, size in zip(windows.sides, windows.window, strict=True)):
            raise ContractError(
                f"Expected a kernel that fits on an image of {rows} x {columns} points with {windows.padding} zeros on "
                f"each side. Got kernel = {windows.kernel}. Give a smaller one, or more padding."
            )
        if n_out % windows.positions:
            raise ContractError(
                f"Expected outputs at each of {down} x {across} positions alike. Got {n_out} in all. Give the layer a "
                f"width that {windows.positions} divides: positions times channels."
            )
        _require_groups(windows, n_out // windows.positions)

    @override
    def seeds(self, seed):
        return [seed] if self.arrays == 1 else [derive_seed(seed, "group", g) for g in range(self.arrays)]

    @override
    def spread(self, x):
        return rows_of(x, self.windows)

    @override
    def spread_bias(self, bias, chips, batch):
        if bias.dim() == 0 or (bias.shape[-1] == 1 and (bias.dim() < 2 or bias.shape[-2] == 1)):
            per_chip = self.arrays > 1 and bias.dim() == 3 and len(bias) > 1
            return bias.repeat_interleave(self.arrays, 0) if per_chip else bias  # the same at all positions
        return self.windows.columns(bias.expand(chips, batch, self.n_out))

    @override
    def join(self, y):
        return self.windows.join(y)

    @override
    def changes(self, change):
        return self.windows.of_arrays(change)

    @override
    def weights(self, weights):
        return self.windows.of_arrays(weights)

    @override
    def dense(self, cells):
        return self.windows.of_layer(cells)


class Convolved(Connected):
    """A layer whose array slides over an image; see `Convolution`. It is read some samples at a time."""

    @override
    def measure_biased(self, x, biases):
        outs: list[list[torch.Tensor]] = [[] for _ in biases]
        for part, own in self._parts(x, biases):
            answers = self.bank.measure_biased(self.connection.spread(part), own)
            for out, y in zip(outs, answers, strict=True):
                out.append(self.connection.join(y))
        return [self.windows.together(x, out) for out in outs]

    @property
    @override
    def array(self):
        return self.bank

    @override
    def pulse_trains(self, rows, columns):
        return self.bank.pulse_trains(rows, columns)

    @override
    def oracle(self, x, bias=None):
        parts = self._parts(whole(x), _given(bias))
        found = [self.bank.oracle(whole(self.connection.spread(part)), *own) for part, own in parts]
        slope = self.windows.together(whole(x), (self.connection.join(truth.slope) for truth in found))
        return Truth(slope, self.connection.dense(found[-1].weights))

    @override
    def pullback(self, x, error, bias=None):
        x, pulled = whole(x), []
        errors = self.windows.parts_like(x, error)
        for (part, own), of_part in zip(self._parts(x, _given(bias)), errors, strict=True):
            back = self.bank.pullback(whole(self.connection.spread(part)), self.windows.columns(of_part), *own)
            if back is None:
                return None
            pulled.append(self.connection.join(back))
        return self.windows.together(x, pulled)

    @property
    def windows(self) -> Windows:
        """Where the array is read."""
        assert self.connection.windows is not None
        return self.connection.windows

    @override
    def _read(self, x, bias):
        parts = self._parts(x, _given(bias))
        return self.windows.together(x, (self._part(part, own) for part, own in parts))

    def _part(self, x: torch.Tensor | SharedInputs, bias: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.connection.join(answer(self.bank, self.connection.spread(x), *(bias or (None,))))

    def _parts(self, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor]):
        """Yield some samples at a time, with their biases read by read."""
        parts = self.windows.parts(x)
        split: Callable[[torch.Tensor], list[torch.Tensor]] = functools.partial(self._biases, x, len(parts))
        own = [split(bias) for bias in biases]
        for n, part in enumerate(parts):
            yield part, [self.connection.spread_bias(bias[n], self.chips, part.shape[1]) for bias in own]

    def _biases(self, x: torch.Tensor | SharedInputs, parts: int, bias: torch.Tensor) -> list[torch.Tensor]:
        """Split a bias as `Windows.parts` splits inputs."""
        if bias.dim() < 2 or bias.shape[-2] == 1:
            return [bias] * parts
        each = bias if bias.dim() == 3 else bias.unsqueeze(0)
        return self.windows.parts_like(x, each)


def _require_groups(windows: Windows, made: int) -> None:
    """Refuse groups of unequal size, of the channels below or of those that are made."""
    if windows.channels % windows.groups or made % windows.groups:
        raise ContractError(
            f"Expected groups that divide the {windows.channels} channels of an input and the {made} of the map. Got "
            f"groups = {windows.groups}. Give another number, or other channels."
        )


def _given(bias: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
    return () if bias is None else (bias,)


def _lines(windows: Windows) -> torch.Tensor:
    """Return the lines of each read, ``(groups, positions, fan_in)``; ``n_in`` for one that is not there."""
    numbers = torch.arange(1, windows.n_in + 1, dtype=torch.float64).view(1, 1, -1)  # 0 is none
    seen = windows.rows(numbers).long() - 1
    return seen.masked_fill(seen < 0, windows.n_in)


@functools.cache
def convolution(model: type[Device]) -> type[Convolved]:
    """Return the class of convolutions of a class, which takes its parameters beside those of `Convolution`.

    In a study file or on the command line it is ``model = "convolution(NAME)"``. A study that writes
    ``layers = [{conv = 96}]`` fills in the sizes.
    """
    around = wrapping(Convolved, model, f"{model.__name__} chips, convolved", options_of=Convolution)
    around.topology = Convolution
    return around
