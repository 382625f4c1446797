"""Closed formulas beside the events: the busiest resource, and the time of a step where it is a sum and a maximum."""

from collections import defaultdict

from analogff.timeline.dataflow import Dataflow, Job, Phase, Update, Visit
from analogff.timeline.hardware import Hardware, Read, Stage
from analogff.timeline.parts import partial_sums


def busy_seconds(dataflow: Dataflow, hardware: Hardware) -> dict[str, float]:
    """Return how long a step uses each resource: its uses times their time. Resources without use are left out."""
    busy: dict[str, float] = defaultdict(float)
    for phase in dataflow.phases:
        for p in phase.passes:
            for visit in p.visits:
                for resource, seconds in _visit_seconds(visit, hardware).items():
                    busy[resource] += dataflow.batch * p.vectors * seconds
        for update in phase.updates:
            stage = hardware.stages[update.layer]
            busy[_digital(stage, hardware)] += _digital_update(update, hardware)
            if not stage.digital_weights:
                busy[f"{stage.name} array"] += update.writes * stage.write.seconds
                busy[f"{stage.name} write"] += update.writes * stage.write.seconds
    return {resource: seconds for resource, seconds in busy.items() if seconds}


def bottleneck_seconds(dataflow: Dataflow, hardware: Hardware) -> float:
    r"""Return the least time of a step, ``max_r b_r``: a resource that is busy for ``b_r`` seconds a step bounds it."""
    return max(busy_seconds(dataflow, hardware).values(), default=0.0)


def step_seconds(dataflow: Dataflow, hardware: Hardware) -> float | None:
    r"""Return the time of a step, each of which is one pass through layers at rest, or None if there is no formula.

    .. math:: \max_r b_r \text{ (inference)}, \qquad \max_l \left[F_l + (n - 1) s_l + u_l\right] \text{ (local)},
              \qquad \max_l \Big[\sum_{k \le l} F_k + (n - 1) \max_{k \le l} s_k + a_l\Big] + \max_l u_l
              \text{ (a barrier a step)}

    with ``n`` vectors a step, the first of which takes ``F`` in a layer and leaves ``a`` behind, each further one ``s``
    more, and ``u`` an update. Buffers are never full, and digital logic keeps up with the reads.

    Args:
        dataflow: A step.
        hardware: The chip.
    """
    if hardware.architecture.shared_digital or hardware.architecture.transposed_reads:
        return None
    if any(not _is_plain(phase, hardware) for phase in dataflow.phases):
        return None
    if all(phase.barrier for phase in dataflow.phases):
        return sum(_barrier_seconds(phase, dataflow.batch, hardware) for phase in dataflow.phases)
    phase, *more = dataflow.phases
    if more:
        return None
    if not phase.updates:
        return bottleneck_seconds(dataflow, hardware)
    (p,), updates = phase.passes, {update.layer: update for update in phase.updates}
    further = dataflow.batch * p.vectors - 1
    return max(_local_seconds(visit, updates.get(visit.layer), further, hardware) for visit in p.visits)


def _local_seconds(visit: Visit, update: Update | None, further: int, hardware: Hardware) -> float:
    """Return the time of a step in a layer that always finds the next one waiting."""
    reads = _first(visit, hardware) + further * _spacing(visit, hardware)
    return reads + _behind(visit, hardware) + _update(update, hardware)


def _is_plain(phase: Phase, hardware: Hardware) -> bool:
    """Return whether a phase is at most one pass through layers, which reads set the pace of."""
    if len(phase.passes) > 1:
        return False
    visits = [visit for p in phase.passes for visit in p.visits]
    once = len({visit.layer for visit in visits}) == len(visits) and not any(p.whole_steps for p in phase.passes)
    return once and all(v.reads and _digital_seconds(v, hardware) <= _spacing(v, hardware) for v in visits)


def _barrier_seconds(phase: Phase, batch: int, hardware: Hardware) -> float:
    filled = slowest = over = 0.0
    for p in phase.passes:
        for visit in p.visits:
            filled += _first(visit, hardware)
            slowest = max(slowest, _spacing(visit, hardware))
            over = max(over, filled + (batch * p.vectors - 1) * slowest + _behind(visit, hardware))
            filled += _sum(hardware, _critical(visit, hardware))
    return over + max((_update(update, hardware) for update in phase.updates), default=0.0)


