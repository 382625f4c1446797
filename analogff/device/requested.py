"""A digital register of what a layer's weights were asked to be."""

import torch


class Requested:
    """What was asked of the weights of one layer: absolute weights, if they were ever programmed, or changes.

    It costs memory traffic at each write: both, the change and the register, are read, and the register is written.
    """

    def __init__(self):
        self.weights: torch.Tensor | None = None
        """The sum, ``(chips, n_out, n_in)``; None before the first write."""
        self.absolute = False
        """Whether the sum is of the weights, and not of changes from unknown ones."""

    def add(self, change: torch.Tensor) -> tuple[float, float]:
        """Add a change, and return the digital work for each chip: multiply-accumulates, and bytes moved."""
        self.weights = change.clone() if self.weights is None else self.weights.add_(change)
        numbers = float(change[0].numel())
        return numbers, 12 * numbers

    def set(self, weights: torch.Tensor) -> tuple[float, float]:
        """Take absolute weights, and return the digital work for each chip."""
        self.weights, self.absolute = weights.clone(), True
        return 0.0, 8.0 * weights[0].numel()

    def state_dict(self) -> dict:
        """Return everything as tensors and plain data."""
        return {"weights": self.weights, "absolute": self.absolute}

    def load_state_dict(self, state: dict) -> None:
        """Restore what `state_dict` gave."""
        weights = state["weights"]
        self.weights, self.absolute = None if weights is None else weights.clone(), state["absolute"]
