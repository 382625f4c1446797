"""The seconds that learning steps take."""

import dataclasses
import math
from collections.abc import Sequence

from analogff.timing.pipeline import Pipeline, Stage
from analogff.timing.schedules import Schedule


def simulate(stages: Sequence[Stage], schedule: Schedule, *, steps: int, reads_per_step: float) -> float:
    r"""Return the seconds that a number of learning steps take.

    Only ``len(stages) + 1`` steps are played: from the step on that every layer takes part in, each
    further one adds the same time,

    .. math:: \max_l (n r_l + w_l) \text{ (local rules)}, \quad
              \sum_l r_l + (n - 1) \max_l r_l + \max_l w_l \text{ (a barrier a step)},

    so the rest is added exactly.

    Args:
        stages: The layers, in the order of the signal.
        schedule: When a layer may write.
        steps: Updates, or for inference a multiple of ``reads_per_step``.
        reads_per_step: Vectors of one step, at least one; need not be whole, as an average is not.
    """
    _check(stages, steps, reads_per_step)
    played = min(steps, len(stages) + 1)
    ends = Pipeline(stages, reads_per_step).play(schedule.step, played, overlap=schedule.overlap)
    return ends[-1] + (steps - played) * (ends[-1] - ends[-2]) if steps > played else ends[-1]


def _check(stages: Sequence[Stage], steps: int, reads_per_step: float) -> None:
    if not stages or steps < 1 or not 1 <= reads_per_step < math.inf:
        raise ValueError(
            f"Expected at least one stage, one step and one read a step. Got {len(stages)}, {steps} and "
            f"{reads_per_step}. Scale the stage's time to spread one read over several steps."
        )
    if not all(0 <= seconds < math.inf for stage in stages for seconds in dataclasses.astuple(stage)):
        raise ValueError(f"Expected finite times from 0. Got {list(stages)}. Mend the datasheet.")
