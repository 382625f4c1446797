"""Input lines that are silent during a training step."""

from collections.abc import Sequence
from typing import TypeVar

import torch

from analogff.device import SharedInputs

X = TypeVar("X", torch.Tensor, SharedInputs)


class Dropout:
    r"""Silences each input line of a layer with a probability, and makes the others louder.

    .. math:: x_{bi} \mapsto \frac{m_{bi}}{1 - p}\, x_{bi}, \qquad m_{bi} \sim \mathrm{Bernoulli}(1 - p)

    All variants of an image share their mask, so that they differ by their labels alone, and all chips do.

    Args:
        pixels: ``p`` of the first layer.
        hidden: ``p`` of every later hidden layer.
        inputs: Input lines of each hidden layer that are no label's; for the first, all of them.
        labels: First lines of the first layer that are a label's, and never silent.

    Reference:
        Srivastava et al., Dropout (JMLR 15, 2014), section 4.
    """

    def __init__(self, pixels: float, hidden: float, inputs: Sequence[int], labels: int):
        self.rates = [pixels, *[hidden] * (len(inputs) - 1)]
        self.inputs = inputs
        self.labels = labels

    def draw(self, images: torch.Tensor, generator: torch.Generator) -> list[torch.Tensor | None]:
        """Return a factor on each line of every layer, separate for each image; None where no line is dropped."""
        masks = [
            self._draw((len(images), n), rate, generator, images.device) if rate else None
            for rate, n in zip(self.rates, self.inputs, strict=True)
        ]
        if (first := masks[0]) is not None:
            first[:, : self.labels] = 1
        return masks

    @staticmethod
    def _draw(shape, rate: float, generator: torch.Generator, device: torch.device) -> torch.Tensor:
        heard = torch.rand(shape, generator=generator) >= rate
        return (heard / (1 - rate)).to(device)


def silence(x: X, mask: torch.Tensor | None) -> X:
    """Return a layer's inputs, of which some lines are silent; labels of later layers are not among them.

    Shapes:
        ``x``: ``(chips, variants batch, n)``, written out or `SharedInputs`; ``mask``: ``(batch, n)``, None for none.
    """
    if mask is None:
        return x
    if isinstance(x, SharedInputs):
        return SharedInputs(_masked(x.shared, mask), x.marks)
    return _masked(x, mask)


def _masked(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    one = x[:1] if x.stride(0) == 0 else x  # one batch for all chips stays one in memory
    return (one.unflatten(1, (-1, len(mask))) * mask).flatten(1, 2).expand_as(x)
