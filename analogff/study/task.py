"""The unit of work: runs that share a bank, as plain data."""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from analogff.network import layer_text
from analogff.study.case import Case, DeviceChoice


@dataclasses.dataclass(frozen=True)
class Run:
    """One chip that learns once: the unit of results and of resuming."""

    key: str
    """Hash of everything that decides the run's numbers."""
    case: Case
    """The point and the rule."""
    chip: int
    """Chip seed."""
    seed: int
    """Learning seed."""
    origin: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    """Fingerprints of the code and data behind its numbers; part of the key."""
    trained_as: str = dataclasses.field(default="", repr=False)
    """What it has in common with runs of the study that differ in events alone; empty if there are none."""

    def __str__(self) -> str:
        swept = "".join(f", {path} = {column_value(v)}" for path, v in self.case.values.items() if v is not None)
        control = f", {self.case.control}" if self.case.control else ""
        return f"{self.case.shown.label or self.case.shown.name}{control}{swept}, chip {self.chip}, seed {self.seed}"


@dataclasses.dataclass(frozen=True)
class Task:
    """Runs that differ only in chips and in per-chip parameters."""

    runs: tuple[Run, ...]
    """One for each chip of the bank."""
    folder: str
    """The study file's folder, base of relative paths."""
    kept: str = ""
    """Folder of its checkpoints, on machines that have it; empty for none."""

    @property
    def training(self) -> str:
        """Hash of its training, for tasks that differ from it in events alone; empty if there are none."""
        parts = [run.trained_as for run in self.runs]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16] if all(parts) else ""

    @property
    def key(self) -> str:
        """Hash of the keys of its runs, independent of their order."""
        return key_of(run.key for run in self.runs)


def key_of(runs: Iterable[str]) -> str:
    """Return the key of a task from those of its runs."""
    return hashlib.sha256("".join(sorted(runs)).encode()).hexdigest()[:16]


def bank_parameters(choices: Sequence[DeviceChoice]) -> dict[str, Any]:
    """Return the constructor arguments of a bank with one chip for each choice.

    A per-chip parameter is always a tensor, even for one chip and for equal numbers. So a chip has the same arithmetic
    in every bank.
    """
    first = choices[0]
    return first.parameters | {name: _stack([c.parameters[name] for c in choices]) for name in first.per_chip}


def column_value(value: Any) -> Any:
    """Return a swept value as a cell of a table: plain values unchanged, others in words.

    Example:
        >>> column_value([{"conv": 8, "pool": 2}, 500]), column_value({"model": "unknown", "mismatch": 0.1})
        ('8C3-MP2-500', 'unknown, mismatch = 0.1')
    """
    if isinstance(value, dict) and {"conv", "dense"} & value.keys():
        return layer_text(value)
    if isinstance(value, dict):
        rest = [f"{key} = {column_value(v)}" for key, v in value.items() if key != "model"]
        return ", ".join([str(value["model"])] * ("model" in value) + rest)
    if isinstance(value, (list, tuple)):
        return "-".join(str(column_value(part)) for part in value)
    return value


def _stack(values: list[int] | list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int64 if isinstance(values[0], int) else torch.float32)
