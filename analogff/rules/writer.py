"""From a gradient to pulses, by way of an optimiser that never sees a weight."""

from typing import Any

import torch

from analogff.device import Sealed


class Writer:
    """An optimiser for weights that nobody can read.

    torch's optimiser works on a register of zeros; what it makes of the register is the change that the chip is
    asked for, and the register is cleared. Every chip has its own register, so that none depends on its
    neighbours.

    Args:
        layer: Where to write.
        rate: Learning rate of Adam.
    """

    def __init__(self, layer: Sealed, rate: float):
        sheet = layer.datasheet
        self.layer = layer
        self.rate = rate
        self._change: torch.Tensor | None = None
        self._shape = (layer.chips, sheet.n_out, sheet.n_in)
        self._fade = 1.0
        self._saved: dict[str, Any] | None = None

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        """Ask the chip for one optimiser step down a gradient, ``(chips, n_out, n_in)``.

        Returns:
            The change that was asked for; valid until the next step.
        """
        change = self.wanted(gradient)
        self.layer.pulse(change)
        return change

    def wanted(self, gradient: torch.Tensor) -> torch.Tensor:
        """Return the optimiser's step down a gradient, without asking the chip for it."""
        if self._change is None:
            self._prepare(gradient)
        for register, slope in zip(self._registers, gradient, strict=True):
            register.zero_()
            register.grad = slope
        for group in self._optimiser.param_groups:
            group["lr"] = self.rate * self._fade
        self._optimiser.step()
        return self._change  # type: ignore[return-value]

    def fade(self, factor: float) -> None:
        """Scale the learning rate."""
        self._fade = factor

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's memory."""
        return {"optimiser": self._optimiser.state_dict()} if self._change is not None else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave, when the first gradient comes."""
        self._saved = state.get("optimiser")

    def _prepare(self, like: torch.Tensor) -> None:
        """Make the registers where the gradients live."""
        self._change = torch.zeros(self._shape, dtype=like.dtype, device=like.device)
        self._registers = list(self._change.unbind(0))
        self._optimiser = torch.optim.Adam(self._registers, lr=self.rate, fused=True)
        if self._saved is not None:
            self._optimiser.load_state_dict(self._saved)
