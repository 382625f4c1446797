"""A network of sealed devices with a normalization between them."""

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from analogff.data import ImageShape
from analogff.device import (
    Device,
    Digital,
    Ledger,
    Observable,
    PerChip,
    Sealed,
    SharedInputs,
    chipwise,
    derive_seed,
    fabricate,
    require,
)
from analogff.network.normalization import Length, Normalizer

LOGIT_RANGE = 10.0  # spans softmax probabilities up to 1 - 4e-4 from a head whose outputs are bounded


@dataclasses.dataclass(frozen=True)
class LayerSpec:
    """What a layer is to be made of."""

    model: type[Device]
    """The device class."""
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Its parameters; a tensor ``(chips,)`` gives each chip its own."""


class Chips:
    """Fabricated chips, each one device a layer; what the engine holds and no rule ever sees.

    Args:
        devices: One banked device a layer, the head last.
        chips: Number of chips in each.
    """

    def __init__(self, devices: Sequence[Device], chips: int):
        self.devices = torch.nn.ModuleList(devices)
        self.chips = chips
        self.names = [f"layer {n}" for n in range(1, len(devices))] + ["head"]
        self.ledger = Ledger(self.names)

    def seal(
        self, level: Observable, normalizer: Normalizer | None = None, image: ImageShape | None = None
    ) -> "Network":
        """Hand the chips, with what stands between the layers, to a rule that declared what it must see."""
        sealed = [
            Sealed(device, chips=self.chips, level=level, name=name, ledger=self.ledger)  # type: ignore[arg-type]
            for device, name in zip(self.devices, self.names, strict=True)
        ]
        return Network(sealed[:-1], sealed[-1], self.ledger, normalizer, image)

    def refuse(self, level: Observable) -> list[str]:
        """Say, a sentence a layer, what the devices do not show that is needed."""
        answers = [require(device, level) for device in self.devices]  # type: ignore[arg-type]
        return [f"{name}: {why}" for name, why in zip(self.names, answers, strict=True) if why]


def fabricate_chips(
    specs: Sequence[LayerSpec],
    sizes: Sequence[int],
    classes: int,
    *,
    seeds: Sequence[int],
    head: LayerSpec | None = None,
) -> Chips:
    """Make the chips of a network.

    Args:
        specs: One a layer.
        sizes: Inputs of the first layer, then each layer's width.
        classes: Outputs of the head.
        seeds: One integer a chip; layer ``l`` of a chip has the seed ``derive_seed(seed, l)``.
        head: What the head is made of; a digital softmax layer if None.
    """
    return fabricate_wired(specs, chain(sizes, classes), seeds=seeds, head=head)


def chain(sizes: Sequence[int], classes: int) -> list[tuple[int, int]]:
    """Return inputs and outputs of layers of which each hears the one before, the head last."""
    return [*zip(sizes[:-1], sizes[1:], strict=True), (sizes[-1], classes)]


def fabricate_wired(
    specs: Sequence[LayerSpec],
    shapes: Sequence[tuple[int, int]],
    *,
    seeds: Sequence[int],
    head: LayerSpec | None = None,
) -> Chips:
    """Make the chips of a network whose layers are as large as a rule wires them; see `Rule.layer_shapes`.

    Args:
        specs: One a layer.
        shapes: Inputs and outputs of each layer, and of the head.
        seeds: As `fabricate_chips`.
        head: As `fabricate_chips`.

    Raises:
        ContractError: If a device does not fit its layer; see `Device.check_size`.
    """
    layers = list(zip([*specs, head or LayerSpec(Digital)], shapes, strict=True))
    for spec, (n_in, n_out) in layers:
        spec.model.check_size(n_in, n_out, **spec.parameters)
    devices = [
        fabricate(spec.model, n_in, n_out, seeds=[derive_seed(s, layer) for s in seeds], parameters=spec.parameters)
        for layer, (spec, (n_in, n_out)) in enumerate(layers)
    ]
    return Chips(devices, len(seeds))


class Network:
    """Sealed layers and a head, and what carries a signal between them: what a rule is given.

    Args:
        layers: The hidden layers, first to last.
        head: The layer that answers with one number a class, fed by the last activities.
        ledger: Where the layers count; the network shows a view of it.
        normalizer: What the inputs of every layer pass, images too; length normalization if None.
        image: How the input lines are a picture; None for a table.
    """

    def __init__(
        self,
        layers: Sequence[Sealed],
        head: Sealed,
        ledger: Ledger,
        normalizer: Normalizer | None = None,
        image: ImageShape | None = None,
    ):
        self.layers = tuple(layers)
        self.head = head
        self.ledger = ledger.view()
        self._book = ledger
        self.normalizer = normalizer or Length()
        self.image = image
        self.chips = head.chips
        self.classes = head.datasheet.n_out

    def present(self, images: torch.Tensor) -> torch.Tensor:
        """Show images to every chip: ``(batch, n_in)`` or ``(chips, batch, n_in)`` to normalized inputs."""
        # one batch for all stays one in memory: the first layer may see that it is
        return self.normalizer.forward(images).expand(self.chips, *images.shape[-2:])

    def present_shared(self, images: SharedInputs) -> SharedInputs:
        """Show images in several variants, whose marks are equally long, to every chip."""
        x = self.normalizer.forward_shared(images)
        return SharedInputs(x.shared.expand(self.chips, -1, -1), x.marks.expand(self.chips, -1, -1, -1))

    def activities(self, images: torch.Tensor | SharedInputs) -> list[torch.Tensor]:
        """Read every layer, ``(chips, batch, width)`` each; needs ACTIVITY."""
        activities: list[torch.Tensor] = []
        x = self.present_shared(images) if isinstance(images, SharedInputs) else self.present(images)
        for layer in self.layers:
            activities.append(layer.measure(x))
            if layer is not self.layers[-1]:
                x = self.normalizer.forward(activities[-1])
        return activities

    def output(self, images: torch.Tensor) -> torch.Tensor:
        """Read the logits, ``(chips, batch, classes)``; needs OUTPUT."""
        self.head.demand(Observable.OUTPUT, "output")
        return self._run(images)

    def loss(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Read one number, the mean cross-entropy of each chip, ``(chips,)``; needs LOSS."""
        return chipwise(lambda logits: _cross_entropy(logits, labels), self._run(images))

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Let the finished machine answer, ``(chips, batch)``; what any machine must do to be of use."""
        return self._run(images).argmax(-1)

    def wait(self, seconds: PerChip) -> None:
        """Let hardware time pass on every layer, for each chip its own if ``(chips,)``."""
        for layer in (*self.layers, self.head):
            layer.wait(seconds)

    def logits(self, y: torch.Tensor) -> torch.Tensor:
        """Scale a head's outputs, so that one with bounded outputs can be sure too."""
        return y * logit_scale(self.head)

    def _evaluating(self) -> AbstractContextManager[None]:
        return self._book.evaluating()

    def _run(self, images: torch.Tensor) -> torch.Tensor:
        x = self.present(images)
        for layer in self.layers:
            x = self.normalizer.forward(layer._transmit(x))
        return self.logits(self.head._transmit(x))


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean over the batch, of one chip, ``(batch, classes)``, or of each, ``(chips, batch, classes)``."""
    if logits.dim() == 2:
        return cross_entropy(logits, labels)
    each = cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits)), reduction="none")
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