def _first(visit: Visit, hardware: Hardware) -> float:
    """Return the time from a vector's arrival at an idle layer to the end of its reads."""
    stage = hardware.stages[visit.layer]
    before = _sum(hardware, visit.before)
    if not stage.analog:
        return before + _sum(hardware, _products(visit, hardware))
    parts = stage.read.dac.seconds + stage.read.settle.seconds + stage.read.adc.seconds
    return before + parts + (_reads(visit, hardware) - 1) * _pace(stage.read, hardware)


def _spacing(visit: Visit, hardware: Hardware) -> float:
    """Return the time from one vector to the next, of a layer that always has work."""
    stage = hardware.stages[visit.layer]
    if not stage.analog:
        return _digital_seconds(visit, hardware)
    return _reads(visit, hardware) * _pace(stage.read, hardware)


def _pace(read: Read, hardware: Hardware) -> float:
    if hardware.architecture.sample_and_hold:
        return max(read.dac.seconds, read.settle.seconds, read.adc.seconds)
    return max(read.dac.seconds, read.settle.seconds + read.adc.seconds)


def _behind(visit: Visit, hardware: Hardware) -> float:
    """Return the time of the digital work behind a read."""
    return _sum(hardware, (*_critical(visit, hardware), *visit.after))


def _critical(visit: Visit, hardware: Hardware) -> list[Job]:
    stage = hardware.stages[visit.layer]
    sums = partial_sums(visit.reads * stage.reads_per_vector * stage.partial_sums) if stage.analog else []
    return [*sums, *visit.then]


def _update(update: Update | None, hardware: Hardware) -> float:
    if update is None:
        return 0.0
    stage = hardware.stages[update.layer]
    written = 0.0 if stage.digital_weights else update.writes * stage.write.seconds
    return _digital_update(update, hardware) + written


def _digital_update(update: Update, hardware: Hardware) -> float:
    stage = hardware.stages[update.layer]
    changes = update.writes * hardware.digital(stage.change).seconds if stage.digital_weights else 0.0
    return _sum(hardware, update.jobs) + changes


def _visit_seconds(visit: Visit, hardware: Hardware) -> dict[str, float]:
    stage = hardware.stages[visit.layer]
    busy: dict[str, float] = defaultdict(float)
    busy[_digital(stage, hardware)] += _digital_seconds(visit, hardware)
    for read, times in array_reads(visit, hardware):
        held = 0.0 if hardware.architecture.sample_and_hold else read.adc.seconds
        busy[f"{stage.name} DAC"] += times * read.dac.seconds
        busy[f"{stage.name} array"] += times * (read.settle.seconds + held)
        busy[f"{stage.name} ADC"] += times * read.adc.seconds
    return busy


def _digital_seconds(visit: Visit, hardware: Hardware) -> float:
    """Return the time of all digital work of a visit."""
    return _sum(hardware, digital_jobs(visit, hardware))


def digital_jobs(visit: Visit, hardware: Hardware) -> list[Job]:
    """Return all digital work of a visit."""
    stage = hardware.stages[visit.layer]
    jobs = [*visit.before, *_products(visit, hardware), *_critical(visit, hardware), *visit.after]
    if visit.back is None:
        return jobs
    return [*jobs, *(partial_sums(stage.back_sums) if goes_back_through_array(visit, hardware) else [visit.back])]


def array_reads(visit: Visit, hardware: Hardware) -> list[tuple[Read, int]]:
    """Return how often a vector has an array read, from its inputs and from its outputs."""
    stage = hardware.stages[visit.layer]
    forward = _reads(visit, hardware) if stage.analog else 0
    return [(stage.read, forward), (stage.back, int(goes_back_through_array(visit, hardware)))]


def goes_back_through_array(visit: Visit, hardware: Hardware) -> bool:
    """Tell whether errors go back through the array of a layer that they visit."""
    analog = hardware.stages[visit.layer].analog
    return visit.back is not None and analog and hardware.architecture.transposed_reads


def _products(visit: Visit, hardware: Hardware) -> list[Job]:
    stage = hardware.stages[visit.layer]
    return [Job("product", stage.product)] * _reads(visit, hardware) if stage.digital_weights else []


def _reads(visit: Visit, hardware: Hardware) -> int:
    return visit.reads * hardware.stages[visit.layer].reads_per_vector


def _digital(stage: Stage, hardware: Hardware) -> str:
    return "digital" if hardware.architecture.shared_digital else f"{stage.name} digital"


def _sum(hardware: Hardware, jobs: "tuple[Job, ...] | list[Job]") -> float:
    return sum(hardware.digital(job.work).seconds for job in jobs)
