"""The numbers of a chip and epoch. A new one is one field of `Epoch`; the results have a column for each."""

import dataclasses
from collections.abc import Callable

import numpy as np
import torch

from analogff.network import Chips
from analogff.training.pipeline_cost import PipelineCost
from analogff.training.spent import Spent


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the numbers of an epoch are taken from, right after both error rates were measured."""

    chips: Chips
    """With the ledger that counts what they did."""
    epoch: int
    """From 1."""
    test_error: np.ndarray
    """Percent, ``(chips,)``."""
    validation_error: np.ndarray
    """Percent, ``(chips,)``; NaN without validation images."""
    loss: torch.Tensor
    """Mean over the epoch, ``(chips,)``."""
    diverged: torch.Tensor
    """Whether learning failed so far, ``(chips,)``."""
    spent: Spent
    """Cost of training so far."""
    pipeline: PipelineCost
    """Cost of the same on a chip in full."""
    wall_seconds: float
    """Time that the simulation has taken so far."""
    stopped_by: str
    """The limit that ended the training; empty before its end."""

    def counted(self, quantity: str) -> np.ndarray:
        """Return a quantity that the ledger counted in training, ``(chips,)``."""
        total = torch.as_tensor(self.chips.ledger.total(quantity)).cpu().numpy()
        return np.broadcast_to(total, (self.chips.chips,)).astype(np.int64)


def number(kind: type, take: Callable[[Evaluation], np.ndarray]) -> np.ndarray:
    """Declare a number of each chip.

    Args:
        kind: ``float``, ``int`` or ``bool``: the type of its column in the results.
        take: Returns it for all chips, ``(chips,)``.
    """
    return dataclasses.field(metadata={"kind": kind, "take": take})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Epoch:
    """How each chip stands after an epoch; arrays are ``(chips,)``, counts are of training and cumulative."""

    epoch: int
    """From 1."""
    test_error: np.ndarray = number(float, lambda at: at.test_error)
    """Percent of the whole test set."""
    validation_error: np.ndarray = number(float, lambda at: at.validation_error)
    """Percent of the images held out of training; NaN without any."""
    train_loss: np.ndarray = number(float, lambda at: at.loss.cpu().numpy())
    """Mean over the epoch."""
    reads: np.ndarray = number(int, lambda at: at.counted("reads"))
    """Input vectors through devices."""
    conversions: np.ndarray = number(int, lambda at: at.counted("conversions"))
    """DAC and ADC samples."""
    pulses: np.ndarray = number(int, lambda at: at.counted("pulses"))
    """Elementary write steps."""
    device_seconds: np.ndarray = number(float, lambda at: at.spent.seconds)
    """Hardware time of training."""
    device_joules: np.ndarray = number(float, lambda at: at.spent.joules)
    """Energy of training, by the datasheets."""
    digital_macs: np.ndarray = number(float, lambda at: at.spent.system.digital_macs)
    """Multiply-accumulates in digital logic."""
    digital_bytes: np.ndarray = number(float, lambda at: at.spent.system.digital_bytes)
    """Bytes between memory and that logic."""
    kept_bytes: np.ndarray = number(float, lambda at: at.spent.system.kept_bytes)
    """Most memory that this logic needs at a time; not cumulative."""
    system_seconds: np.ndarray = number(float, lambda at: at.spent.system.seconds)
    """Time of training, digital work included."""
    system_joules: np.ndarray = number(float, lambda at: at.spent.system.joules.total)
    """Energy of training, digital work included: the sum of the following five."""
    chip_joules: np.ndarray = number(float, lambda at: at.spent.system.joules.chip)
    """Of arrays and neurons, in reads."""
    converter_joules: np.ndarray = number(float, lambda at: at.spent.system.joules.converters)
    """Of DACs and ADCs."""
    write_joules: np.ndarray = number(float, lambda at: at.spent.system.joules.writes)
    """Of pulses."""
    digital_joules: np.ndarray = number(float, lambda at: at.spent.system.joules.digital)
    """Of digital logic."""
    memory_joules: np.ndarray = number(float, lambda at: at.spent.system.joules.memory)
    """Of traffic between memory and that logic."""
    pipeline_seconds: np.ndarray = number(float, lambda at: at.pipeline.seconds)
    """Time of training on a chip in full, by its pipeline; NaN for rules that state no dataflow, as the following."""
    pipeline_joules: np.ndarray = number(float, lambda at: at.pipeline.joules)
    """Its energy."""
    samples_per_second: np.ndarray = number(float, lambda at: at.pipeline.samples_per_second)
    """Images that the pipeline learns from in a second; not cumulative."""
    array_utilization: np.ndarray = number(float, lambda at: at.pipeline.array_utilization)
    """Share of the pipeline's time in which arrays are in use, the mean over layers; not cumulative."""
    diverged: np.ndarray = number(bool, lambda at: at.diverged.cpu().numpy().copy())
    """Whether the loss became infinite, undefined or absurd in any epoch so far, or what a chip was asked for did."""
    wall_seconds: float
    """Time that the simulation has taken so far, evaluation included."""
    stopped_by: str
    """The limit that ended the training with this epoch: `epochs` or one of a budget; empty before its end."""

    def __str__(self) -> str:
        """Return the means over chips in a line."""
        mean = f", mean of {len(self.test_error)} chips" if len(self.test_error) > 1 else ""
        costs = f"{np.mean(self.reads):.3g} reads, {np.mean(self.system_joules):.3g} J"
        return f"epoch {self.epoch}: test error {np.mean(self.test_error):.2f} %, {costs}{mean}"

    @classmethod
    def of(cls, at: Evaluation) -> "Epoch":
        """Take every number."""
        taken = {name: field.metadata["take"](at) for name, field in _DECLARED.items()}
        return cls(epoch=at.epoch, wall_seconds=at.wall_seconds, stopped_by=at.stopped_by, **taken)


_DECLARED = {field.name: field for field in dataclasses.fields(Epoch) if field.metadata}
NUMBERS: dict[str, type] = {name: field.metadata["kind"] for name, field in _DECLARED.items()}
"""What every chip has its own number of, with its type, in the order of the columns."""
