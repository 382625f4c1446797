"""What each layer alone would get wrong, epoch by epoch."""

import pyarrow as pa

from analogff.data import Dataset
from analogff.learning.rule import Rule
from analogff.network import evaluating
from analogff.study.measurements.goodness import IMAGES
from analogff.study.task import Task


def layer_errors(task: Task, rule: Rule, data: Dataset, epoch: int) -> pa.Table | None:
    """Return the percentage of images that each layer of each chip gets wrong after an epoch.

    Validation images where there are some, else training images; booked as evaluation.

    Returns:
        Columns ``run, epoch, layer, error``; None for a rule whose layers do not answer.
    """
    split = data.validation if len(data.validation.labels) else data.train
    images, labels = split.images[:IMAGES], split.labels[:IMAGES]
    with evaluating(rule.network):
        answers = rule.answers_by_layer(images)
    if answers is None:
        return None
    errors = 100 * (answers != labels).double().mean(-1).cpu()
    layers, chips = errors.shape
    return pa.table(
        {
            "run": [run.key for run in task.runs] * layers,
            "epoch": [epoch] * (layers * chips),
            "layer": [layer for layer in range(1, layers + 1) for _ in range(chips)],
            "error": errors.flatten().numpy(),
        }
    )
