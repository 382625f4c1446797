"""The dataflow of a step of Forward-Forward; its digital work is that of `analogff.forward_forward.digital_work`."""

import dataclasses
from collections.abc import Sequence

from analogff.forward_forward.digital_work import objective_work, variants, votes_work
from analogff.forward_forward.options import ForwardForwardOptions
from analogff.learning import flows, step_work
from analogff.learning.layer_order import is_pipelined
from analogff.system import work
from analogff.timeline import Dataflow, Job, Pass, Phase, Visit


def stage_dataflow(
    options: ForwardForwardOptions, shapes: Sequence[step_work.Shape], batch: int, learning: range
) -> Dataflow:
    """Return that of a step in which some layers learn: a neutral pass, negatives, and a pass to learn from."""
    passes = [*_neutral(options, shapes, batch), *_votes(options, shapes, batch)]
    learned = Pass(
        name="learning",
        visits=tuple(_visit(options, n, shapes, batch, n in learning) for n in range(learning.stop)),
        vectors=variants(options, shapes[-1][1]),
        awaits=tuple(p.name for p in passes),
        whole_steps=is_pipelined(options),
    )
    taught = {n: shapes[n] for n in learning}
    if options.uses_head:
        taught[len(shapes) - 1] = shapes[-1]
    return Dataflow(
        batch=batch,
        phases=(Phase(passes=(*passes, learned), updates=flows.updates(options, taught), barrier=False),),
    )


def _neutral(options: ForwardForwardOptions, shapes: Sequence[step_work.Shape], batch: int) -> list[Pass]:
    """Return the pass that the head learns from, if one is used."""
    if not options.uses_head:
        return []
    drawn = _drawn(options, shapes, batch) if options.negatives == "hard" else ()
    visits = (*flows.forward(_signals(shapes)), flows.delta_head(shapes, batch, *drawn))
    return [Pass(name="neutral", visits=visits)]


def _votes(options: ForwardForwardOptions, shapes: Sequence[step_work.Shape], batch: int) -> list[Pass]:
    """Return the pass that negatives are drawn by, if layers draw them."""
    if options.negatives != "goodness":
        return []
    *hidden, (_, classes) = shapes
    share, vectors, visits = _share(options), classes * batch, []
    for n, (signal, (_, n_out)) in enumerate(zip(_signals(shapes), hidden, strict=True)):
        before = _shared_before(batch, classes, classes, signal) if n == 0 else flows.normalizing(signal)
        then = flows.jobs(vectors, goodness=votes_work(vectors, n_out))
        visits.append(Visit(layer=n, before=_times(before, share), reads=1, then=_times(then, share)))
    drawn = _times(_drawn(options, shapes, batch), 1 / classes)
    last = dataclasses.replace(visits[-1], then=(*visits[-1].then, *drawn))
    return [Pass(name="votes", visits=(*visits[:-1], last), vectors=classes)]


def _drawn(options: ForwardForwardOptions, shapes: Sequence[step_work.Shape], batch: int) -> tuple[Job, ...]:
    return _times(flows.jobs(batch, negatives=work.hard_negatives(batch, shapes[-1][1])), _share(options))


def _share(options: ForwardForwardOptions) -> float:
    """Return the share of steps that have negatives."""
    return 0.5 if options.phase_length else 1.0


def _times(jobs: tuple[Job, ...], share: float) -> tuple[Job, ...]:
    return tuple(Job(job.label, job.work.times(share)) for job in jobs)


def _visit(
    options: ForwardForwardOptions, layer: int, shapes: Sequence[step_work.Shape], batch: int, learns: bool
) -> Visit:
    (n_in, n_out), classes = shapes[layer], shapes[-1][1]
    count = variants(options, classes)
    vectors = count * batch
    dropout = options.dropout if layer else options.input_dropout
    lines = _signals(shapes)[layer]
    before = _shared_before(batch, count, classes, n_in) if layer == 0 else flows.normalizing(lines)
    before += flows.jobs(vectors, dropout=work.dropout(batch * lines * bool(dropout)))
    if not learns:
        return Visit(layer=layer, before=before, reads=1)
    outer = work.outer(vectors, n_in, n_out) if layer else work.shared_outer(batch, count, classes, n_in, n_out)
    after = flows.jobs(
        vectors,
        slopes=step_work.reading(options.slope, options.activity, vectors, n_out),
        goodness=objective_work(options, vectors, n_out),
        error=work.modulation(vectors * n_out),
        outer_product=outer,
    )
    reads = flows.reads(options.slope, options.activity)
    return Visit(
        layer=layer, before=before, reads=reads, after=after, kept_bytes=step_work.activities((n_in, n_out), 1)
    )


def _signals(shapes: Sequence[step_work.Shape]) -> list[int]:
    """Return how many numbers come into each hidden layer, labels beside them aside."""
    return [shapes[0][0], *(n_out for _, n_out in shapes[:-2])]


def _shared_before(batch: int, count: int, marks: int, n_in: int) -> tuple[Job, ...]:
    """Return the normalization of images that differ in their labels only."""
    return flows.jobs(count * batch, normalization=step_work.passing_shared([(n_in, 1)], batch, count, marks))
