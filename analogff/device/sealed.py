"""The box around a device: all that a learner ever holds."""

from collections.abc import Sequence
from typing import Any, NoReturn

import torch

from analogff.device.admission import (
    check_answer,
    check_error,
    check_matrices,
    check_read,
    check_seconds,
    check_steps,
    check_trains,
    check_work,
)
from analogff.device.backward_guard import without_backward
from analogff.device.bank import Bank
from analogff.device.datasheet import Datasheet, PerChip, column_of
from analogff.device.errors import BlackBoxError
from analogff.device.ledger import Ledger, LedgerView
from analogff.device.numerics.coincidences import coincidences
from analogff.device.numerics.counting import cells_asked, mean_squares
from analogff.device.numerics.finite import numbers_only, parts_of
from analogff.device.observable import Observable
from analogff.device.output_scale import OutputScale
from analogff.device.owned import Owner
from analogff.device.protocol import Device, Truth
from analogff.device.requested import Requested
from analogff.device.shared_inputs import SharedInputs, whole
from analogff.device.visibility import demand, not_shown, shown


class Sealed:
    """A device behind a wall: the contract's verbs, outputs of the holder's own, checked numbers, everything counted.

    What is handed in must be finite. Where it is not the call is refused, unless the ledger records divergence, as it
    does once `train` has begun: then the chip's signal is set to 0, the chip is marked in `Ledger.diverged`, and all
    that it answers from there on is NaN. Its neighbors in the bank go on. On a GPU, which the look would hold up, only
    writes are looked at, only to be recorded, and answers are left as they are.

    Args:
        device: The device; one chip is taken as a bank of one.
        chips: How many chips it holds.
        level: What the holder declared it must see; more than that is refused.
        name: The layer's name in messages and in the ledger.
        ledger: Where to count; a new one if none is given. The holder sees a view of it.
        requested: A register of what is asked of the weights, if the engine wants to copy them; its work counts.
        scale: A digital scale behind the converters, which the engine sets; its work counts.
    """

    __slots__ = (
        "__book",
        "__device",
        "__loads",
        "__owner",
        "__requested",
        "__scale",
        "__signals",
        "chips",
        "datasheet",
        "ledger",
    )
    __slots__ += ("level", "name", "torch_device")
    chips: int
    datasheet: Datasheet
    """As printed; without TWIN, its neuron curve is there but refuses to be used."""
    ledger: LedgerView
    level: Observable
    name: str
    torch_device: torch.device

    def __init__(
        self,
        device: Device,
        *,
        chips: int,
        level: Observable = Observable.ACTIVITY,
        name: str = "layer 1",
        ledger: Ledger | None = None,
        requested: Requested | None = None,
        scale: OutputScale | None = None,
    ):
        book, loads = ledger or Ledger([name]), device.datasheet.line_loads
        place = next((buffer.device for buffer in device.buffers()), torch.device("cpu"))
        held = {
            "_Sealed__device": device if device.banked else Bank([device]),
            "_Sealed__book": book,
            "_Sealed__owner": Owner(),
            "_Sealed__requested": requested,
            "_Sealed__scale": scale or OutputScale(),
            "_Sealed__signals": bool((torch.as_tensor(device.datasheet.signal_joules) > 0).any()),
            "_Sealed__loads": None if loads is None else loads.to(place, torch.float32),
            "torch_device": place,
            "chips": chips,
            "datasheet": shown(device.datasheet, level, name),
            "level": level,
            "name": name,
            "ledger": book.view(),
        }
        for attribute, value in held.items():
            object.__setattr__(self, attribute, value)

    def __getattr__(self, attribute: str) -> NoReturn:
        if attribute.startswith("__"):  # Python asks whether a protocol is there
            raise AttributeError(attribute)
        name = object.__getattribute__(self, "name")
        raise BlackBoxError(not_shown(attribute, name))

    def __setattr__(self, attribute: str, value: Any) -> NoReturn:
        raise BlackBoxError(
            f"Expected {self.name} to stay as it was sealed. Got {attribute} = {value!r}. Declare what a rule must see "
            "in its `needs`, and keep what it remembers in the rule."
        )

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise BlackBoxError(
            f"Expected {self.name} to stay on its bench. Got a copy or a pickle of it, which would hold its weights. "
            "Save a checkpoint (analogff.training.checkpoint) of the chips that the engine holds, and fabricate them "
            "again."
        )

    def __repr__(self) -> str:
        sheet = self.datasheet
        return f"Sealed({self.name}: {sheet.n_in} -> {sheet.n_out}, {self.chips} chips)"

    def measure(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Read every neuron's output; see `Device.measure`. A bias is a probe.

        Shapes:
            ``x``: ``(chips, batch, n_in)``, written out or `SharedInputs`; returns ``(chips, batch, n_out)``, to
            which the bias must broadcast.

        Raises:
            BlackBoxError: If the holder declared that it needs to see less.
            ContractError: If a shape is wrong or a number not finite, or the device answers out of contract.
        """
        self.demand(Observable.ACTIVITY if bias is None else Observable.PROBE, "measure")
        return self._transmit(x, bias)

    def probe(self, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Read as `measure` does, once for each of several biases, one after the other.

        Raises:
            BlackBoxError: As `measure`.
            ContractError: As `measure`.
        """
        self.demand(Observable.PROBE, "probe")
        biases = tuple(biases)
        tracked = self._admit(x, biases)
        x, *biases = self._finite(x, biases)
        with torch.no_grad():
            answers = [y.detach() for y in self.__device.measure_biased(x, biases)]
        self._charge(x, len(answers))
        return [self._note(x, y, tracked) for y in answers]

    def _transmit(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Pass a signal on without showing it; for the network that carries it to the next layer."""
        biases = () if bias is None else (bias,)
        tracked = self._admit(x, biases)
        x, *biases = self._finite(x, biases)
        with torch.no_grad():
            y = self.__device(x, *biases)
        self._charge(x, 1)
        return self._note(x, y, tracked)

    def pulse(self, change: torch.Tensor) -> None:
        """Ask for a change of the weights, ``(chips, *weight_shape)`` of the datasheet; see `Device.pulse`."""
        change, steps = self._write(self.__device.pulse, change)
        asked = cells_asked(change)
        self.__book.add(self.name, pulses=asked if steps is None else steps, writes=(asked > 0).long())
        if self.__requested is not None:
            self.compute(*self.__requested.add(change))

    def pulse_trains(self, rows: torch.Tensor, columns: torch.Tensor, slots: int) -> None:
        """Fire trains of pulses at the lines, ``(chips, vectors, n_in)`` and ``n_out``; see `Device.pulse_trains`.

        Args:
            rows: When input lines fire.
            columns: When output lines fire.
            slots: Length of a train.

        Raises:
            ContractError: If they are out of contract, or the device takes no pulses of a size.
        """
        check_trains(rows, columns, (self.chips, *self.datasheet.weight_shape), slots, self.name)
        with torch.no_grad():
            steps = self.__device.pulse_trains(rows, columns)
        check_steps(steps, self.chips, self.name)
        fired = {"pulses": steps, "train_pulses": steps, "train_slots": slots * rows.shape[1]}
        self.__book.add(self.name, **fired, writes=(steps > 0).long())
        if self.__requested is not None:
            counts = sum(coincidences(rows[:, v], columns[:, v]) for v in range(rows.shape[1]))
            self.compute(*self.__requested.add(counts * column_of(self.datasheet.change_step)))

    def program(self, weights: torch.Tensor) -> None:
        """Ask for absolute weights, ``(chips, n_out, n_in)``; see `Device.program`."""
        weights, steps = self._write(self.__device.program, weights)
        self.__book.add(self.name, pulses=weights[0].numel() if steps is None else steps, writes=1)
        if self.__requested is not None:
            self.compute(*self.__requested.set(weights))

    def wait(self, seconds: PerChip) -> None:
        """Let hardware time pass, for each chip its own if ``(chips,)``; see `Device.wait`."""
        check_seconds(seconds, self.chips, self.name)
        self.__device.wait(seconds)
        self.__book.add(self.name, seconds=seconds)

    def compute(self, macs: float, moved_bytes: float) -> None:
        """Book digital work that the holder does beside this layer for each chip; see `analogff.system.work`.

        Raises:
            ContractError: If a number is negative or not finite.
        """
        check_work(macs, moved_bytes, self.name)
        self.__book.add(self.name, macs=macs, moved_bytes=moved_bytes)

    def oracle(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None = None) -> Truth:
        """Return the simulator's truth to a holder that declared ORACLE; see `Device.oracle`."""
        self.demand(Observable.ORACLE, "oracle")
        biases = () if bias is None else (bias,)
        tracked = self._admit(x, biases)
        x, *biases = self._finite(x, biases)
        with torch.no_grad():
            slope, weights = (part.detach() for part in self.__device.oracle(whole(x), *biases))
        return Truth(self._guarded(self.__scale.of(self.__owner.own(slope)), tracked), self.__owner.own(weights))

    def pullback(self, x: torch.Tensor, error: torch.Tensor) -> torch.Tensor | None:
        """Return errors of the weighted sums to a holder that declared ORACLE; see `Device.pullback`.

        An error that is not finite is passed on, and shows where it is written.
        """
        self.demand(Observable.ORACLE, "pullback")
        self._admit(x, ())
        check_error(error, (self.chips, x.shape[1], self.datasheet.n_out), self.name)
        (x,) = self._finite(x, ())
        with torch.no_grad():
            pulled = self.__device.pullback(x, self.__scale.of(error))
        return None if pulled is None else self.__owner.own(pulled.detach())

    def demand(self, needed: Observable, verb: str) -> None:
        """Refuse a verb that shows more than the holder declared."""
        demand(self.level, needed, verb, self.name)

    def _write(self, verb, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Write; return what was asked for, and the steps that the device spent, or None if it does not count."""
        check_matrices(values, (self.chips, *self.datasheet.weight_shape), verb.__name__, self.name)
        values = self._finite_signals(values, f"the matrix to {verb.__name__}")
        with torch.no_grad():
            steps = verb(values)
        if steps is not None:
            check_steps(steps, self.chips, self.name)
        return values, steps

    def _admit(self, x: torch.Tensor | SharedInputs, biases: tuple[torch.Tensor, ...]) -> bool:
        """Refuse what is no read; tell whether a gradient would have to pass through it."""
        return check_read(x, biases, self.chips, self.datasheet, self.name)

    def _finite(self, x: torch.Tensor | SharedInputs, biases: tuple[torch.Tensor, ...]) -> list[Any]:
        """Return inputs and biases, of which those to chips that diverged are 0."""
        if self.torch_device.type != "cpu":
            return [x, *biases]
        return [self._finite_signals(x, "inputs"), *(self._finite_signals(bias, "a bias") for bias in biases)]

    def _finite_signals(self, signals: Any, what: str) -> Any:
        return numbers_only(signals, self.__book.diverged, self.chips, what, self.name)

    def _charge(self, x: torch.Tensor | SharedInputs, times: int) -> None:
        """Book what lines carried so many times, where that costs energy."""
        sheet = self.datasheet
        if self.__signals:
            squares = mean_squares(x, sheet.clipped, self.__loads)
            self.__book.add(self.name, mean_squares=times * sheet.reads_per_vector * squares)

    def _note(self, x: torch.Tensor | SharedInputs, y: torch.Tensor, tracked: bool) -> torch.Tensor:
        """Count the reads of each input, and return what the holder gets."""
        batch, sheet = x.shape[1], self.datasheet
        check_answer(y, (self.chips, batch, sheet.n_out), parts_of(x)[0], self.name)
        reads = batch * sheet.reads_per_vector
        self.__book.add(self.name, reads=reads, conversions=reads * sum(sheet.conversions))
        y, diverged = self.__scale.of(self.__owner.own(y)), self.__book.diverged
        if self.__scale.factor is not None:
            self.compute(batch * sheet.n_out, 8.0 * batch * sheet.n_out)
        if diverged is not None and diverged.device.type == "cpu" and diverged.any():
            y = y.masked_fill(diverged.view(-1, 1, 1), torch.nan)
        return self._guarded(y, tracked)

    def _guarded(self, y: torch.Tensor, tracked: bool) -> torch.Tensor:
        """Let a gradient that arrives here be refused, and not lost."""
        return without_backward(y, type(self.__device).__name__) if tracked else y
