"""Fabrication of the chips of a network."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch

from analogff.data import ImageShape
from analogff.device import Device, Digital, Ledger, Observable, Sealed, derive_seed, fabricate, require
from analogff.device.requested import Requested
from analogff.network.network import Network
from analogff.network.normalization import Normalizer


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
        self.requested: list[Requested] = []
        """Registers of what is asked of each layer, if they are kept."""

    def keep_requests(self) -> None:
        """Keep a digital register of what is asked of the weights of each layer, from the next `seal` on."""
        self.requested = [Requested() for _ in self.devices]

    def seal(
        self, level: Observable, normalizer: Normalizer | None = None, image: ImageShape | None = None
    ) -> "Network":
        """Hand the chips, with what stands between the layers, to a rule that declared what it must see."""
        registers = self.requested or [None] * len(self.devices)
        sealed = [
            Sealed(device, chips=self.chips, level=level, name=name, ledger=self.ledger, requested=register)  # type: ignore[arg-type]
            for device, name, register in zip(self.devices, self.names, registers, strict=True)
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
    """Return inputs and outputs of a chain of layers, the head last."""
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
