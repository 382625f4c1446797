"""A digital scale behind the converters of a layer."""

import torch


class OutputScale:
    """A factor on the outputs of one layer, which corrects a gain that its cells have lost with time."""

    def __init__(self):
        self.factor: torch.Tensor | None = None
        """``(chips, 1, 1)``; None before there is anything to correct."""

    def of(self, y: torch.Tensor) -> torch.Tensor:
        """Scale outputs, or slopes of them, ``(chips, batch, n_out)``."""
        return y if self.factor is None else y * self.factor

    def correct(self, ratio: torch.Tensor) -> None:
        """Multiply the factor by a ratio, ``(chips,)``."""
        more = ratio.view(-1, 1, 1)
        self.factor = more.clone() if self.factor is None else self.factor * more

    def state_dict(self) -> dict:
        """Return everything as tensors and plain data."""
        return {"factor": self.factor}

    def load_state_dict(self, state: dict) -> None:
        """Restore what `state_dict` gave."""
        self.factor = None if state["factor"] is None else state["factor"].clone()
