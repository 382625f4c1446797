"""What a chip was asked to do: the common currency of every comparison."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

TRAINING, EVALUATION = "training", "evaluation"
_WHOLE = ("reads", "conversions", "macs", "moved_bytes")
"""Quantities that are one number for all chips of a bank."""


@dataclasses.dataclass(frozen=True)
class Count:
    """What one layer did; one number for all chips of a bank, or a tensor ``(chips,)`` where they differ."""

    reads: int = 0
    """Reads of the device: one for each input vector, or `Datasheet.reads_per_vector`."""
    mean_squares: torch.Tensor | float = 0.0
    """Mean square of each input vector within the printed range, weighted by `Datasheet.line_loads` and summed over the
    reads; 0 where it costs nothing."""
    conversions: int = 0
    """DAC and ADC samples."""
    pulses: torch.Tensor | int = 0
    """Elementary write steps."""
    train_pulses: torch.Tensor | int = 0
    """Those of them that fell together in pulse trains, which all cells hear at once."""
    train_slots: int = 0
    """Slots of pulse trains; each lasts as long as a pulse."""
    writes: torch.Tensor | int = 0
    """Times that the layer was asked to change; a change of zero is none."""
    seconds: torch.Tensor | float = 0.0
    """Hardware time that it was made to wait."""
    macs: float = 0.0
    """Multiply-accumulates in digital logic beside it; see `analogff.system`."""
    moved_bytes: float = 0.0
    """Bytes moved between memory and that logic."""


class Ledger:
    """Counts by phase and layer; what the engine holds, and a rule sees by `view` only.

    What is done to learn and what is done to find out how well it went are kept apart, since only the first
    is the price of a rule.

    Args:
        layers: Names of the layers.
    """

    def __init__(self, layers: list[str]):
        self.layers = list(layers)
        self.phase = TRAINING
        self.diverged: torch.Tensor | None = None
        """Chips that were handed a number that is not finite, ``(chips,)``; None where that is refused."""
        self._counts = {phase: {name: Count() for name in layers} for phase in (TRAINING, EVALUATION)}

    def __getitem__(self, layer: str) -> Count:
        """Return the count of a layer in the present phase."""
        return self.of(layer, self.phase)

    def of(self, layer: str, phase: str = TRAINING) -> Count:
        """Return a copy of the count of a layer in a phase."""
        return Count(**_copied(self._counts[phase][layer]))

    def add(self, layer: str, **counted: Any) -> None:
        """Book more of some quantities (fields of `Count`) in the present phase."""
        count = self._counts[self.phase][layer]
        more = {quantity: _sum(getattr(count, quantity), value) for quantity, value in counted.items()}
        self._counts[self.phase][layer] = dataclasses.replace(count, **more)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Book everything inside under evaluation."""
        before, self.phase = self.phase, EVALUATION
        try:
            yield
        finally:
            self.phase = before

    def whole(self) -> dict[str, tuple[float, ...]]:
        """Return the counts of the present phase that are the same for all chips."""
        present = self._counts[self.phase].items()
        return {name: tuple(getattr(count, quantity) for quantity in _WHOLE) for name, count in present}

    def set_whole(self, counts: dict[str, tuple[float, ...]]) -> None:
        """Set what `whole` gave; for whoever records a step, which counts while nothing is done."""
        present = self._counts[self.phase]
        for name, counted in counts.items():
            present[name] = dataclasses.replace(present[name], **dict(zip(_WHOLE, counted, strict=True)))

    def record_divergence(self, chips: int, device: torch.device) -> None:
        """Have non-finite signals recorded in `diverged` from now on, and not refused: they are how learning ended."""
        if self.diverged is None:
            self.diverged = torch.zeros(chips, dtype=torch.bool, device=device)

    def total(self, quantity: str, phase: str = TRAINING) -> int | torch.Tensor:
        """Sum a quantity (a field of `Count`) over the layers of a phase."""
        return sum(getattr(count, quantity) for count in self._counts[phase].values())

    def view(self) -> "LedgerView":
        """Return what a rule may see of it."""
        return LedgerView(self)

    def state_dict(self) -> dict:
        """Return everything as plain numbers and tensors."""
        counts = {phase: {name: _copied(c) for name, c in layers.items()} for phase, layers in self._counts.items()}
        return {"counts": counts, "diverged": None if self.diverged is None else self.diverged.clone()}

    def load_state_dict(self, state: dict) -> None:
        """Restore what `state_dict` gave."""
        self.diverged = None if state["diverged"] is None else state["diverged"].clone()
        for phase, layers in state["counts"].items():
            for name, fields in layers.items():
                self._counts[phase][name] = Count(**_copied(Count(**fields)))


class LedgerView:
    """A ledger to read: what a rule may know of its price, and cannot change.

    Args:
        ledger: Whose counts to show.
    """

    __slots__ = ("__ledger",)

    def __init__(self, ledger: Ledger):
        self.__ledger = ledger

    def __getitem__(self, layer: str) -> Count:
        """Return a copy of the count of a layer in the present phase."""
        return self.__ledger[layer]

    def of(self, layer: str, phase: str = TRAINING) -> Count:
        """Return a copy of the count of a layer in a phase."""
        return self.__ledger.of(layer, phase)

    def total(self, quantity: str, phase: str = TRAINING) -> int | torch.Tensor:
        """Sum a quantity (a field of `Count`) over the layers of a phase."""
        return self.__ledger.total(quantity, phase)


def _sum(counted: Any, more: Any) -> Any:
    """Return a sum, in place where that can be, so that a recorded step counts whenever it is replayed."""
    if isinstance(counted, torch.Tensor) and isinstance(more, torch.Tensor):
        if (counted.shape, counted.dtype, counted.device) == (more.shape, more.dtype, more.device):
            return counted.add_(more)
    return counted + more


def _copied(count: Count) -> dict[str, Any]:
    """Return the fields, with tensors of their own, so that no holder shares memory with the ledger."""
    return {name: v.clone() if isinstance(v, torch.Tensor) else v for name, v in vars(count).items()}
