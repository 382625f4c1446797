"""Being awake and asleep: which kind of inputs a step is about."""

from analogff.learning.batch import Phase


class WakeSleep:
    """Long phases of positive inputs alone, and as long ones of negative inputs alone.

    Args:
        length: Steps of each, wake first; 0 to have both kinds in every step.

    Reference:
        Hinton, The Forward-Forward Algorithm (arXiv 2212.13345), which leaves it open whether the two can be so far
        apart.
    """

    state_names = ("steps",)

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
