"""What trained chips would be asked for next, beside the true gradient of what their rule descends."""

import dataclasses

import numpy as np

from analogff.study.measurements.measurement import measured_images
from analogff.study.measurements.updates import compare, follow, in_common, true_rule, updates
from analogff.study.run.life import Life

UPDATES = 16
"""Updates of one batch, each with its own noise and directions."""


@dataclasses.dataclass(frozen=True)
class Alignment:
    """The cosine of the updates of some chips with the true gradient."""

    cosine: np.ndarray
    """Of each chip."""
    parameters: int
    """Number of the weights that are compared."""


def alignment(life: Life) -> Alignment | None:
    """Return how well the updates of a rule align with the true gradient, see `Comparison`; None for a rule without.

    The true gradient is the mean over as many reads, by the true slopes.

    Args:
        life: Chips that may be changed: a perturbation is written, and not all cells can take it back.
    """
    rule, truth = life.rule, true_rule(life.rule, life.chips)
    if truth is None:
        return None
    follow(truth, rule)
    split, batch = measured_images(life.data), rule.options.batch
    images, labels = split.images[:batch], split.labels[:batch]
    asked, true = updates(rule, images, labels, UPDATES), updates(truth, images, labels, UPDATES)
    heads = len(rule.optimizers) - (rule.descends == "layers")  # of which layers' own losses say nothing
    layers = [layer for layer in in_common([*asked, *true]) if layer < heads]
    if not layers:
        return None
    parameters = sum(true[0][layer][0].numel() for layer in layers)
    return Alignment(compare(asked, true, layers).cosine.cpu().numpy(), parameters)
