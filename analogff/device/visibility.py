"""What a holder of a sealed device gets to see, by the level that it declared."""

import dataclasses
from typing import NoReturn

import torch

from analogff.device.datasheet import Datasheet
from analogff.device.errors import BlackBoxError
from analogff.device.observable import Observable
from analogff.device.protocol import Device

_VERBS = "measure(x, bias), probe(x, biases), pulse(change), program(weights), wait(seconds)"
_INSTEAD = {
    "weight": "pulse(change) to change weights, or program(weights) to set them; nothing reads them back",
    "bias": "measure(x, bias) to add at the summing node",
    "grad": "probe(x, (d/2, -d/2)) to measure a slope with two reads",
    "param": "pulse(change) with the change that your optimizer wants",
    "state": "a checkpoint (analogff.training.checkpoint), which only the engine that fabricated the chip can write",
    "module": "measure(x) to use it",
    "noise": "measure(x) several times to see it",
    "forward": "measure(x)",
}


def demand(level: Observable, needed: Observable, verb: str, layer: str) -> None:
    """Refuse a verb that shows more than the holder of a layer declared."""
    if level < needed:
        raise BlackBoxError(_too_little(level, needed, verb, layer))


def shown(sheet: Datasheet, level: Observable, name: str) -> Datasheet:
    """Return a datasheet whose curve only those can use who declared that they believe it."""
    if sheet.neuron is None or level >= Observable.TWIN:
        return sheet
    return dataclasses.replace(sheet, neuron=_Withheld(name, level))


@dataclasses.dataclass(frozen=True)
class _Withheld:
    """A printed curve in the hands of somebody who declared to do without."""

    layer: str
    level: Observable

    def __call__(self, a: torch.Tensor) -> NoReturn:
        raise BlackBoxError(_too_little(self.level, Observable.TWIN, "the printed neuron curve", self.layer))


def _too_little(level: Observable, needed: Observable, verb: str, layer: str) -> str:
    return (
        f"Expected a holder of {layer} that declared {needed.name}, which {verb} shows. Got one that declared "
        f"{level.name}. Declare it in the rule's `needs`, where a reader sees it."
    )


def require(device: Device, needed: Observable) -> str | None:
    """Say in a sentence why a device does not show what is needed, or None if it does."""
    sheet = device.datasheet
    if needed <= Observable.ACTIVITY:
        return None if sheet.observable >= needed else f"its datasheet shows {sheet.observable.name} at most"
    if sheet.observable < Observable.ACTIVITY:
        return f"its datasheet shows {sheet.observable.name} at most"
    if needed == Observable.PROBE and not sheet.bias_port:
        return "its datasheet has no bias port"
    if needed == Observable.TWIN and sheet.neuron is None:
        return "its datasheet prints no neuron curve (Datasheet.neuron) for a twin to believe"
    if needed == Observable.ORACLE and not device.knows_truth():
        return "it does not override Device.oracle, so nobody knows its true derivative"
    return None


def not_shown(attribute: str, layer: str) -> str:
    """Return a sentence on an attribute that a chip does not show, with the verb to use instead."""
    instead = next((verb for part, verb in _INSTEAD.items() if part in attribute.lower()), _VERBS)
    return f"Expected a verb of the contract on {layer}. Got .{attribute}, which a chip does not show. Use {instead}."
