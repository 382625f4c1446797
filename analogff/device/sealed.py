"""The box around a device: all that a learner ever holds."""

from collections.abc import Sequence
from typing import NoReturn

import torch

from analogff.device.bank import Bank
from analogff.device.counting import cells_asked
from analogff.device.datasheet import Datasheet, PerChip
from analogff.device.errors import BlackBoxError, ContractError
from analogff.device.ledger import Ledger
from analogff.device.marked import Marked, whole
from analogff.device.observable import Observable
from analogff.device.owned import Owner
from analogff.device.protocol import Device, Truth

_VERBS = "measure(x, bias), probe(x, biases), pulse(change), program(weights), wait(seconds)"
_INSTEAD = {
    "weight": "pulse(change) to change weights, or program(weights) to set them; nothing reads them back",
    "bias": "measure(x, bias) to add at the summing node",
    "grad": "probe(x, (d/2, -d/2)) to measure a slope with two reads",
    "param": "pulse(change) with the change that your optimiser wants",
    "state": "a checkpoint (analogff.checkpoint), which only the engine that fabricated the chip can write",
    "module": "measure(x) to use it",
    "noise": "measure(x) several times to see it",
    "forward": "measure(x)",
}


class Sealed:
    """A device behind a wall: the contract's verbs, outputs of the holder's own, checked shapes, everything counted.

    Args:
        device: The device; one chip is taken as a bank of one.
        chips: How many chips it holds.
        level: What the holder declared it must see; more than that is refused.
        name: The layer's name in messages and in the ledger.
        ledger: Where to count; a new one if none is given.
    """

    __slots__ = ("__device", "__fresh", "__owner", "chips", "datasheet", "ledger", "level", "name", "torch_device")

    def __init__(
        self,
        device: Device,
        *,
        chips: int,
        level: Observable = Observable.ACTIVITY,
        name: str = "layer 1",
        ledger: Ledger | None = None,
    ):
        self.__device = device if device.banked else Bank([device])
        self.__fresh = True
        self.__owner = Owner()
        self.torch_device = next((buffer.device for buffer in device.buffers()), torch.device("cpu"))
        self.chips = chips
        self.datasheet: Datasheet = device.datasheet
        self.level = level
        self.name = name
        self.ledger = ledger or Ledger([name])

    def __getattr__(self, attribute: str) -> NoReturn:
        instead = next((verb for part, verb in _INSTEAD.items() if part in attribute.lower()), _VERBS)
        raise BlackBoxError(
            f"Expected a verb of the contract on {self.name}. Got .{attribute}, which a chip does not show. "
            f"Use {instead}."
        )

    def __repr__(self) -> str:
        sheet = self.datasheet
        return f"Sealed({self.name}: {sheet.n_in} -> {sheet.n_out}, {self.chips} chips)"

    def measure(self, x: torch.Tensor | Marked, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Read every neuron's output; see `Device.measure`. A bias is a probe.

        Shapes:
            ``x``: ``(chips, batch, n_in)``, written out or `Marked`; returns ``(chips, batch, n_out)``.

        Raises:
            BlackBoxError: If the holder declared that it needs to see less.
            ContractError: If a shape is wrong, or the device answers out of contract.
        """
        self.demand(Observable.ACTIVITY if bias is None else Observable.PROBE, "measure")
        return self._transmit(x, bias)

    def probe(self, x: torch.Tensor | Marked, biases: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Read as `measure` does, once for each of several biases, one after the other.

        Raises:
            BlackBoxError: As `measure`.
            ContractError: As `measure`.
        """
        self.demand(Observable.PROBE, "probe")
        self._check(x)
        self._check_port()
        with torch.no_grad():
            answers = [y.detach() for y in self.__device.measure_biased(x, biases)]
        for y in answers:
            self._note(x, y)
        return [self.__owner.own(y) for y in answers]

    def _transmit(self, x: torch.Tensor | Marked, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Pass a signal on without showing it; for the network that carries it to the next layer."""
        self._check(x)
        if bias is not None:
            self._check_port()
        if isinstance(x, torch.Tensor) and torch.is_grad_enabled() and x.requires_grad:
            y = self.__device(x, bias)  # a gradient that arrives here must be refused, not lost
        else:
            with torch.no_grad():
                y = self.__device(x, bias)
        self._note(x, y)
        return self.__owner.own(y)

    def pulse(self, change: torch.Tensor) -> None:
        """Ask for a change of the weights, ``(chips, n_out, n_in)``; see `Device.pulse`."""
        self._write(self.__device.pulse, change)

    def program(self, weights: torch.Tensor) -> None:
        """Ask for absolute weights, ``(chips, n_out, n_in)``; see `Device.program`."""
        self._write(self.__device.program, weights)

    def wait(self, seconds: PerChip) -> None:
        """Let hardware time pass, for each chip its own if ``(chips,)``; see `Device.wait`."""
        self.__device.wait(seconds)
        count = self.ledger[self.name]
        count.seconds = count.seconds + seconds

    def oracle(self, x: torch.Tensor | Marked, bias: torch.Tensor | None = None) -> Truth:
        """Return the simulator's truth to a holder that declared ORACLE; see `Device.oracle`."""
        self.demand(Observable.ORACLE, "oracle")
        with torch.no_grad():
            slope, weights = (part.detach() for part in self.__device.oracle(whole(x), bias))
            return Truth(self.__owner.own(slope), self.__owner.own(weights))

    def demand(self, needed: Observable, verb: str) -> None:
        """Refuse a verb that shows more than the holder declared."""
        if self.level < needed:
            raise BlackBoxError(
                f"Expected a holder of {self.name} that declared {needed.name}, which {verb} shows. Got one that "
                f"declared {self.level.name}. Declare it in the rule's `needs`, where a reader sees it."
            )

    def _write(self, verb, values: torch.Tensor) -> None:
        wanted = (self.chips, self.datasheet.n_out, self.datasheet.n_in)
        if tuple(values.shape) != wanted:
            raise ContractError(
                f"Expected {verb.__name__} on {self.name} with shape (chips, n_out, n_in) = {wanted}. Got "
                f"{tuple(values.shape)}. Give one matrix for each chip."
            )
        with torch.no_grad():
            steps = verb(values)
        count = self.ledger[self.name]
        count.add_pulses(cells_asked(values) if steps is None else steps)
        count.writes += 1

    def _check(self, x: torch.Tensor | Marked) -> None:
        if len(x.shape) != 3 or x.shape[0] != self.chips or x.shape[2] != self.datasheet.n_in:
            raise ContractError(
                f"Expected inputs to {self.name} of shape (chips, batch, n_in) = ({self.chips}, batch, "
                f"{self.datasheet.n_in}). Got {tuple(x.shape)}. Expand one batch with "
                "x.expand(chips, -1, -1) to show it to every chip."
            )

    def _check_port(self) -> None:
        if not self.datasheet.bias_port:
            raise ContractError(
                f"Expected {self.name} to have a bias port. Got a datasheet without one. Measure without bias, or "
                "set bias_port in its datasheet."
            )

    def _note(self, x: torch.Tensor | Marked, y: torch.Tensor) -> None:
        """Count a read of each input."""
        if self.__fresh:
            self._check_answer(x.shared if isinstance(x, Marked) else x, x.shape[1], y)
        count = self.ledger[self.name]
        count.reads += x.shape[1]
        count.conversions += x.shape[1] * sum(self.datasheet.conversions)

    def _check_answer(self, x: torch.Tensor, batch: int, y: torch.Tensor) -> None:
        """Hold the device to its contract, once."""
        wanted = (self.chips, batch, self.datasheet.n_out)
        if tuple(y.shape) != wanted or y.dtype != x.dtype or y.device != x.device:
            raise ContractError(
                f"Expected the device of {self.name} to answer with shape {wanted}, {x.dtype} on {x.device}. Got "
                f"{tuple(y.shape)}, {y.dtype} on {y.device}. Mend its measure; `analogff check` says more."
            )
        self.__fresh = False


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
