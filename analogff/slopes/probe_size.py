"""How large a probe should be, found by reading."""

import torch

from analogff.device import Sealed, SharedInputs, chipwise
from analogff.system import work

ROUNDS = 6
EVERY = 500
"""Reads of a layer from one measurement of the probe to the next, so that it follows a chip that drifts."""
AVERAGED = 0.5
"""Share of the size for slopes that are averaged: by the equation, that for 64 of them."""
FARTHEST = 4.0
"""Reaches that a probe may be wide."""
_STRETCH = 4.0


class ProbeSize:
    r"""The bias between two reads at which the error of a slope is least, of every chip.

    A slope measured with ``(y_+ - y_-) / d`` has variance ``2 s^2 / d^2`` from noise, and bias ``f''' d^2 / 24``;
    their squares sum to the least at

    .. math:: d^6 = 576\, s^2 / \langle f'''^2 \rangle

    An update averages noise over a batch, and not bias; still chips learned better with this size than with the half
    of it that counts 64 samples, since a larger probe also looks over the edge of a neuron's range.

    Noise ``s`` is measured from reads that differ in nothing (and from the converter's step, where that is all that
    can be seen), curvature from reads under four biases, less what noise adds to it. The biases are found by making
    the answer move by a share of its own spread, so no unit of the weighted sum need be known. The bias that moves it
    by all of its spread before learning, the reach ``r``, also bounds what curvature may be found: at least that
    of ``y`` over ``r``, ``sd(y) / 24 r^3``, since on straight neurons it drowns in noise. So it does the size: to
    ``4 r``, since nobody looks farther than ``2 r`` to either side. The reach is found once, and curvature looked for
    over it each time. With the last probe in its place probes fed on themselves: one that reaches over a bend finds
    none, so that on noisy chips they grew at every measurement, and on exact ones they shrank to nothing.

    Args:
        given: A size to take instead of measuring one.
    """

    state_names = ("size", "reach", "reads")

    def __init__(self, given: float | None = None):
        self.given = given
        self.size: torch.Tensor | None = None
        self.reach: torch.Tensor | None = None
        self.reads = 0
        """Of the layer, at which the size was asked for."""

    def of(self, layer: Sealed, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        """Return the size for a read, ``(chips, 1, 1)``, or a number for all; measured now if it is due."""
        if self.given is not None:
            if self.size is None:
                self.size = torch.tensor(self.given, device=layer.torch_device)
            return self.size
        if self.is_due:
            found = self._measure(layer, x)
            self.size = found if self.size is None else self.size.copy_(found)  # a recorded step reads it there
        self.reads += 1
        assert self.size is not None
        return self.size

    @property
    def is_due(self) -> bool:
        """Whether the next read measures the size."""
        return self.given is None and self.reads % EVERY == 0

    def for_averages(self, layer: Sealed, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        """As `of`, for slopes of which many are averaged: that leaves less of their noise, and all of their bias."""
        size = self.of(layer, x)
        return size if self.given is not None else AVERAGED * size

    def _measure(self, layer: Sealed, x: torch.Tensor | SharedInputs) -> torch.Tensor:
        h, up, down = span(layer, x, self.reach)
        far_up, far_down, again = layer.probe(x, (2 * h, -2 * h, h))
        layer.compute(*work.elementwise(up[0].numel(), operations=13, operands=5, results=0))
        noise = noise_variance(up, again)
        third = (far_up - 2 * up + 2 * down - far_down) / (2 * h**3)
        from_noise = 2.5 * noise / h.view(-1) ** 6
        floor = _of_chips(up).var(-1) / h.view(-1) ** 6 / 576
        curvature = (_of_chips(third).square().mean(-1) - from_noise).maximum(floor).clamp(min=1e-30)
        size = chipwise(lambda ratio: ratio ** (1 / 6), 576 * noise / curvature)
        self.reach = h
        return size.view(-1, 1, 1).minimum(FARTHEST * h)


def span(
    layer: Sealed, x: torch.Tensor | SharedInputs, known: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a bias that moves answers by about their spread, ``(chips, 1, 1)``, and the answers under it, up and down.

    Args:
        layer: What is read.
        x: Its inputs.
        known: A bias to take instead of looking for one.
    """
    h = torch.ones(layer.chips, 1, 1, device=layer.torch_device) if known is None else known
    up, down = layer.probe(x, (h, -h))
    for _ in range(ROUNDS if known is None else 0):
        layer.compute(*work.elementwise(up[0].numel(), operations=6, operands=2, results=0))
        moved = _of_chips(up - down).square().mean(-1).sqrt() / _of_chips(up).std(-1).clamp(min=1e-12)
        h = h * (1 / moved.clamp(1 / _STRETCH, _STRETCH)).view(-1, 1, 1)
        up, down = layer.probe(x, (h, -h))
    return h, up, down


def noise_variance(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the variance of an answer, ``(chips,)``, from two reads of the same; at least its step's, ``q^2 / 12``.

    A device without noise or converter still rounds sums to floating point, the same way at every read. Without that
    step its noise would be nothing, and its best probe smaller at every measurement, until differences were rounding.
    """
    repeats = _of_chips(first - second).square().mean(-1) / 2
    steps = torch.stack([_least_step(y) for y in _of_chips(first)])
    return repeats.maximum(steps.square() / 12)


def _least_step(y: torch.Tensor) -> torch.Tensor:
    """Return the least difference between values that differ, which for a converter is its step."""
    rounding = torch.finfo(y.dtype).eps * y.abs().max()
    gaps = y[:4096].unique().diff()
    return gaps.min().maximum(rounding) if len(gaps) else rounding


def _of_chips(y: torch.Tensor) -> torch.Tensor:
    return y.flatten(1)
