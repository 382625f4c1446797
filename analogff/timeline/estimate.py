"""What a rule comes to on a chip by closed formulas alone, for studies, in which it costs nothing."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analogff.timeline.closed_form import array_reads, bottleneck_seconds, busy_seconds, digital_jobs, step_seconds
from analogff.timeline.dataflow import Dataflow, Update, Visit
from analogff.timeline.hardware import Act, Hardware


class Estimate(NamedTuple):
    """Time, energy and load of learning from an image, on average over a training."""

    seconds: float
    """Time, in steady state."""
    joules: float
    """Energy."""
    array_utilization: float
    """Share of that time in which arrays are read or written, the mean over layers that have one; NaN without any."""


def estimate(dataflows: Sequence[Dataflow], hardware: Hardware) -> Estimate:
    r"""Return what a training comes to whose parts learn from equally many images, one part after the other.

    .. math:: t = \frac1K \sum_k \frac{T_k}{B_k}, \qquad E = \frac1K \sum_k \frac1{B_k} \sum_a N_{ka} E_a, \qquad
              u = \frac1{L t} \sum_l \frac1K \sum_k \frac{b_{kl}}{B_k}

    with steps of ``B`` images, ``N`` acts of each kind, and arrays that a step uses for ``b``. The time ``T`` of a step
    is that of `step_seconds` where there is a formula: one pass through layers at rest, with buffers that are never
    full and logic that keeps up with the reads. Elsewhere it is that of the busiest resource, `bottleneck_seconds`,
    which no schedule is below: exact where that resource never waits. Energy is exact.
    """
    parts = [(flow, _seconds(flow, hardware) / flow.batch) for flow in dataflows]
    seconds = float(np.mean([of_image for _, of_image in parts]))
    joules = float(np.mean([step_joules(flow, hardware) / flow.batch for flow, _ in parts]))
    busy = float(np.mean([_array_seconds(flow, hardware) / flow.batch for flow, _ in parts]))
    return Estimate(seconds, joules, busy / seconds if seconds else np.nan)


def step_joules(dataflow: Dataflow, hardware: Hardware) -> float:
    """Return the energy of a step: counts times energies."""
    joules = 0.0
    for phase in dataflow.phases:
        for p in phase.passes:
            acts = sum(_joules(act) * n for visit in p.visits for act, n in _acts(visit, hardware))
            joules += dataflow.batch * p.vectors * acts
        joules += sum(_update_joules(update, hardware) for update in phase.updates)
    return joules


def _seconds(dataflow: Dataflow, hardware: Hardware) -> float:
    found = step_seconds(dataflow, hardware)
    return bottleneck_seconds(dataflow, hardware) if found is None else found


def _array_seconds(dataflow: Dataflow, hardware: Hardware) -> float:
    """Return how long a step uses arrays, the mean over those that there are."""
    busy = busy_seconds(dataflow, hardware)
    return float(np.mean([busy.get(f"{stage.name} array", 0.0) for stage in hardware.stages if stage.analog] or np.nan))


def _acts(visit: Visit, hardware: Hardware) -> list[tuple[Act, int]]:
    digital = [(hardware.digital(job.work), 1) for job in digital_jobs(visit, hardware)]
    reads = [(act, n) for read, n in array_reads(visit, hardware) for act in (read.dac, read.settle, read.adc)]
    return [*digital, *reads]


def _update_joules(update: Update, hardware: Hardware) -> float:
    stage = hardware.stages[update.layer]
    write = hardware.digital(stage.change) if stage.digital_weights else stage.write
    return sum(_joules(hardware.digital(job.work)) for job in update.jobs) + update.writes * _joules(write)


def _joules(act: Act) -> float:
    return act.joules + act.memory_joules
