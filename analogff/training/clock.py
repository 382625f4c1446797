"""When chips age by the hardware time of their training."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

from analogff.learning.rule import PassClock, Rule
from analogff.training.progress import Progress
from analogff.training.spending import Spending

Clock = Literal["epoch", "step", "pass", "interleaved"]
"""Moments at which chips age; each clock has those of the ones before it."""
WITHIN_STEP: tuple[PassClock, ...] = ("pass", "interleaved")
"""Those that make a difference to rules only whose `Rule.pass_clocks` say so."""


def clock_of(rule: type[Rule], options: Any, clock: Clock) -> Clock:
    """Return the clock by which a rule ages its chips in a study with a clock: the finest one up to that."""
    if clock not in WITHIN_STEP:
        return clock
    known, finer = rule.pass_clocks(options), WITHIN_STEP[: WITHIN_STEP.index(clock) + 1]
    told_apart: list[Clock] = [one for one in finer if one in known]
    return told_apart[-1] if told_apart else "step"


def refuse_clock(rule: type[Rule], options: Any, clock: Clock) -> None:
    """Refuse a clock that a rule does not tell from a coarser one.

    Raises:
        ValueError: If it does not.
    """
    if (known := clock_of(rule, options, clock)) != clock:
        raise ValueError(
            f'Expected clock = "{known}" for {rule.name} with these options, which "{clock}" would not differ from. '
            f'Got "{clock}". Write clock = "{known}".'
        )


class HardwareClock:
    r"""Lets the chips of a training age by its hardware time, see `analogff.timing.cost`, however it is split.

    .. math:: s_p = T(n_p) - T(n_{p-1}) \text{ (pass)}, \qquad s_p = \frac{T(n_p) - T(n_{p-1})}{B}
              \text{ (interleaved)}

    passes before the next kind of inputs is read, with ``n`` the counts after a pass of ``B`` images and ``T`` the time
    of all training so far. The rest of a step follows at its end, so that all waits add up to ``T``. Within a pass
    chips are one age: the first image of one kind is as far from the first of the next as the last from the last.

    Args:
        rule: Holds the sealed chips.
        spending: What the training has spent.
        progress: Where it stands; updated in place.
        clock: When time passes.
    """

    def __init__(self, rule: Rule, spending: Spending, progress: Progress, clock: Clock):
        self.rule, self.spending, self.progress, self.clock = rule, spending, progress, clock
        self._place = rule.network.head.torch_device
        self._counted = self._now()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let time pass within the steps that are taken inside, if the clock says so."""
        try:
            self.rule.between_passes = self._pass_over if self.clock in WITHIN_STEP else None
            yield
        finally:
            self.rule.between_passes = None

    def step_over(self) -> None:
        """Let the rest of a step pass."""
        if self.clock != "epoch":
            self.catch_up()

    def catch_up(self) -> None:
        """Let pass what chips have not waited yet."""
        self._wait_until(self._now())

    def _pass_over(self, images: int) -> None:
        if self.clock != "interleaved" or images == 1:
            return self.catch_up()
        before, now = self._counted, self._now()
        self._wait_until(self.progress.device_seconds + (now - before).clamp(min=0) / images)
        self._counted = now

    def _now(self) -> torch.Tensor:
        return torch.from_numpy(self.spending.device_seconds()).to(self._place)

    def _wait_until(self, second: torch.Tensor) -> None:
        """Let the hardware time pass up to this second of the training."""
        passed = (second - self.progress.device_seconds).clamp(min=0)  # sums of averages may differ by rounding
        self.rule.network.wait(passed)
        self.progress.device_seconds = self._counted = second
