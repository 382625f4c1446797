"""Histograms of goodness for right and wrong labels."""

import math

import numpy as np
import pyarrow as pa
import torch

from analogff.data import Dataset
from analogff.device import derive_seed
from analogff.learning.rule import Rule
from analogff.study.measurements.measurement import Due, Measurement, measured_images
from analogff.study.task import Task

BINS = 40


def goodness_histograms(task: Task, rule: Rule, data: Dataset, _epoch: int) -> pa.Table | None:
    """Count the goodness of images with their true labels and with wrong ones.

    Wrong labels are drawn from the learning seed.

    Returns:
        Columns ``run, layer, polarity, bin_low, bin_high, count``; None for a rule without a goodness.
    """
    split = measured_images(data)
    images, labels = split.images, split.labels
    generator = torch.Generator().manual_seed(derive_seed(task.runs[0].seed, "goodness histogram"))
    shift = torch.randint(1, data.classes, labels.shape, generator=generator).to(labels.device)
    positive = rule.goodness(images, labels)
    negative = rule.goodness(images, (labels + shift) % data.classes)
    if positive is None or negative is None:
        return None
    tables = []
    for layer, (good, bad) in enumerate(zip(positive, negative, strict=True), start=1):
        for chip, run in enumerate(task.runs):
            tables.append(_histogram(run.key, layer, good[chip].cpu().numpy(), bad[chip].cpu().numpy()))
    return pa.concat_tables(tables)


def _histogram(run: str, layer: int, positive: np.ndarray, negative: np.ndarray) -> pa.Table:
    edges = round_edges(np.concatenate([positive, negative]))
    counts = [np.histogram(values[np.isfinite(values)], edges)[0] for values in (positive, negative)]
    bins = len(edges) - 1
    return pa.table(
        {
            "run": [run] * (2 * bins),
            "layer": [layer] * (2 * bins),
            "polarity": ["positive"] * bins + ["negative"] * bins,
            "bin_low": np.tile(edges[:-1], 2),
            "bin_high": np.tile(edges[1:], 2),
            "count": np.concatenate(counts).astype(np.int64),
        }
    )


def round_edges(values: np.ndarray) -> np.ndarray:
    """Return edges of about `BINS` bins that hold all finite values, at round numbers.

    Widths are powers of two and edges multiples of them, so histograms of several chips can be added. A chip's bins do
    not depend on its neighbors.
    """
    values = values[np.isfinite(values)].astype(np.float64)
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    least = max(abs(low), abs(high), 1e-12) * 2.0**-40
    width = 2.0 ** math.ceil(math.log2(max((high - low) / BINS, least)))
    first, last = math.floor(low / width), math.floor(high / width) + 1
    return np.arange(first, last + 1) * width


MEASUREMENT = Measurement(
    name="goodness",
    columns={
        "layer": pa.int64(),
        "polarity": pa.string(),
        "bin_low": pa.float64(),
        "bin_high": pa.float64(),
        "count": pa.int64(),
    },
    key=("layer", "polarity", "bin_low"),
    due=Due.LAST_EVALUATION,
    take=goodness_histograms,
)
