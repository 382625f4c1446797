"""What a student learns from: images, and what the teacher, or nature, says of them."""

import torch

from analogff.data import Dataset, Split
from analogff.device.ledger import TRAINING
from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.study.events import Distil
from analogff.system import work
from analogff.training.loop import EVALUATION_BATCH


def lesson(event: Distil, teacher: Rule, chips: Chips, data: Dataset) -> Split:
    r"""Return the images of a student with their labels, which are soft for ``labels = "soft"``.

    .. math:: p = \mathrm{softmax}(s / T)

    with the teacher's scores ``s``. Its reads are counted as training: they are the price of teaching.

    Args:
        event: Says which images and which labels.
        teacher: The teacher's rule.
        chips: The teacher: one chip, since each student has a teacher of its own; any number for true labels.
        data: The data set; its unlabeled images have no labels to be used.

    Reference:
        Hinton, Vinyals & Dean, Distilling the knowledge in a neural network (arXiv 1503.02531), equation 1.
    """
    if event.labels == "true":
        return Split(data.train.images[: event.images], data.train.labels[: event.images])
    there = data.train.images if event.images_from == "training" else data.unlabeled
    assert there is not None  # a data set is loaded with them
    images = there[: event.images].to(data.train.images.device)
    chips.ledger.phase = TRAINING
    if event.labels == "teacher":
        (answers,) = torch.cat([teacher.predict(part) for part in images.split(EVALUATION_BATCH)], -1)
        return Split(images, answers)
    (scores,) = torch.cat([teacher.scores(part) for part in images.split(EVALUATION_BATCH)], 1)
    teacher.network.head.compute(*work.softmax_error(*scores.shape))
    return Split(images, (scores / event.temperature).softmax(-1))
