"""What training costs on the chip, in hardware seconds and joules."""

from analogff.timing.cost import cost
from analogff.timing.pipeline import SCHEDULES, Schedule, Stage, simulate

__all__ = ["SCHEDULES", "Schedule", "Stage", "cost", "simulate"]
