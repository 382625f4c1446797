"""Closed formulas of the digital work of a step of Forward-Forward; see `analogff.learning.step_work`."""

from collections.abc import Sequence

from analogff.forward_forward.goodness import Cosine, MeanSquare
from analogff.forward_forward.goodness_objective import judging_work
from analogff.forward_forward.options import ForwardForwardOptions
from analogff.forward_forward.peer_normalization import Peers
from analogff.learning import step_work
from analogff.slopes.saturation_gradient import SaturationGradient
from analogff.system import Work, work


def votes_work(vectors: int, n: int) -> Work:
    """Return the digital work of the goodness of activities that nothing is learned from."""
    return work.elementwise(vectors * n, operations=1, operands=1, results=0)


def damping_work(n: float) -> Work:
    """Return the digital work of a weighted sum of old and new states."""
    return work.elementwise(n, operations=3, operands=2)


def stage_work(options: ForwardForwardOptions, shapes: Sequence[step_work.Shape], batch: int, learning: range) -> Work:
    """Return the digital work of a step in which some layers learn: head, negatives, and the pass that they learn from.

    With phases, the mean of a step of either kind.
    """
    passed, classes = shapes[: learning.stop], shapes[-1][1]
    count = variants(options, classes)
    parts = [step_work.passing_shared(passed, batch, count, classes)]
    parts += [_layer_work(options, n, shapes[n], batch, classes) for n in learning]
    if options.uses_head:
        parts += [step_work.passing(shapes, batch), step_work.delta_head(options, shapes[-1], batch)]
    parts.append(_negatives_work(options, shapes, batch).times(0.5 if options.phase_length else 1))
    lines = [shapes[0][0], *(n for _, n in shapes[:-2])]
    rates = [options.input_dropout, *[options.dropout] * (len(lines) - 1)]
    parts += [work.dropout(batch * n) for n, rate in zip(lines, rates, strict=True) if rate]
    return work.total(parts)


def _negatives_work(options: ForwardForwardOptions, shapes: Sequence[step_work.Shape], batch: int) -> Work:
    *hidden, (_, classes) = shapes
    if options.negatives not in ("hard", "goodness"):
        return Work()
    drawn = work.hard_negatives(batch, classes)
    if options.negatives == "hard":
        return drawn
    votes = work.total(votes_work(classes * batch, n) for _, n in hidden)
    return drawn + step_work.passing_shared(hidden, batch, classes, classes) + votes


def objective_work(options: ForwardForwardOptions, vectors: int, n: int) -> Work:
    """Return the digital work of a layer's objective."""
    operations = Cosine.operations if options.goodness == "cosine" else MeanSquare.operations
    found = judging_work(operations, vectors, n)
    if options.peer_strength:
        found += Peers.work(vectors, n)
    return found + SaturationGradient.work(vectors, n) if options.saturation_gradient else found


def _layer_work(options: ForwardForwardOptions, layer: int, shape: step_work.Shape, batch: int, classes: int) -> Work:
    count = variants(options, classes)
    vectors = count * batch
    taught = step_work.descent(options, shape, vectors)
    if layer == 0:
        taught = work.shared_outer(batch, count, classes, *shape) + step_work.optimizer(options, shape)
    read = step_work.reading(options.slope, options.activity, vectors, shape[1])
    return read + objective_work(options, vectors, shape[1]) + work.modulation(vectors * shape[1]) + taught


def variants(options: ForwardForwardOptions, classes: int) -> int:
    """Return how many labels each image is read with at once."""
    if options.phase_length:
        return 1
    return classes if options.negatives == "all" else 2
