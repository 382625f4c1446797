"""Fabrication of the chips of a network."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from analogff.data import ImageShape
from analogff.device import Device, Digital, Ledger, Observable, Sealed, derive_seed, fabricate, require
from analogff.device.output_scale import OutputScale
from analogff.device.requested import Requested
from analogff.device.tiles import Tiles
from analogff.network.network import Network
from analogff.network.normalization import Normalizer
from analogff.network.pooling import Pooling, heard
from analogff.network.write_hardware import WriteHardware

_BESIDE = "beside."


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
        beside: Further arrays of each layer, the head last; none if not given.
        writes: What the controllers of writes are given.
        pooling: What becomes of the map of each layer on its way to the next; nothing if empty.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        chips: int,
        beside: Sequence[Sequence[Device]] | None = None,
        writes: WriteHardware | None = None,
        pooling: Sequence[Pooling | None] = (),
    ):
        self.devices = torch.nn.ModuleList(devices)
        self.chips = chips
        self.names = [f"layer {n}" for n in range(1, len(devices))] + ["head"]
        self.beside = torch.nn.ModuleList(torch.nn.ModuleList(own) for own in beside or [()] * len(devices))
        """Further arrays of each layer, which writes use and no signal passes."""
        self.writes, self.pooling = writes or WriteHardware(), tuple(pooling)
        further = [
            f"{name} array {n}"
            for name, own in zip(self.names, self.beside, strict=True)
            for n in range(2, 2 + len(own))  # type: ignore[arg-type]
        ]
        self.ledger = Ledger([*self.names, *further])
        self.scales = [OutputScale() for _ in devices]
        """Digital scales behind the converters of each layer."""
        self.requested: list[Requested] = []
        """Registers of what is asked of each layer, if they are kept."""

    def keep_requests(self) -> None:
        """Keep a digital register of what is asked of the weights of each layer, from the next `seal` on."""
        self.requested = [Requested() for _ in self.devices]

    def seal(
        self, level: Observable, normalizer: Normalizer | None = None, image: ImageShape | None = None
    ) -> "Network":
        """Hand the chips, with what stands between the layers, to a rule that declared what it must see."""
        sealed = self._sealed(level)
        own = self.seal_arrays(self.writes.level) if self.writes.reads_back else [None] * len(sealed)
        controlled = [
            [*([layer] if layer and not layer.datasheet.readable_weights else []), *self._sealed_beside(n)]
            for n, layer in enumerate(own)
        ]
        return Network(sealed[:-1], sealed[-1], self.ledger, normalizer, image, controlled, self.pooling)

    def _sealed(self, level: Observable) -> list[Sealed]:
        registers = self.requested or [None] * len(self.devices)
        common = {"chips": self.chips, "level": level, "ledger": self.ledger}
        return [
            Sealed(device, name=name, requested=register, scale=scale, **common)  # type: ignore[arg-type]
            for device, name, register, scale in zip(self.devices, self.names, registers, self.scales, strict=True)
        ]

    def seal_arrays(self, level: Observable) -> list[Sealed]:
        """Hand the arrays of each layer to a controller, which reads and writes their lines, and not an image's."""
        common = {"chips": self.chips, "level": level, "ledger": self.ledger}
        pairs = zip(self.devices, self.names, strict=True)
        return [Sealed(device.array, name=name, **common) for device, name in pairs]  # type: ignore[arg-type]

    def _sealed_beside(self, layer: int) -> list[Sealed]:
        """Hand the further arrays of a layer to the controller of its writes."""
        common = {"chips": self.chips, "level": self.writes.level, "ledger": self.ledger}
        own: Any = self.beside[layer]
        return [Sealed(array, name=f"{self.names[layer]} array {n}", **common) for n, array in enumerate(own, 2)]

    def to(self, device: str) -> None:
        """Move all chips to a device that computes."""
        self.devices.to(device)
        self.beside.to(device)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the state of all devices, those of the layers by their numbers."""
        return self.devices.state_dict() | self.beside.state_dict(prefix=_BESIDE)

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Restore what `state_dict` gave; arrays that it does not know stay as fabricated."""
        self.devices.load_state_dict({name: value for name, value in state.items() if not name.startswith(_BESIDE)})
        further = {n.removeprefix(_BESIDE): value for n, value in state.items() if n.startswith(_BESIDE)}
        if further:
            self.beside.load_state_dict(further)

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
    writes: WriteHardware | None = None,
) -> Chips:
    """Make the chips of a network.

    Args:
        specs: One a layer.
        sizes: Inputs of the first layer, then each layer's width.
        classes: Outputs of the head.
        seeds: One integer a chip; layer ``l`` of a chip has the seed ``derive_seed(seed, l)``.
        head: What the head is made of; a digital softmax layer if None.
        writes: As `fabricate_wired`.
    """
    return fabricate_wired(specs, chain(sizes, classes), seeds=seeds, head=head, writes=writes)


def chain(sizes: Sequence[int], classes: int) -> list[tuple[int, int]]:
    """Return inputs and outputs of a chain of layers, the head last."""
    below = [sizes[0], *map(heard, sizes[1:])]
    return list(zip(below, [*sizes[1:], classes], strict=True))


def fabricate_wired(
    specs: Sequence[LayerSpec],
    shapes: Sequence[tuple[int, int]],
    *,
    seeds: Sequence[int],
    head: LayerSpec | None = None,
    writes: WriteHardware | None = None,
    pooling: Sequence[Pooling | None] = (),
) -> Chips:
    """Make the chips of a network whose layers are as large as a rule wires them; see `Rule.layer_shapes`.

    Args:
        specs: One a layer.
        shapes: Inputs and outputs of each layer, and of the head.
        seeds: As `fabricate_chips`.
        head: As `fabricate_chips`.
        writes: What the rule's writes need beside each array of cells; nothing if None. The ``n``-th array of layer
            ``l`` has the seed ``derive_seed(seed, l, "array", n)``.
        pooling: Of each layer; none if empty.

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
    writes = writes or WriteHardware()
    beside = [
        [] if device.datasheet.readable_weights else _further_arrays(writes, layer, spec, shape, seeds)
        for layer, (device, (spec, shape)) in enumerate(zip(devices, layers, strict=True))
    ]
    if writes.significance is not None:
        devices = [Tiles([d, *own], writes.significance) if own else d for d, own in zip(devices, beside, strict=True)]
    return Chips(devices, len(seeds), beside, writes, pooling)


def _further_arrays(
    writes: WriteHardware, layer: int, spec: LayerSpec, shape: tuple[int, int], seeds: Sequence[int]
) -> list[Device]:
    """Make the further arrays of a layer."""
    own = [[derive_seed(seed, layer, "array", n) for seed in seeds] for n in range(2, 2 + writes.arrays)]
    devices = [fabricate(spec.model, *shape, seeds=each, parameters=spec.parameters) for each in own]
    return [device.array for device in devices]
