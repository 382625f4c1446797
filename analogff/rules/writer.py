"""From a gradient to pulses, by way of an optimiser that never sees a weight."""

from typing import Any

import torch

from analogff.device import Marked, Sealed, outer
from analogff.rules.adam import Adam


class Writer:
    """An optimiser for weights that nobody can read.

    Args:
        layer: Where to write.
        rate: Learning rate of Adam.
        weight_cost: What share of all changes asked so far is taken back at each step, over the rate.

    Reference:
        Decay apart from the gradient's moments: Loshchilov & Hutter, AdamW (arXiv 1711.05101), algorithm 2; here
        of the changes, since nobody knows the weights that a chip was born with.
    """

    def __init__(self, layer: Sealed, rate: float, weight_cost: float = 0.0):
        sheet = layer.datasheet
        self.layer = layer
        self.rate = rate
        self.weight_cost = weight_cost
        self._shape = (layer.chips, sheet.n_out, sheet.n_in)
        self._fade = 1.0
        self.share: torch.Tensor | None = None
        """Of the rate that each chip takes, ``(chips, 1, 1)``; None for all of it."""
        self._adam: Adam | None = None
        self._gradient: torch.Tensor | None = None
        self._asked: torch.Tensor | None = None
        self._saved: dict[str, Any] = {}

    def descend(self, errors: torch.Tensor, x: torch.Tensor | Marked) -> torch.Tensor:
        """Ask the chip for one optimiser step down ``sum_b e_bj x_bi``; see `outer`.

        Returns:
            The change that was asked for; valid until the next step.
        """
        change = self.wanted(errors, x)
        self.layer.pulse(change)
        return change

    def wanted(self, errors: torch.Tensor, x: torch.Tensor | Marked) -> torch.Tensor:
        """Return the change that `descend` asks for, without asking for it."""
        if self._gradient is None:
            self._gradient = errors.new_empty(self._shape)
        return self._step(outer(errors, x, self._gradient))

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        """Ask the chip for one optimiser step down a gradient, ``(chips, n_out, n_in)``; see `descend`."""
        change = self._step(gradient)
        self.layer.pulse(change)
        return change

    def fade(self, factor: float) -> None:
        """Scale the learning rate."""
        self._fade = factor

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's memory."""
        if self._adam is None:
            return {}
        return {"adam": self._adam.state_dict()} | ({} if self._asked is None else {"asked": self._asked})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave, when the first gradient comes."""
        self._saved, self._adam = state, None

    def _step(self, gradient: torch.Tensor) -> torch.Tensor:
        if self._adam is None:
            self._adam = self._prepare(gradient.device)
        rate = self.rate * self._fade
        change = self._adam.step(gradient, rate)
        if self._asked is not None:
            change.sub_(self._asked, alpha=rate * self.weight_cost)
        if self.share is not None:
            change.mul_(self.share)
        if self._asked is not None:
            self._asked.add_(change)
        return change

    def _prepare(self, device: torch.device) -> Adam:
        """Make the memory where the gradients live."""
        adam = Adam(self._shape, device)
        if self.weight_cost:
            self._asked = torch.zeros(self._shape, device=device)
        if self._saved:
            adam.load_state_dict(self._saved["adam"])
        if "asked" in self._saved and self._asked is not None:
            self._asked.copy_(self._saved["asked"])
        return adam
