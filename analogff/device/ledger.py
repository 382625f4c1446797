"""What a chip was asked to do: the common currency of every comparison."""

import copy
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import torch

TRAINING, EVALUATION = "training", "evaluation"


@dataclasses.dataclass
class Count:
    """What one layer did; the same for every chip of a bank but for the pulses."""

    reads: int = 0
    """Input vectors through the device."""
    conversions: int = 0
    """DAC and ADC samples."""
    pulses: torch.Tensor | int = 0
    """Elementary write steps, ``(chips,)``."""
    writes: int = 0
    """Times that the layer was asked to change."""
    seconds: torch.Tensor | float = 0.0
    """Hardware time that it was made to wait; ``(chips,)`` where chips waited for times of their own."""

    def add_pulses(self, steps: torch.Tensor | int) -> None:
        """Count elementary steps, in place where that can be, so that a recorded step counts when it is replayed."""
        if _alike(self.pulses, steps):
            self.pulses += steps
        else:
            self.pulses = self.pulses + steps


def _alike(one: torch.Tensor | int, other: torch.Tensor | int) -> bool:
    if not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
        return False
    return (one.shape, one.dtype, one.device) == (other.shape, other.dtype, other.device)


class Ledger:
    """Counts by phase and layer.

    What is done to learn and what is done to find out how well it went are kept apart, since only the first
    is the price of a rule.

    Args:
        layers: Names of the layers.
    """

    def __init__(self, layers: list[str]):
        self.layers = list(layers)
        self.phase = TRAINING
        self._counts = {phase: {name: Count() for name in layers} for phase in (TRAINING, EVALUATION)}

    def __getitem__(self, layer: str) -> Count:
        """Return the running count of a layer in the present phase."""
        return self._counts[self.phase][layer]

    def of(self, layer: str, phase: str = TRAINING) -> Count:
        """Return the count of a layer in a phase."""
        return self._counts[phase][layer]

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Book everything inside under evaluation."""
        before, self.phase = self.phase, EVALUATION
        try:
            yield
        finally:
            self.phase = before

    def whole(self) -> dict[str, tuple[int, int, int]]:
        """Return the counts of the present phase that are the same for all chips."""
        return {name: (c.reads, c.conversions, c.writes) for name, c in self._counts[self.phase].items()}

    def set_whole(self, counts: dict[str, tuple[int, int, int]]) -> None:
        """Set what `whole` gave; for whoever records a step, which counts while nothing is done."""
        for name, (reads, conversions, writes) in counts.items():
            count = self._counts[self.phase][name]
            count.reads, count.conversions, count.writes = reads, conversions, writes

    def total(self, quantity: str, phase: str = TRAINING) -> int | torch.Tensor:
        """Sum a quantity (a field of `Count`) over the layers of a phase."""
        return sum(getattr(count, quantity) for count in self._counts[phase].values())

    def state_dict(self) -> dict:
        """Return everything as plain numbers and tensors."""
        return {
            phase: {name: copy.deepcopy(vars(count)) for name, count in layers.items()}
            for phase, layers in self._counts.items()
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore what `state_dict` gave."""
        for phase, layers in state.items():
            for name, fields in layers.items():
                self._counts[phase][name] = Count(**fields)
