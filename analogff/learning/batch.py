"""What is known of a batch while it passes the layers."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import torch

Phase = Literal["wake", "sleep"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """Conditions under which layers hear a batch and learn from it; each is of use to some rules only."""

    labels: torch.Tensor | None = None
    """The true labels, ``(batch,)``."""
    phase: Phase | None = None
    """Which kind its inputs are: all positive (wake), all negative (sleep), or the positive ones first (None)."""
    masks: Sequence[torch.Tensor | None] = ()
    """Factors on the inputs of each layer, ``(images, n_in)``; None or nothing where all lines are heard."""
    rows: torch.Tensor | None = None
    """What every layer after the first hears of the labels, ``(chips or 1, batch, classes)``."""
    kinds: int = 1
    """Kinds of inputs, which follow each other, equally many of each: positive ones, and negatives of each."""

    def mask(self, layer: int) -> torch.Tensor | None:
        """Return the factors on the inputs of a layer; None where all lines are heard."""
        return self.masks[layer] if self.masks else None

    def apart(self) -> list["Batch"]:
        """Return what is known of each kind alone."""
        rows = [None] * self.kinds if self.rows is None else self.rows.chunk(self.kinds, dim=1)
        return [dataclasses.replace(self, rows=own, kinds=1) for own in rows]


EVALUATION = Batch()
"""Of a batch that nobody learns from, nothing is known."""
