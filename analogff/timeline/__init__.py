"""A chip in full: converters, arrays, digital periphery, buffers and write circuits, event by event."""

from analogff.timeline.architecture import Architecture
from analogff.timeline.closed_form import bottleneck_seconds, busy_seconds, step_seconds
from analogff.timeline.dataflow import Dataflow, Job, Pass, Phase, Update, Visit, inference
from analogff.timeline.estimate import Estimate, estimate, step_joules
from analogff.timeline.hardware import Hardware, Stage
from analogff.timeline.log import COMPONENTS, Interval, Log
from analogff.timeline.play import play
from analogff.timeline.summary import Summary, summarize, summarize_training

__all__ = [
    "COMPONENTS",
    "Architecture",
    "Dataflow",
    "Estimate",
    "Hardware",
    "Interval",
    "Job",
    "Log",
    "Pass",
    "Phase",
    "Stage",
    "Summary",
    "Update",
    "Visit",
    "bottleneck_seconds",
    "busy_seconds",
    "estimate",
    "inference",
    "play",
    "step_joules",
    "step_seconds",
    "summarize",
    "summarize_training",
]
