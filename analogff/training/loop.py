"""The one training loop."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import torch

from analogff.data import Dataset, Split, jittered
from analogff.device import derive_seed
from analogff.device.ledger import TRAINING
from analogff.learning.rule import Rule
from analogff.network import Chips, evaluating
from analogff.system import Prices
from analogff.training.budget import Budget
from analogff.training.epoch import Epoch, Evaluation
from analogff.training.recorder import Recorder
from analogff.training.spending import Spending
from analogff.training.spent import Spent

Clock = Literal["step", "epoch"]
EVALUATION_BATCH = 1000
DIVERGED_LOSS_RATIO = 10.0  # against one plus the loss before learning; healthy losses of all rules stay below 3


@dataclasses.dataclass
class Progress:
    """Where a run stands between two epochs; with the chips and the rule, all that a checkpoint needs."""

    epoch: int = 0
    first_loss: torch.Tensor | None = None
    diverged: torch.Tensor | None = None
    device_seconds: torch.Tensor | float = 0.0
    wall_seconds: float = 0.0
    stopped_by: str = ""
    past_epochs: int = 0
    """Of earlier trainings of the same chips, whose orders of the images are not repeated."""


def train(
    rule: Rule,
    chips: Chips,
    data: Dataset,
    *,
    epochs: int,
    evaluate_every: int = 1,
    wait_seconds: float = 0.0,
    jitter: int = 0,
    budget: Budget | None = None,
    progress: Progress | None = None,
    prices: Prices | None = None,
    test: bool = True,
    clock: Clock = "epoch",
) -> Iterator[Epoch]:
    """Train chips by a rule, and look at them after every epoch, or every few and after the last.

    Args:
        rule: The rule, holding the sealed chips.
        chips: The same chips.
        data: Its validation split is never trained on, and its test split is only ever looked at.
        epochs: Passes through the training images.
        evaluate_every: Epochs from one look to the next.
        wait_seconds: Hardware time between the last training step and the last look.
        jitter: Most pixels by which each training image is shifted, either way; see `jittered`.
        budget: Further limits; the step that reaches one is the last, and a look follows.
        progress: Where to go on, from a checkpoint; from the beginning if None. Updated in place.
        prices: Of digital work; those of 45 nm if None.
        test: Whether the test set is looked at; else its error is NaN.
        clock: When chips age by the hardware time of their training: after each step, or after each epoch.

    Yields:
        One `Epoch` after each look.
    """
    progress = progress or Progress()
    recorder, spending = Recorder(rule, chips), Spending(rule, chips, epochs, budget, prices)
    for loss, cost, start in _learned(recorder, data, spending, jitter, progress, epochs, clock):
        if progress.stopped_by and wait_seconds:
            rule.network.wait(wait_seconds)
        if progress.epoch % evaluate_every and not progress.stopped_by:
            progress.wall_seconds += time.perf_counter() - start
            continue
        yield _evaluate(recorder, data, progress, loss, cost, start, test)


def learn(
    rule: Rule,
    chips: Chips,
    data: Dataset,
    *,
    epochs: int,
    jitter: int = 0,
    progress: Progress | None = None,
    prices: Prices | None = None,
    clock: Clock = "epoch",
) -> None:
    """Train chips as `train` does, and look at nothing."""
    progress = progress or Progress()
    recorder, spending = Recorder(rule, chips), Spending(rule, chips, epochs, None, prices)
    for _ in _learned(recorder, data, spending, jitter, progress, epochs, clock):
        pass


def _learned(
    recorder: Recorder,
    data: Dataset,
    spending: Spending,
    jitter: int,
    progress: Progress,
    epochs: int,
    clock: Clock,
) -> Iterator[tuple[torch.Tensor, Spent, float]]:
    """Train epoch by epoch, and let its hardware time pass; yields the loss, all cost so far, and when it began."""
    recorder.chips.ledger.record_divergence(recorder.chips.chips, data.train.images.device)
    while progress.epoch < epochs and not progress.stopped_by:
        start = time.perf_counter()
        loss = _one_epoch(recorder, data, spending, jitter, progress, clock)
        cost = spending.spent()
        _wait(recorder.rule, progress, torch.from_numpy(cost.seconds).to(loss.device))
        yield loss, cost, start


def _evaluate(
    recorder: Recorder,
    data: Dataset,
    progress: Progress,
    loss: torch.Tensor,
    cost: Spent,
    start: float,
    look_at_test: bool,
) -> Epoch:
    """Return how the chips stand after an epoch that began at ``start``."""
    validation = _errors(recorder, data.validation)
    test = _errors(recorder, data.test) if look_at_test else np.full_like(validation, np.nan)
    progress.wall_seconds += time.perf_counter() - start
    evaluation = Evaluation(
        chips=recorder.chips,
        epoch=progress.epoch,
        test_error=test,
        validation_error=validation,
        loss=loss,
        diverged=progress.diverged,  # type: ignore[arg-type] (there since the first epoch)
        spent=cost,
        wall_seconds=progress.wall_seconds,
        stopped_by=progress.stopped_by,
    )
    return Epoch.of(evaluation)


def error_percent(rule: Rule, split: Split) -> np.ndarray:
    """Return the percentage of a split that each chip gets wrong, ``(chips,)``; NaN for an empty one."""
    return _error_percent(rule, rule.predict, split)


def _errors(recorder: Recorder, split: Split) -> np.ndarray:
    return _error_percent(recorder.rule, recorder.predict, split)


def _error_percent(rule: Rule, predict: Callable[[torch.Tensor], torch.Tensor], split: Split) -> np.ndarray:
    if len(split.labels) == 0:
        return np.full(rule.network.chips, np.nan)
    wrong = torch.zeros(rule.network.chips, dtype=torch.int64, device=split.images.device)
    with evaluating(rule.network):
        for images, labels in zip(
            split.images.split(EVALUATION_BATCH), split.labels.split(EVALUATION_BATCH), strict=True
        ):
            wrong += (predict(images) != labels).sum(-1)
    return (100 * wrong.double() / len(split.labels)).cpu().numpy()


def _one_epoch(
    recorder: Recorder, data: Dataset, spending: Spending, jitter: int, progress: Progress, clock: Clock
) -> torch.Tensor:
    """Train for one epoch, and return the mean loss of each chip."""
    ledger = recorder.chips.ledger
    ledger.phase = TRAINING  # whatever somebody who only looked has left it at
    recorder.begin_epoch()
    loss = _one_pass(recorder, data, spending, jitter, progress, clock)
    recorder.rule.finish_epoch()
    _note_divergence(progress, loss, ledger.diverged)
    progress.epoch += 1
    progress.stopped_by = progress.stopped_by or spending.stopped_by(progress.epoch)  # programming is spent too
    return loss


def _one_pass(
    recorder: Recorder, data: Dataset, spending: Spending, jitter: int, progress: Progress, clock: Clock
) -> torch.Tensor:
    """Train on every image once, or until a limit is reached; learning seed and epoch decide order and places."""
    rule, split, ever = recorder.rule, data.train, progress.past_epochs + progress.epoch
    generator = torch.Generator().manual_seed(derive_seed(rule.seed, "order", ever))
    order = torch.randperm(len(split.labels), generator=generator).to(split.images.device)
    batches = order.split(rule.options.batch)
    places = torch.Generator().manual_seed(derive_seed(rule.seed, "jitter", ever))
    total, seen = 0.0, 0
    for n, batch in enumerate(batches):
        rule.advance(spending.progress(progress.epoch + n / len(batches)))
        images = jittered(split.images[batch], data.image, jitter, places)
        loss = recorder.step(images, split.labels[batch])
        if progress.first_loss is None:
            progress.first_loss = _of_each_chip(loss, rule).clone()
        total = total + loss * (len(batch) / len(order))
        seen += len(batch)
        if clock == "step":
            _wait(rule, progress, torch.from_numpy(spending.spent().seconds).to(images.device))
        progress.stopped_by = spending.stopped_by((progress.epoch * len(batches) + n + 1) / len(batches))
        if progress.stopped_by:
            break
    return torch.as_tensor(total) * (len(order) / seen)


def _wait(rule: Rule, progress: Progress, now: torch.Tensor) -> None:
    """Let the hardware time of a step or an epoch pass, up to this second of the training."""
    rule.network.wait((now - progress.device_seconds).clamp(min=0))  # sums of averages may differ by rounding
    progress.device_seconds = now


def _of_each_chip(loss: object, rule: Rule) -> torch.Tensor:
    """Return the loss of a first step if it is one.

    Raises:
        TypeError: If the rule returned something else.
    """
    chips = rule.network.chips
    if isinstance(loss, torch.Tensor) and loss.shape == (chips,):
        return loss
    got = f"a tensor {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else repr(loss)
    raise TypeError(
        f"Expected step of {type(rule).__name__} to return the loss of each chip, a tensor ({chips},). Got {got}. "
        "Return it, as docs/guides/add-a-rule.md shows."
    )


def _note_divergence(progress: Progress, loss: torch.Tensor, not_finite: torch.Tensor | None) -> None:
    limit = DIVERGED_LOSS_RATIO * (1 + progress.first_loss.abs())  # type: ignore[union-attr]
    diverged = ~(loss.abs() <= limit)  # NaN is not below anything
    if not_finite is not None:
        diverged = diverged | not_finite
    progress.diverged = diverged if progress.diverged is None else progress.diverged | diverged
