"""The one training loop."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from analogff.data import Augmentation, Dataset, Split
from analogff.device import derive_seed
from analogff.device.ledger import TRAINING
from analogff.learning.rule import Rule
from analogff.network import Chips, evaluating
from analogff.system import Prices
from analogff.timeline import Architecture
from analogff.training.budget import Budget
from analogff.training.clock import Clock, HardwareClock, refuse_clock
from analogff.training.epoch import Epoch, Evaluation
from analogff.training.pipeline_cost import PipelineCost, pipeline_cost
from analogff.training.progress import Progress, Upcoming
from analogff.training.recorder import Recorder
from analogff.training.spending import Spending
from analogff.training.spent import Spent

_NONE = Augmentation()
EVALUATION_BATCH = 1000
DIVERGED_LOSS_RATIO = 10.0  # against one plus the loss before learning; healthy losses of all rules stay below 3


def train(
    rule: Rule,
    chips: Chips,
    data: Dataset,
    *,
    epochs: int,
    evaluate_every: int = 1,
    wait_seconds: float = 0.0,
    augmentation: Augmentation = _NONE,
    budget: Budget | None = None,
    progress: Progress | None = None,
    prices: Prices | None = None,
    test: bool = True,
    clock: Clock = "epoch",
    pipeline: Architecture | None = None,
    watch: Callable[[Upcoming], None] | None = None,
) -> Iterator[Epoch]:
    """Train chips by a rule, and look at them after every epoch, or every few and after the last.

    Args:
        rule: The rule, holding the sealed chips.
        chips: The same chips.
        data: Its validation split is never trained on, and its test split is only ever looked at.
        epochs: Passes through the training images.
        evaluate_every: Epochs from one look to the next.
        wait_seconds: Hardware time between the last training step and the last look.
        augmentation: What happens to training images; nothing by default.
        budget: Further limits; the step that reaches one is the last, and a look follows.
        progress: Where to go on, from a checkpoint; from the beginning if None. Updated in place.
        prices: Of digital work; those of 45 nm if None.
        test: Whether the test set is looked at; else its error is NaN.
        clock: When chips age by the hardware time of their training: after each epoch, each step, or also between the
            passes of a step, which follow each other as wholes (``pass``) or image by image (``interleaved``).
        pipeline: What stands around the arrays, for the costs of a chip in full; the default one if None.
        watch: Called before each step; it changes nothing.

    Yields:
        One `Epoch` after each look.

    Raises:
        ValueError: If the rule does not tell the clock from a coarser one.
    """
    progress = progress or Progress()
    recorder, spending = Recorder(rule, chips, watch), Spending(rule, chips, epochs, budget, prices)
    for loss, cost in _learned(recorder, data, spending, augmentation, progress, epochs, clock):
        if progress.stopped_by and wait_seconds:
            rule.network.wait(wait_seconds)
        if progress.stopped_by or progress.epoch % evaluate_every == 0:
            in_full = pipeline_cost(rule, chips, progress.images, pipeline, prices)
            yield _evaluate(recorder, data, progress, loss, cost, in_full, test)


def learn(
    rule: Rule,
    chips: Chips,
    data: Dataset,
    *,
    epochs: int,
    augmentation: Augmentation = _NONE,
    progress: Progress | None = None,
    prices: Prices | None = None,
    clock: Clock = "epoch",
) -> None:
    """Train chips as `train` does, and look at nothing."""
    progress = progress or Progress()
    recorder, spending = Recorder(rule, chips), Spending(rule, chips, epochs, None, prices)
    for _ in _learned(recorder, data, spending, augmentation, progress, epochs, clock):
        pass


def _learned(
    recorder: Recorder,
    data: Dataset,
    spending: Spending,
    augmentation: Augmentation,
    progress: Progress,
    epochs: int,
    clock: Clock,
) -> Iterator[tuple[torch.Tensor, Spent]]:
    """Train epoch by epoch, and let its hardware time pass; yields the loss and all cost so far."""
    refuse_clock(type(recorder.rule), recorder.rule.options, clock)
    recorder.chips.ledger.record_divergence(recorder.chips.chips, data.train.images.device)
    hardware = HardwareClock(recorder.rule, spending, progress, clock)
    while progress.epoch < epochs and not progress.stopped_by:
        start = time.perf_counter()
        loss = _one_epoch(recorder, data, spending, augmentation, progress, hardware)
        hardware.catch_up()
        spent = spending.spent()
        progress.wall_seconds += time.perf_counter() - start
        yield loss, spent


def _evaluate(
    recorder: Recorder,
    data: Dataset,
    progress: Progress,
    loss: torch.Tensor,
    cost: Spent,
    in_full: PipelineCost,
    look_at_test: bool,
) -> Epoch:
    """Return how the chips stand after an epoch."""
    start = time.perf_counter()
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
        pipeline=in_full,
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
    recorder: Recorder,
    data: Dataset,
    spending: Spending,
    augmentation: Augmentation,
    progress: Progress,
    hardware: HardwareClock,
) -> torch.Tensor:
    """Train for one epoch, and return the mean loss of each chip."""
    ledger = recorder.chips.ledger
    ledger.phase = TRAINING  # whatever somebody who only looked has left it at
    recorder.begin_epoch()
    with hardware.running():
        loss = _one_pass(recorder, data, spending, augmentation, progress, hardware)
    recorder.rule.finish_epoch()
    _note_divergence(progress, loss, ledger.diverged)
    progress.epoch += 1
    progress.stopped_by = progress.stopped_by or spending.stopped_by(progress.epoch)  # programming is spent too
    return loss


def _one_pass(
    recorder: Recorder,
    data: Dataset,
    spending: Spending,
    augmentation: Augmentation,
    progress: Progress,
    hardware: HardwareClock,
) -> torch.Tensor:
    """Train on every image once, or until a limit is reached; learning seed and epoch decide order and changes."""
    rule, split, ever = recorder.rule, data.train, progress.past_epochs + progress.epoch
    generator = torch.Generator().manual_seed(derive_seed(rule.seed, "order", ever))
    order = torch.randperm(len(split.labels), generator=generator).to(split.images.device)
    batches = order.split(rule.options.batch)
    draws = augmentation.draws(rule.seed, ever)
    total, seen = 0.0, 0
    for n, batch in enumerate(batches):
        share = spending.progress(progress.epoch + n / len(batches))
        rule.advance(share)
        images, labels = draws.applied(split.images[batch], data.image), split.labels[batch]
        if recorder.watch is not None:
            step, before = progress.epoch * len(batches) + n, progress.images
            recorder.watch(Upcoming(step=step, images_before=before, progress=share, images=images, labels=labels))
        loss = recorder.step(images, labels)
        if progress.first_loss is None:
            progress.first_loss = _of_each_chip(loss, rule).clone()
        total = total + loss * (len(batch) / len(order))
        seen += len(batch)
        progress.images += len(batch)
        hardware.step_over()
        progress.stopped_by = spending.stopped_by((progress.epoch * len(batches) + n + 1) / len(batches))
        if progress.stopped_by:
            break
    return torch.as_tensor(total) * (len(order) / seen)


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
