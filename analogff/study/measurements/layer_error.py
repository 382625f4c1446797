"""Error of each layer alone, epoch by epoch."""

import pyarrow as pa

from analogff.data import Dataset
from analogff.learning.rule import Rule
from analogff.study.measurements.measurement import Due, Measurement, measured_images
from analogff.study.task import Task


def layer_errors(task: Task, rule: Rule, data: Dataset, epoch: int) -> pa.Table | None:
    """Return the error of each layer of each chip after an epoch, in percent of images.

    Returns:
        Columns ``run, epoch, layer, error``; None for a rule whose layers do not classify.
    """
    split = measured_images(data)
    answers = rule.answers_by_layer(split.images)
    if answers is None:
        return None
    errors = 100 * (answers != split.labels).double().mean(-1).cpu()
    layers, chips = errors.shape
    return pa.table(
        {
            "run": [run.key for run in task.runs] * layers,
            "epoch": [epoch] * (layers * chips),
            "layer": [layer for layer in range(1, layers + 1) for _ in range(chips)],
            "error": errors.flatten().numpy(),
        }
    )


MEASUREMENT = Measurement(
    name="layers",
    columns={"epoch": pa.int64(), "layer": pa.int64(), "error": pa.float64()},
    key=("epoch", "layer"),
    due=Due.EVERY_EVALUATION,
    take=layer_errors,
)
