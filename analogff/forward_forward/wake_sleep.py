"""Being awake and asleep: which kind of inputs a step is about."""

from typing import Any

from analogff.learning.batch import Phase


class WakeSleep:
    """Long phases of positive inputs alone, and as long ones of negative inputs alone.

    Args:
        length: Steps of each, wake first; 0 to have both kinds in every step.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), which leaves it open whether the two can be so far
        apart.
    """

    def __init__(self, length: int):
        self.length = length
        self.steps = 0

    @property
    def phase(self) -> Phase | None:
        """Which kind this step is about; None for both."""
        if not self.length:
            return None
        return "sleep" if self.steps // self.length % 2 else "wake"

    def pass_on(self) -> None:
        """Count a step."""
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:
        """Return how many steps there were."""
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.steps = state["steps"]
