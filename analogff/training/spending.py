"""What a training has spent, as shares of its limits."""

import numpy as np
import torch

from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.timing import cost
from analogff.training.budget import Budget


def hardware_cost(rule: Rule, chips: Chips) -> tuple[np.ndarray, np.ndarray]:
    """Return hardware seconds and joules of the training so far, each ``(chips,)``."""
    layers = (*rule.network.layers, rule.network.head)
    counts = [chips.ledger.of(layer.name) for layer in layers]
    return cost([layer.datasheet for layer in layers], counts, rule.schedule(rule.options), chips.chips)


class Spending:
    r"""The shares of its limits that a training has spent.

    .. math:: p = \max_i \frac{\text{spent}_i}{\text{limit}_i}

    The rate of learning follows ``p``, and training ends with the step after which ``p`` is 1 or more. So the rate of
    every rule has faded when its budget ends, whichever limit that is.

    Args:
        rule: The rule.
        chips: Its chips.
        epochs: Most passes through the training images.
        budget: Further limits.

    Raises:
        ValueError: If a limit would stop chips of one bank at different steps.
    """

    def __init__(self, rule: Rule, chips: Chips, epochs: int, budget: Budget | None = None):
        limits = budget.limits if budget else {}
        if budget and budget.of_each_chip and chips.chips > 1:
            raise ValueError(
                f"Expected one chip, since each reaches a limit of {budget.of_each_chip[0]} at a step of its own. Got "
                f"a bank of {chips.chips}. Train them one by one."
            )
        self.rule, self.chips = rule, chips
        self.limits = limits | {"epochs": min(epochs, limits.get("epochs", epochs))}
        self._known = {"reads": self._reads, "pulses": self._pulses, "device_seconds": self._device_seconds}

    def progress(self, epochs: float) -> float:
        """Return the greatest share spent.

        Args:
            epochs: Passes through the training images so far, a fraction within one.
        """
        return max(self._shares(epochs).values())

    def stopped_by(self, epochs: float) -> str:
        """Return the limit that ended the training, the first one of those with the greatest share; empty before."""
        shares = self._shares(epochs)
        name = max(shares, key=shares.__getitem__)
        return name if shares[name] >= 1 else ""

    def _shares(self, epochs: float) -> dict[str, float]:
        return {name: self._spent(name, epochs) / limit for name, limit in self.limits.items()}

    def _spent(self, name: str, epochs: float) -> float:
        return epochs if name == "epochs" else self._known[name]()

    def _reads(self) -> float:
        return float(self.chips.ledger.total("reads"))

    def _pulses(self) -> float:
        return float(torch.as_tensor(self.chips.ledger.total("pulses")).max())

    def _device_seconds(self) -> float:
        return float(hardware_cost(self.rule, self.chips)[0].max())
