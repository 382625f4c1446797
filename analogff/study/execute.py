"""Doing one task, in whatever process a worker is: chips are made, sealed, taught and looked at."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from analogff.catalog import resolve_device, resolve_rule
from analogff.data import Dataset, Scale, fingerprint, load_dataset
from analogff.device import products_in
from analogff.network import Chips, LayerSpec, fabricate_wired
from analogff.normalise import make_normaliser
from analogff.rules.base import Rule
from analogff.study.columns import MEASURED
from analogff.study.histogram import goodness_histograms
from analogff.study.layer_error import layer_errors
from analogff.study.parameters import with_files
from analogff.study.standing import Teller
from analogff.study.task import Run, Task, bank_parameters
from analogff.study.unfinished import Unfinished
from analogff.train import Epoch, train
from analogff.words import in_words


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a task."""

    task: Task
    """The task."""
    numbers: pa.Table | None = None
    """One row a run and epoch; None if it failed."""
    goodness: pa.Table | None = None
    """Histograms, for rules that have a goodness."""
    layers: pa.Table | None = None
    """Errors of each layer alone, for rules whose layers answer."""
    failure: str = ""
    """What went wrong, in a sentence."""


def execute(task: Task) -> Outcome:
    """Do a task; whatever a device or rule raises is an outcome too, so that other tasks go on."""
    torch.set_num_threads(1)  # several threads would round differently, and workers share the cores already
    try:
        return _execute(task)
    except Exception as error:
        return Outcome(task, failure=in_words(error))


def _execute(task: Task) -> Outcome:
    settings = task.runs[0].case.settings
    state = fingerprint(settings.dataset, task.folder)
    held_out = settings.validation_images
    data = _load(settings.data, state, settings.train_images, held_out, task.folder, settings.compute)
    rule, chips = build(task, data)
    with products_in(settings.precision):
        return _train(task, rule, chips, data)


def _train(task: Task, rule: Rule, chips: Chips, data: Dataset) -> Outcome:
    settings = task.runs[0].case.settings
    unfinished, teller = Unfinished(task), Teller(task)
    progress, looks = unfinished.restore(rule, chips)
    epochs = train(
        rule,
        chips,
        data,
        epochs=settings.epochs,
        evaluate_every=settings.evaluate_every,
        wait_seconds=settings.wait_seconds,
        jitter=settings.jitter,
        progress=progress,
    )
    for epoch in epochs:
        looks = looks.with_tables(_rows(task.runs, epoch), layer_errors(task, rule, data, epoch.epoch))
        unfinished.keep(rule, chips, progress, looks)
        teller.tell(looks.numbers)
    return Outcome(task, looks.numbers, goodness_histograms(task, rule, data), layers=looks.layers)


def build(task: Task, data: Dataset) -> tuple[Rule, Chips]:
    """Make the chips of a task and the rule that is to teach them."""
    case, folder = task.runs[0].case, Path(task.folder)
    specs = []
    for layer, choice in enumerate(case.devices):
        device = resolve_device(choice.reference, folder)
        parameters = bank_parameters([run.case.devices[layer] for run in task.runs])
        specs.append(LayerSpec(device, with_files(device, parameters, folder)))
    layers = len(case.settings.layers)
    model = resolve_rule(case.rule.name, folder)
    options = model.Options(**case.rule.options)
    chips = fabricate_wired(
        specs[:layers],
        model.wiring(options, data.n_in, case.settings.layers, data.classes),
        seeds=[run.chip for run in task.runs],
        head=specs[layers] if case.settings.head == "device" else None,
    )
    chips.devices.to(case.settings.compute)
    normaliser = make_normaliser(
        case.settings.normalisation, max_gain=case.settings.agc_max_gain, offset=case.settings.agc_offset
    )
    return model(chips.seal(model.needs(options), normaliser, data.image), options, seed=task.runs[0].seed), chips


@functools.lru_cache(maxsize=2)
def _load(
    source: tuple[str, Scale],
    _state: str,
    train_images: int | None,
    validation_images: int | None,
    folder: str,
    device: str,
) -> Dataset:
    name, scale = source
    return load_dataset(
        name,
        train_images=train_images,
        validation_images=validation_images,
        scale=scale,
        folder=folder,
        device=device,
    )


def _rows(runs: tuple[Run, ...], epoch: Epoch) -> pa.Table:
    columns: dict[str, Any] = {"run": [run.key for run in runs], "epoch": [epoch.epoch] * len(runs)}
    columns |= {name: np.broadcast_to(np.asarray(getattr(epoch, name)), (len(runs),)) for name in MEASURED}
    columns["wall_seconds"] = [epoch.wall_seconds / len(runs)] * len(runs)
    return pa.table({name: pa.array(values) for name, values in columns.items()})
