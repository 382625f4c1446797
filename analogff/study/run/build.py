"""What a task needs: its data, its chips, and the rule that teaches them."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from analogff.catalog import resolve_device, resolve_rule
from analogff.catalog.parameters import with_files
from analogff.data import DataChoice, Dataset, ImageShape, load_dataset
from analogff.device import convolution, derive_seed
from analogff.learning.rule import Rule
from analogff.network import Chips, LayerSpec, Network, fabricate_wired, plan_layers
from analogff.study.case import Case
from analogff.study.events import Copy
from analogff.study.settings import Settings
from analogff.study.task import Task, bank_parameters


def build(
    task: Task, data: Dataset, seeds: Sequence[int] = (), state: Mapping[str, Any] | None = None
) -> tuple[Rule, Chips]:
    """Make the chips of a task and their rule.

    Args:
        task: The runs, one a chip.
        data: Determines the numbers of input lines and labels.
        seeds: Chip seeds; those of the runs by default.
        state: State of the devices that the rule finds; as fabricated by default.
    """
    case, folder = task.runs[0].case, Path(task.folder)
    model = resolve_rule(case.rule.name, folder)
    options = model.Options(**case.rule.options)
    fabricated = list(seeds) or [run.chip for run in task.runs]
    chips = fabricate([run.case for run in task.runs], data.n_in, data.classes, fabricated, folder, data.image)
    chips.to(case.settings.compute)
    if state is not None:
        chips.devices.load_state_dict(state)
    if any(isinstance(step.event, Copy) and step.event.by == "register" for step in case.steps):
        chips.keep_requests()
    network = chips.seal(model.needs(options), case.settings.normalizer, data.image)
    seed = task.runs[0].seed
    if case.settings.first_weights == "programmed" and not model.programs(options):
        program_first_weights(network, seed)
    return model(network, options, seed=seed), chips


def fabricate(
    cases: Sequence[Case],
    n_in: int,
    classes: int,
    seeds: Sequence[int],
    folder: Path,
    image: ImageShape | None = None,
) -> Chips:
    """Make the chips of cases that share a bank, one a chip.

    Args:
        cases: They differ in per-chip parameters only.
        n_in: Input lines of an image.
        classes: Number of labels.
        seeds: Chip seeds.
        folder: The study file's folder.
        image: How the input lines are a picture, which convolutions slide over.
    """
    case = cases[0]
    model = resolve_rule(case.rule.name, folder)
    options, planned = model.Options(**case.rule.options), plan_layers(case.settings.layers, image)
    sizes, layers = (n_in, [layer.width for layer in planned], classes), len(planned)
    lines, specs = model.input_lines(options, *sizes), []
    for layer, choice in enumerate(case.devices):
        given = resolve_device(choice.reference, folder)
        parameters = with_files(given, bank_parameters([one.devices[layer] for one in cases]), folder)
        window = planned[layer].options if layer < layers else None
        device = given if window is None else convolution(given)
        specs.append(LayerSpec(device, device.on_lines(lines[layer], parameters | (window or {}))))
    head, pooling = specs[layers] if case.settings.head == "device" else None, [layer.pooling for layer in planned]
    shapes, writes = model.layer_shapes(options, *sizes), options.write_hardware
    return fabricate_wired(specs[:layers], shapes, seeds=list(seeds), head=head, writes=writes, pooling=pooling)


def program_first_weights(network: Network, seed: int) -> None:
    """Write weights from ``N(0, 1/n_in)`` onto every array, the same ones onto all chips.

    Args:
        network: The chips.
        seed: The learning seed, which draws them.
    """
    for layer in (*network.layers, network.head):
        if not layer.datasheet.readable_weights:
            generator = torch.Generator().manual_seed(derive_seed(seed, "first weights", layer.name))
            shape = layer.datasheet.weight_shape
            weights = torch.randn(shape, generator=generator) / shape[1] ** 0.5
            layer.program(weights.to(layer.torch_device).expand(layer.chips, -1, -1).contiguous())


def load_data(settings: Settings, state: str, folder: str) -> Dataset:
    """Load the data of a study, once for tasks that follow each other.

    Args:
        settings: Name the data.
        state: Fingerprint of its files, so that they are loaded again after an edit.
        folder: The study file's folder.
    """
    held_out = settings.validation_images
    return _load(settings.data, state, settings.train_images, held_out, folder, settings.compute)


@functools.lru_cache(maxsize=2)
def _load(
    source: DataChoice,
    _state: str,
    train_images: int | None,
    validation_images: int | None,
    folder: str,
    device: str,
) -> Dataset:
    return load_dataset(
        **source._asdict(),
        train_images=train_images,
        validation_images=validation_images,
        folder=folder,
        device=device,
    )
