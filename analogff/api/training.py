"""Train a network from Python, epoch by epoch."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analogff.api.given import Named, tables
from analogff.api.network import Network
from analogff.data import Dataset
from analogff.study.measurements.catalog import take
from analogff.study.measurements.measurement import Due
from analogff.study.settings import whole
from analogff.support.mistakes import Mistake, StudyError, shown
from analogff.support.plain import plain
from analogff.support.process_state import standard
from analogff.training.epoch import NUMBERS, Epoch
from analogff.training.loop import train as run_loop

if TYPE_CHECKING:
    from typing import Self


class Training(Iterator[Epoch]):
    """A training that goes on an epoch at a time; see `train`. Nothing is learned until it is iterated over."""

    def __init__(self, network: Network):
        self.network = network
        self._lesson = lesson = network.taught()
        settings = lesson.case.settings
        self._epochs = run_loop(
            lesson.rule,
            lesson.chips,
            lesson.data,
            epochs=settings.epochs,
            evaluate_every=settings.evaluate_every,
            augmentation=settings.augmentation,
            budget=settings.budget,
            progress=lesson.progress,
        )
        self._seen: list[Epoch] = []
        self._measured: dict[str, list[pd.DataFrame]] = {}

    def __iter__(self) -> "Self":
        return self

    def __next__(self) -> Epoch:
        if self.network.taught() is not self._lesson:
            raise RuntimeError(
                "Expected the last training of this network. Got one that was followed by another call of train. "
                "Iterate over that one."
            )
        with standard(str(self._lesson.task.runs[0]), int(self._lesson.task.key, 16)):
            epoch = next(self._epochs)
            tables = self._measure(Due.EVERY_EVALUATION, epoch)
            if epoch.stopped_by:
                tables |= self._measure(Due.LAST_EVALUATION, epoch)
        self._seen.append(epoch)
        for name, table in tables.items():
            self._measured.setdefault(name, []).append(table.to_pandas().rename(columns={"run": "chip"}))
        return epoch

    @property
    def table(self) -> pd.DataFrame:
        """A row for each chip and epoch so far, with the columns of `Results.table` for errors and costs."""
        chips = list(self.network.chips)
        frames = [
            pd.DataFrame(
                {"chip": chips, "epoch": epoch.epoch}
                | {name: np.broadcast_to(getattr(epoch, name), (len(chips),)) for name in NUMBERS}
                | {"stopped_by": epoch.stopped_by}
            )
            for epoch in self._seen
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["chip", "epoch", *NUMBERS])

    @property
    def measurements(self) -> dict[str, pd.DataFrame]:
        """Further tables by name, such as ``goodness`` and ``layers``, as far as the rule has them."""
        frames = {name: pd.concat(tables, ignore_index=True) for name, tables in self._measured.items()}
        return {name: frame.assign(chip=frame["chip"].astype(int)) for name, frame in frames.items()}

    def _measure(self, due: Due, epoch: Epoch) -> dict[str, pa.Table]:
        lesson = self._lesson
        return take(due, lesson.task, lesson.rule, lesson.data, epoch.epoch)

    def __repr__(self) -> str:
        settings = self._lesson.case.settings
        return f"Training({self._lesson.name}, epoch {self._lesson.progress.epoch} of {settings.epochs})"

    def _repr_html_(self) -> str:
        return self.table.to_html(index=False, float_format="{:.4g}".format, na_rep="")


def train(
    network: Network,
    *,
    rule: Named = "forward-forward",
    data: str | Path | Dataset = "mnist",
    epochs: int,
    seed: int = 0,
    train_images: int | None = None,
    validation_images: int | None = None,
    evaluate_every: int = 1,
    jitter: int = 0,
    flip: bool = False,
    budget: Mapping[str, float] | None = None,
    **options: Any,
) -> Training:
    """Train the chips of a network; numbers are those of a study with the same settings, bit by bit.

    Called again for the same network, the same rule with the same options and seed goes on, its counts too. Another
    rule takes over the weights as they are, with counts of its own.

    Args:
        network: The chips.
        rule: A name (`analogff rules` lists them), a class, or a table ``{"name": ..., ...}`` with options.
        data: A data set by name, a folder, or an `analogff.data.Dataset`.
        epochs: Passes through the training images.
        seed: The learning seed.
        train_images: Number of training images, taken from the front; all by default.
        validation_images: Number held out of the training images; 2000 or a tenth by default. Both are for data by
            name.
        evaluate_every: Epochs from one evaluation, and from one item, to the next.
        jitter: Most pixels by which a training image is shifted.
        flip: Whether half of the training images are mirrored, anew in every epoch.
        budget: Further limits, as in a study: ``{"reads": 1e6}``.
        options: Options of the rule, such as ``learning_rate=0.001``.

    Returns:
        An iterator over `Epoch`: ``test_error``, ``validation_error``, ``reads``, ``system_joules`` and others, each an
        array over chips.

    Raises:
        StudyError: With every mistake in the arguments, before anything is learned.
    """
    _check_seed(seed)
    counts = {"train_images": train_images, "validation_images": validation_images, "budget": budget}
    given = {name: value for name, value in counts.items() if value is not None}
    given |= {"epochs": epochs, "seeds": [seed], "evaluate_every": evaluate_every, "jitter": jitter, "flip": flip}
    given["rule"] = [tables(rule, "name") | options]
    named, own = ({}, data) if isinstance(data, Dataset) else ({"dataset": data}, None)
    network.teach(plain(given | named), own)
    return Training(network)


def _check_seed(seed: object) -> None:
    if not (whole(number := plain(seed)) and number >= 0):
        raise StudyError([Mistake("seed", "a whole number, at least 0", shown(seed), "Write seed=0.")])
