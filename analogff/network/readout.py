"""Weights of an array, read through its neurons with one input line on at a time."""

import dataclasses

import torch

from analogff.device import Datasheet, PerChip, Sealed
from analogff.system import work

FARTHEST = 8.0
"""Sums within which a printed curve is looked at; a typical one is 1."""
POINTS = 513
"""Sums at which it is looked at, an odd number."""
LEAST_SIGNAL = 1e-3
"""Change of the output between the ends of a window below which it is none."""
WEIGHT_END = 8.0
"""Greatest weight where none is printed, in typical weights ``1/sqrt(n_in)``."""
LINES_AT_ONCE = 256
"""Input lines of one read, so that activities stay near the processor."""


@dataclasses.dataclass(frozen=True)
class Window:
    """The sums in which an array is read: the curve rises or falls all the way, and no weight leaves them."""

    middle: float
    """The bias under which it is read."""
    half: float
    """Half of its width."""
    amplitude: float
    """The input of the line that is on."""


def window_of(sheet: Datasheet) -> Window:
    r"""Return the window in which a weight shows best.

    .. math:: \max_{m, h} \; h \min_{|a - m| \le h} |f'(a)| \quad\text{with}\quad h \le u_\mathrm{max} w_\mathrm{max}

    with the printed curve ``f``, as far as the output's range goes, the greatest input and weight; ``m = 0`` without a
    bias port. The input is then ``u = h / w_max``.

    Raises:
        ValueError: If no curve is printed, or if it is flat or turns everywhere.
    """
    if sheet.neuron is None:
        raise ValueError("its datasheet prints no neuron curve to be inverted")
    slopes = _slopes(sheet)
    step, center = 2 * FARTHEST / (POINTS - 1), (POINTS - 1) // 2
    heaviest, loudest = _greatest_weight(sheet), _least(1.0 if sheet.input_max is None else sheet.input_max)
    most = max(1, min(center, int(heaviest * loudest / step)))
    best, found = LEAST_SIGNAL, None
    for n in range(1, most + 1):
        within = slopes.unfold(0, 2 * n, 1)  # of the windows around each point that has n steps on either side
        least = within.abs().min(1).values * (within.sign().sum(1).abs() == 2 * n)
        at = int(least.argmax()) if sheet.bias_port else center - n
        if float(least[at]) * n * step > best:
            best, found = float(least[at]) * n * step, (at + n - center, n)
    if found is None:
        raise ValueError("its printed neuron curve is flat or turns wherever it could be read")
    half = found[1] * step
    return Window(found[0] * step, half, _code(half / heaviest, loudest, sheet))


def why_unreadable(sheet: Datasheet) -> str | None:
    """Say in a sentence why weights cannot be read out, or None if they can."""
    try:
        window_of(sheet)
    except ValueError as error:
        return str(error)
    return None


def read_weights(layer: Sealed, reads: int) -> torch.Tensor:
    r"""Read the weights of an array, ``(chips, n_out, n_in)``.

    .. math:: W_{ji} \approx \frac1{u R} \sum_r \left[f^{-1}(y_j(u e_i, b_r)) - f^{-1}(y_j(0, b_r))\right]

    with the printed curve ``f``. Biases ``b_r`` around the middle of the window are spread over one step of the ADC, so
    that averages see between steps. A neuron that is steeper than printed shows greater weights; offsets cancel.
    Each line takes ``2 R`` reads, of which one half is without any input.

    Args:
        layer: Sealed at TWIN.
        reads: ``R``.

    Raises:
        ValueError: As `window_of`.
    """
    columns = Columns(layer, reads)
    sums = torch.zeros(layer.chips, layer.datasheet.n_in, layer.datasheet.n_out, dtype=torch.float64)
    sums, dark = sums.to(layer.torch_device), []
    for lines in torch.arange(layer.datasheet.n_in).split(LINES_AT_ONCE):
        sums[:, lines], without = columns.sums(lines)
        dark.append(without)
    weights = (sums - sum(dark) / layer.datasheet.n_in) / columns.amplitude
    return weights.mT.float().contiguous()


