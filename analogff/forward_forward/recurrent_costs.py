"""Digital work and dataflow of a step of recurrent Forward-Forward."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from analogff.forward_forward.digital_work import damping_work
from analogff.forward_forward.goodness_objective import GoodnessObjective
from analogff.forward_forward.recurrent_options import RecurrentForwardForwardOptions, first_to_learn
from analogff.learning import flows, step_work
from analogff.learning.layer_local import LayerLocal
from analogff.system import Work, work
from analogff.timeline import Dataflow, Pass, Phase, Visit

RuleClass = type[LayerLocal[Any, GoodnessObjective]]
"""The rule's class, which states the work of a layer that learns."""


def recurrent_work(
    rule: RuleClass, options: RecurrentForwardForwardOptions, shapes: Sequence[step_work.Shape], batch: int
) -> Work:
    """Return the digital work of a step: the bottom-up pass, and all iterations for a right and a wrong label."""
    *hidden, (_, classes) = shapes
    above = [*(n for _, n in hidden[1:]), classes]
    parts = [step_work.passing([(shapes[0][0] - above[0], shapes[0][1]), *hidden[1:]], batch)]
    if rule.uses_head(options):
        parts += [work.normalization(batch, shapes[-1][0]), step_work.delta_head(options, shapes[-1], batch)]
        parts.append(work.hard_negatives(batch, classes))
    for iteration in range(1, options.iterations + 1):
        parts += [work.normalization(2 * batch, n) + damping_work(2 * batch * n) for _, n in hidden]
        first = _first(options, hidden, iteration)
        parts += [rule.layer_work(options, shape, 2 * batch, classes) for shape in hidden[max(first, 1) :]]
        if first == 0:
            parts.append(rule.judged_work(options, shapes[0][1], 2 * batch, classes))
            parts += [work.shared_outer(batch, 2, above[0], *shapes[0]), step_work.optimizer(options, shapes[0])]
    return work.total(parts)


def recurrent_dataflow(
    rule: RuleClass, options: RecurrentForwardForwardOptions, shapes: Sequence[step_work.Shape], batch: int
) -> Dataflow:
    """Return the dataflow of a step, with a phase for each iteration."""
    *hidden, (_, classes) = shapes
    image = shapes[0][0] - shapes[1][1]  # the lines that do not come from above
    resting, updates = flows.forward([image, *(n for _, n in hidden[:-1])]), ()
    if rule.uses_head(options):
        drawn = flows.jobs(batch, negatives=work.hard_negatives(batch, classes))
        resting = (*resting, flows.delta_head(shapes, batch, *drawn))
        updates = flows.updates(options, {len(hidden): shapes[-1]})
    phases = [Phase(passes=(Pass(name="bottom-up", visits=resting),), updates=updates)]
    for iteration in range(1, options.iterations + 1):
        learning = range(_first(options, hidden, iteration), len(hidden))
        visits = [_visit(rule, options, n, shapes, batch, n in learning) for n in range(len(hidden))]
        passes = flows.apart(f"iteration {iteration}, layer", visits, vectors=2)
        phases.append(Phase(passes=passes, updates=flows.updates(options, {n: shapes[n] for n in learning})))
    return Dataflow(batch=batch, phases=tuple(phases))


def _first(options: RecurrentForwardForwardOptions, hidden: Sequence[step_work.Shape], iteration: int) -> int:
    """Return the first layer that learns in an iteration; their number if none does."""
    return first_to_learn(options, len(hidden), iteration) if iteration >= options.learn_from else len(hidden)


def _visit(
    rule: RuleClass,
    options: RecurrentForwardForwardOptions,
    n: int,
    shapes: Sequence[step_work.Shape],
    batch: int,
    learns: bool,
) -> Visit:
    """Return what a layer does in an iteration for a right or a wrong label."""
    shape, vectors = shapes[n], 2 * batch
    before, then = flows.normalizing(shape[1]), flows.jobs(1, damping=damping_work(shape[1]))
    if not learns:
        return Visit(layer=n, before=before, reads=1, then=then)
    visit = rule.learning_visit(options, n, shape, vectors, shapes[-1][1])
    if n == 0:
        marks = shapes[1][1]
        outer = flows.jobs(vectors, outer_product=work.shared_outer(batch, 2, marks, *shape))
        visit = dataclasses.replace(visit, after=(*visit.after[:-1], *outer))
    return dataclasses.replace(visit, before=before, then=then)
