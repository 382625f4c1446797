"""A network of sealed devices with a normalization between them."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, overload

import torch
from torch.nn.functional import cross_entropy

from analogff.data import ImageShape
from analogff.device import Ledger, Observable, PerChip, Sealed, SharedInputs, chipwise
from analogff.network.forward import Onward, Passed, R, Read, Signal, forward
from analogff.network.normalization import Length, Normalizer
from analogff.network.pooling import Pooling
from analogff.system import work

LOGIT_RANGE = 10.0  # spans softmax probabilities up to 1 - 4e-4 from a head whose outputs are bounded


class Network:
    """Sealed layers and a head, and what carries a signal between them: what a rule is given.

    Args:
        layers: The hidden layers, first to last.
        head: The layer that answers with one number a class, fed by the last activities.
        ledger: Where the layers count; the network shows a view of it.
        normalizer: What images pass, and with the channels of a layer its activities; length normalization if None.
        image: How the input lines are a picture; None for a table.
        controlled: Of each layer, the head last, what the controller of its writes is given; see `WriteHardware`.
        pooling: What becomes of the map of each layer before it is normalized; nothing if None.
    """

    def __init__(
        self,
        layers: Sequence[Sealed],
        head: Sealed,
        ledger: Ledger,
        normalizer: Normalizer | None = None,
        image: ImageShape | None = None,
        controlled: Sequence[Sequence[Sealed]] | None = None,
        pooling: Sequence[Pooling | None] = (),
    ):
        self.layers = tuple(layers)
        self.head = head
        self.controlled = tuple(map(tuple, controlled or [()] * (len(self.layers) + 1)))
        """Of each layer, the head last, arrays for its writes alone."""
        self._first = (*self.layers, head)[0]
        self.ledger = ledger.view()
        self._book = ledger
        self.normalizer = normalizer or Length()
        """What images pass."""
        self._normalizers = [self.normalizer.of_channels(layer.datasheet.weight_shape[0]) for layer in self.layers]
        self.image = image
        self.pooling = tuple(pooling) or (None,) * len(self.layers)
        self.chips = head.chips
        self.classes = head.datasheet.n_out

    @property
    def carried(self) -> list[int]:
        """How many numbers each hidden layer passes on."""
        pairs = zip(self.layers, self.pooling, strict=True)
        return [layer.datasheet.n_out if pooling is None else pooling.n_out for layer, pooling in pairs]

    def present(self, images: torch.Tensor) -> torch.Tensor:
        """Show images to every chip: ``(batch, n_in)`` or ``(chips, batch, n_in)`` to normalized inputs."""
        vectors, n = images.shape[-2:]
        self._first.compute(*self.normalizer.work(vectors, n))
        # one batch for all stays one in memory: the first layer may see that it is
        return self.normalizer.forward(images).expand(self.chips, *images.shape[-2:])

    def present_shared(self, images: SharedInputs) -> SharedInputs:
        """Show images in several variants, whose marks are equally long, to every chip."""
        vectors, n = images.shared.shape[-2:]
        self._first.compute(*self.normalizer.work(vectors, n, images.marks[0].numel()))
        x = self.normalizer.forward_shared(images)
        return SharedInputs(x.shared.expand(self.chips, -1, -1), x.marks.expand(self.chips, -1, -1, -1))

    @overload
    def forward(self, x: Signal, *, onward: Onward | None = None) -> Iterator[Passed[torch.Tensor]]: ...
    @overload
    def forward(self, x: Signal, reads: Sequence[Read[R]], onward: Onward | None = None) -> Iterator[Passed[R]]: ...
    def forward(
        self, x: Signal, reads: Sequence[Read[Any]] | None = None, onward: Onward | None = None
    ) -> Iterator[Passed[Any]]:
        """Send a signal through the hidden layers; yields each as it is passed, see `analogff.network.forward`.

        Args:
            x: Inputs of the first layer, as `present` gives them.
            reads: How each layer is read, and how many are; all are measured if None, which needs ACTIVITY.
            onward: What becomes of an activity on its way to the next layer; normalized if None.
        """
        return forward(reads or [layer.measure for layer in self.layers], x, onward or self.onward)

    def onward(self, passed: Passed) -> torch.Tensor:
        """Return what the next layer is read with: the normalized activity, pooled before if the layer says so."""
        following, pooling = (*self.layers, self.head)[passed.layer + 1], self.pooling[passed.layer]
        if pooling is None:
            return self.normalized(passed.y, passed.mean_squares, layer=passed.layer, beside=following)
        following.compute(*pooling.work(passed.y.shape[1]))
        return self.normalized(pooling.forward(passed.y), layer=passed.layer, beside=following)

    def backward(self, error: torch.Tensor, x: torch.Tensor, passed: Passed) -> torch.Tensor:
        """Carry an error, the derivative by ``x = onward(passed)``, back to the activity, and book the work."""
        following, pooling = (*self.layers, self.head)[passed.layer + 1], self.pooling[passed.layer]
        normalizer = self._normalizers[passed.layer]
        following.compute(*normalizer.backward_work(*x.shape[1:]))
        if pooling is None:
            return normalizer.backward(error, x, passed.y)
        following.compute(*pooling.backward_work(x.shape[1]))
        return pooling.backward(normalizer.backward(error, x, pooling.forward(passed.y)), passed.y)

    def normalized(
        self, y: torch.Tensor, mean_squares: torch.Tensor | None = None, *, layer: int, beside: Sealed
    ) -> torch.Tensor:
        """Normalize activities of a layer, ``(chips, ..., n)``, and book the work beside one; see `Normalizer`."""
        vectors, n = y[0].numel() // y.shape[-1], y.shape[-1]
        beside.compute(*self._normalizers[layer].work(vectors, n))
        return self._normalizers[layer].forward(y, mean_squares)

    def activities(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Read every layer, ``(chips, batch, width)`` each; needs ACTIVITY."""
        return [passed.y for passed in self.forward(self.present(images))]

    def output(self, images: torch.Tensor) -> torch.Tensor:
        """Read the logits, ``(chips, batch, classes)``; needs OUTPUT."""
        self.head.demand(Observable.OUTPUT, "output")
        return self._run(images)

    def loss(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Read one number, the mean cross-entropy of each chip, ``(chips,)``; needs LOSS."""
        self.head.compute(*work.cross_entropy(len(labels), self.classes))
        return chipwise(lambda logits: _cross_entropy(logits, labels), self._run(images))

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Let the finished machine answer, ``(chips, batch)``; what any machine must do to be of use."""
        return self._run(images).argmax(-1)

    def wait(self, seconds: PerChip) -> None:
        """Let hardware time pass on every layer, for each chip its own if ``(chips,)``."""
        for layer in (*self.layers, self.head, *(array for own in self.beside for array in own)):
            layer.wait(seconds)

    @property
    def beside(self) -> list[list[Sealed]]:
        """Of each layer, the head last, further arrays that no signal passes."""
        layers = (*self.layers, self.head)
        return [[a for a in own if a.name != layer.name] for layer, own in zip(layers, self.controlled, strict=True)]

    def logits(self, y: torch.Tensor) -> torch.Tensor:
        """Scale a head's outputs, so that one with bounded outputs can be sure too."""
        return y * logit_scale(self.head)

    def _evaluating(self) -> AbstractContextManager[None]:
        return self._book.evaluating()

    def _run(self, images: torch.Tensor) -> torch.Tensor:
        transmit = [layer._transmit for layer in (*self.layers, self.head)]
        *_, last = self.forward(self.present(images), transmit)
        return self.logits(last.y)


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean over the batch, of one chip, ``(batch, classes)``, or of each, ``(chips, batch, classes)``."""
    if logits.dim() == 2:
        return cross_entropy(logits, labels)
    repeated = labels.repeat(len(logits), *[1] * (labels.dim() - 1))  # soft labels have classes too
    each = cross_entropy(logits.flatten(0, 1), repeated, reduction="none")
    return each.view(len(logits), -1).mean(-1)


def evaluating(network: Network) -> AbstractContextManager[None]:
    """Book what a network does inside under evaluation; for the engine, since a rule's reads are its price."""
    return network._evaluating()


def logit_scale(head: Sealed) -> torch.Tensor:
    """Return the factor from a head's outputs to logits, ``(chips or 1, 1, 1)``: 1 without an output limit."""
    low, high = head.datasheet.output_min, head.datasheet.output_max
    if low is None or high is None:
        return torch.ones(1, 1, 1, device=head.torch_device)
    span = torch.as_tensor(high - low, dtype=torch.float32, device=head.torch_device)
    return LOGIT_RANGE / span.reshape(-1, 1, 1)