class Columns:
    """Reads the weights of some input lines of an array; see `read_weights`.

    Args:
        layer: Sealed at TWIN.
        reads: Reads of each line that are averaged, and as many without any input.

    Raises:
        ValueError: As `window_of`.
    """

    def __init__(self, layer: Sealed, reads: int = 1):
        self.layer, self.reads = layer, reads
        self._window = window_of(layer.datasheet)
        self._inverse = _Inverse(layer.datasheet, self._window)
        self.amplitude = self._window.amplitude
        """The input of a line that is on."""

    def weights(self, lines: torch.Tensor) -> torch.Tensor:
        """Read the weights of lines, ``(chips, n_out, lines)``."""
        on, dark = self.sums(lines)
        return ((on - dark / len(lines)) / self.amplitude).mT.float()

    def sums(self, lines: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Read the sums of lines that are on alone, and the sum of as many reads without input.

        Returns:
            Means over the reads: ``(chips, lines, n_out)``, and ``(chips, 1, n_out)``, both float64.
        """
        layer, sheet = self.layer, self.layer.datasheet
        on = torch.zeros(len(lines), sheet.n_in, device=layer.torch_device)
        on[torch.arange(len(lines)), lines] = self.amplitude
        found = []
        for r in range(self.reads):
            shift = ((r + 0.5) / self.reads - 0.5) * self._inverse.step
            bias = self._window.middle + shift if sheet.bias_port else 0.0
            for x in (on, torch.zeros_like(on)):
                shown = x.expand(layer.chips, -1, -1)
                y = layer.measure(shown, torch.tensor(bias)) if sheet.bias_port else layer.measure(shown)
                layer.compute(*work.elementwise(y[0].numel(), operations=4, operands=2))
                found.append((self._inverse(y.double()) - bias) / self.reads)
        return sum(found[::2]), sum(found[1::2]).sum(1, keepdim=True)  # type: ignore[return-value]


class _Inverse:
    """The inverse of a printed curve in a window, straight beyond its ends."""

    def __init__(self, sheet: Datasheet, window: Window):
        self.sums = torch.linspace(window.middle - window.half, window.middle + window.half, 4097, dtype=torch.float64)
        values = sheet.neuron(self.sums)  # type: ignore[misc] (a window has a curve)
        if values[-1] < values[0]:
            self.sums, values = self.sums.flip(0), values.flip(0)
        self.values = values.contiguous()
        slope = float((values[-1] - values[0]) / (2 * window.half))
        self.step = _adc_step(sheet) / slope
        """Change of the sum that moves the output by one step of its converter."""

    def __call__(self, y: torch.Tensor) -> torch.Tensor:
        sums, values = self.sums.to(y.device), self.values.to(y.device)
        right = torch.searchsorted(values, y.contiguous()).clamp(1, len(values) - 1)
        share = (y - values[right - 1]) / (values[right] - values[right - 1])
        return sums[right - 1] + share * (sums[right] - sums[right - 1])


def _slopes(sheet: Datasheet) -> torch.Tensor:
    """Return the slopes of the printed curve between points, 0 where the output has reached its end."""
    sums = torch.linspace(-FARTHEST, FARTHEST, POINTS, dtype=torch.float64)
    low, high = (
        None if end is None else float(torch.as_tensor(end).min()) for end in (sheet.output_min, sheet.output_max)
    )
    values = sheet.neuron(sums).detach()  # type: ignore[misc]
    values = values if low is None and high is None else values.clamp(low, high)
    return values.diff() / sums.diff()


def _greatest_weight(sheet: Datasheet) -> float:
    if sheet.weight_max is None:
        return WEIGHT_END * sheet.n_in**-0.5
    return float(torch.as_tensor(sheet.weight_max).max())


def _code(amplitude: float, loudest: float, sheet: Datasheet) -> float:
    """Return the code of the DAC next to an amplitude, so that it is passed on as it is."""
    amplitude = min(amplitude, loudest)
    bits = _bits(sheet.dac_bits)
    if bits == 0 or sheet.input_max is None:
        return amplitude
    step = _least(sheet.input_max - (sheet.input_min or 0.0)) / (2**bits - 1)
    return max(1, round(amplitude / step)) * step


def _adc_step(sheet: Datasheet) -> float:
    bits = _bits(sheet.adc_bits)
    if bits == 0 or sheet.output_max is None or sheet.output_min is None:
        return 0.0
    span = float(torch.as_tensor(sheet.output_max - sheet.output_min).max())
    return span / (2**bits - 1)


def _least(printed: PerChip) -> float:
    return float(torch.as_tensor(printed).min())


def _bits(printed: PerChip | None) -> float:
    """Return the fewest bits of a converter; 0 where there is none, or an exact one."""
    return 0.0 if printed is None else _least(printed)
