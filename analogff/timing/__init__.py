"""What training costs on the chip, in hardware seconds and joules."""

from analogff.timing.cost import cost
from analogff.timing.pipeline import Pipeline, Stage
from analogff.timing.schedules import (
    Inference,
    LayerByLayer,
    LocalUpdates,
    Schedule,
    UpdateAfterPass,
    UpdateBeforePass,
)
from analogff.timing.simulate import simulate

__all__ = [
    "Inference",
    "LayerByLayer",
    "LocalUpdates",
    "Pipeline",
    "Schedule",
    "Stage",
    "UpdateAfterPass",
    "UpdateBeforePass",
    "cost",
    "simulate",
]
