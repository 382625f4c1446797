"""What a rule's dataflow comes to on a chip, in steady state."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from analogff.timeline.closed_form import bottleneck_seconds, busy_seconds
from analogff.timeline.dataflow import Dataflow
from analogff.timeline.hardware import Hardware
from analogff.timeline.log import COMPONENTS
from analogff.timeline.play import play

_STEADY = 1e-6
"""Relative difference of two steps that counts as none."""
_MOST_STEPS = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """Throughput, latency, load, memory and energy of learning."""

    samples_per_second: float
    """Images learned from."""
    bound_per_second: float
    """What the busiest resource would allow."""
    latency_seconds: float
    """From an image's first conversion to the end of its last pass."""
    utilization: dict[str, float]
    """Share of the time that each resource is in use."""
    buffer_bytes: float
    """The most that buffers and kept activities hold."""
    joules: dict[str, float]
    """Energy an image by component."""

    @property
    def busiest(self) -> str:
        """The resource with the greatest utilization."""
        return max(self.utilization, key=self.utilization.__getitem__)


def summarize(dataflow: Dataflow, hardware: Hardware) -> Summary:
    """Play steps until each takes as long as the one before, and summarize the last but one."""
    steps = 4 if all(phase.barrier for phase in dataflow.phases) else len(hardware.stages) + 3
    while True:
        log = play(dataflow, hardware, steps)
        *earlier, before, steady, _ = np.diff(log.ends)  # nothing follows the last step, which may hurry it
        settled = abs(steady - before) <= _STEADY * steady
        if settled or 2 * steps > _MOST_STEPS:
            break
        steps *= 2
    period = float(steady if settled else np.mean([*earlier[steps // 2 :], before, steady]))
    busy = busy_seconds(dataflow, hardware)
    return Summary(
        samples_per_second=dataflow.batch / period,
        bound_per_second=dataflow.batch / bottleneck_seconds(dataflow, hardware),
        latency_seconds=log.mean_latency(steps - 2),
        utilization={resource: busy.get(resource, 0.0) / period for resource in log.resources},
        buffer_bytes=log.peak_bytes(),
        joules={name: joules / dataflow.batch for name, joules in log.joules(steps - 2).items()},
    )


def summarize_training(dataflows: Sequence[Dataflow], hardware: Hardware) -> Summary:
    """Return the summary of a training whose parts learn from equally many images, one part after the other."""
    parts = [summarize(dataflow, hardware) for dataflow in dataflows]
    seconds = np.array([1 / part.samples_per_second for part in parts])
    shares = seconds / seconds.sum()
    return Summary(
        samples_per_second=float(1 / seconds.mean()),
        bound_per_second=float(1 / np.mean([1 / part.bound_per_second for part in parts])),
        latency_seconds=float(np.mean([part.latency_seconds for part in parts])),
        utilization={
            name: float(sum(s * part.utilization[name] for s, part in zip(shares, parts, strict=True)))
            for name in parts[0].utilization
        },
        buffer_bytes=max(part.buffer_bytes for part in parts),
        joules={name: float(np.mean([part.joules[name] for part in parts])) for name in COMPONENTS},
    )
