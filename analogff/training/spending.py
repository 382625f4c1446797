"""What a training has spent, as shares of its limits."""

import numpy as np
import torch

from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.system import Prices
from analogff.training.budget import Budget
from analogff.training.spent import Spent, device_seconds, spent


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
        prices: Of digital work; those of 45 nm if None.

    Raises:
        ValueError: If a limit would stop chips of one bank at different steps.
    """

    def __init__(
        self, rule: Rule, chips: Chips, epochs: int, budget: Budget | None = None, prices: Prices | None = None
    ):
        limits = budget.limits if budget else {}
        if budget and budget.of_each_chip and chips.chips > 1:
            raise ValueError(
                f"Expected one chip, since each reaches a limit of {budget.of_each_chip[0]} at a step of its own. Got "
                f"a bank of {chips.chips}. Train them one by one."
            )
        self.rule, self.chips, self.prices = rule, chips, prices or Prices()
        self.limits = limits | {"epochs": min(epochs, limits.get("epochs", epochs))}
        self._known = {
            "reads": lambda: float(chips.ledger.total("reads")),
            "pulses": lambda: float(torch.as_tensor(chips.ledger.total("pulses")).max()),
            "device_seconds": lambda: float(self.device_seconds().max()),
            "system_joules": lambda: float(self.spent().system.joules.total.max()),
        }

    def spent(self) -> Spent:
        """Return the cost of the training so far."""
        return spent(self.rule, self.chips, self.prices)

    def device_seconds(self) -> np.ndarray:
        """Return the hardware time of the training so far, ``(chips,)``."""
        return device_seconds(self.rule, self.chips)

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
