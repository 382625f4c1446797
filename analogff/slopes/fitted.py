"""Slopes from response curves that are learned online, so that a second read is rare."""

from typing import Any

import torch
from typing_extensions import override

from analogff.device import Observable, Sealed, SharedInputs
from analogff.slopes.probe_size import noise_variance
from analogff.slopes.response_curves import ResponseCurves
from analogff.slopes.slopes import Probed, Reading, Slope, probe
from analogff.support.state import restore
from analogff.system import work

EVERY = 24
WARM_UP = 8
TRUST = 0.5
LEAST_NOISE = 2e-5
"""Share in the variance of activities that noise has at least: about the rounding of 8 bits."""
MIDDLE = (0.02, 0.98)
"""Shares of the range between which curves have their middle."""
_MEMORY = 0.9


class Fitted(Slope):
    r"""Take a neuron's slope from its activity, by a curve of its own that occasional probes keep up to date.

    .. math:: f'_j(a_j) \approx \hat s_j(y_j), \qquad \mathrm{E}[\hat s_j(y_j) \mid a_j] = f'_j(a_j)

    Most reads are single. Every 24th is a probe beside a single read, from whose activities the curves learn what
    noise does to them; see `ResponseCurves`. A slope need not be a function of the activity (a non-monotone neuron
    answers alike on both sides of its peak): where the curves explain less than half of what probes find, each read is
    probed. What they leave over is counted in products of two residuals, by two activities, so that the noise of a
    single read is not taken for ignorance.

    That is decided for all chips that are read together, so a study gives each chip a bank of its own.

    Args:
        probed: What reads where curves are not trusted; they learn from smaller probes, whose noise they average.
    """

    needs = Observable.PROBE
    state_names = ("probed", "curves", "noise", "explained", "reads")

    def __init__(self, probed: Probed):
        self.probed = probed
        self.curves: ResponseCurves | None = None
        self.noise: torch.Tensor | None = None
        self.explained: torch.Tensor | None = None
        self.reads = 0

    @property
    def trusted(self) -> bool:
        """Whether single reads are enough."""
        return self.explained is not None and bool((self.explained > TRUST).all())

    @override
    def read(self, layer, x):
        self.reads += 1
        return self.read_on(layer, x)

    @override
    def read_on(self, layer, x):
        before = self.reads - 1
        learning = before < WARM_UP or before % EVERY == 0
        if learning or self.curves is None:
            return self._learn(layer, x)
        if not self.trusted:
            return self.probed.read(layer, x)
        y = layer.measure(x)
        layer.compute(*self.curves.work(y.shape[1]))
        return Reading(y, self.curves.slopes(y))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_of` gave."""
        self.curves = None if state["curves"] is None else ResponseCurves.from_state(state["curves"])
        restore(self, state)

    def _learn(self, layer: Sealed, x: torch.Tensor | SharedInputs) -> Reading:
        size = self.probed.size.for_averages(layer, x)
        alone, (y, slopes) = layer.measure(x), probe(layer, x, size)
        if self.curves is None or self.noise is None:
            self.noise = noise_variance(*layer.probe(x, (torch.zeros((), device=y.device),) * 2))
            layer.compute(*work.elementwise(y[0].numel(), operations=4, operands=2, results=0))
            self.curves = _make_curves(layer, y, self.noise)
        layer.compute(*self.curves.learning_work(y.shape[1]))
        self.curves.learn(alone, y, slopes)
        self._judge(alone, y, slopes, 2 * self.noise / size.square().view(-1))
        return Reading(y if self.probed.activity == "mean" else alone, slopes)

    def _judge(self, alone: torch.Tensor, y: torch.Tensor, slopes: torch.Tensor, noise: torch.Tensor) -> None:
        assert self.curves is not None
        unexplained = _mean_product(slopes - self.curves.slopes(alone), slopes - self.curves.slopes(y)) - noise
        whole = (_mean_product(slopes, slopes) - noise).clamp(min=1e-12)
        explained, old = (1 - unexplained / whole).clamp(0, 1), self.explained
        self.explained = explained if old is None else _MEMORY * old + (1 - _MEMORY) * explained


def _make_curves(layer: Sealed, y: torch.Tensor, noise: torch.Tensor) -> ResponseCurves:
    """Return curves over the printed range of the outputs, or over twice what a first read shows, around its mean."""
    sheet, chips = layer.datasheet, y.flatten(1)
    low = chips.amin(-1) if sheet.output_min is None else torch.as_tensor(sheet.output_min).expand(layer.chips)
    high = 2 * chips.amax(-1) if sheet.output_max is None else torch.as_tensor(sheet.output_max).expand(layer.chips)
    low, high = (bound.to(y).view(-1, 1, 1) for bound in (low, high))
    high = high.maximum(low + 1e-12)
    middle = low + (high - low) * ((y.mean((1, 2), keepdim=True) - low) / (high - low)).clamp(*MIDDLE)
    share = (noise / chips.var(-1).clamp(min=1e-12)).clamp(min=LEAST_NOISE)
    return ResponseCurves(low, middle, high, y.shape[2], share)


def _mean_product(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one * other).flatten(1).mean(-1)
