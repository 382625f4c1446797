"""Warnings about plug-ins before a study begins: guarantees of the results that they break."""

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from analogff.catalog import is_plug_in, resolve_device, resolve_rule
from analogff.catalog.parameters import with_files
from analogff.device import Digital, check_device
from analogff.learning.rule import Rule
from analogff.network import Chips, LayerSpec, fabricate_wired
from analogff.study.case import Case, DeviceChoice, RuleChoice
from analogff.support.process_state import standard
from analogff.training.checkpoint import restore, state_of
from analogff.training.progress import Progress

_NOT_ITS_SEED = "a chip's outputs are not decided by its seed alone: runs can be neither repeated nor resumed"
_NOT_ITS_LEARNING_SEED = "its steps are not decided by its seed alone: runs can be neither repeated nor resumed"
_N_IN, _WIDTHS, _CLASSES = 25, (20, 20), 10
_BROKEN = {
    "seed": _NOT_ITS_SEED,
    "generators": _NOT_ITS_SEED,
    "bank": "a chip's outputs depend on its neighbors: numbers depend on how runs are packed",
    "process": "it replaces functions that all devices share, so its tasks fail",
    "checkpoint": "a checkpoint does not restore it: an interrupted task resumes with other numbers",
}


def doubts(cases: Iterable[Case], folder: Path) -> Iterator[str]:
    """Yield a line for each plug-in whose results cannot be repeated or resumed.

    Args:
        cases: The cases to be run.
        folder: The study file's folder.
    """
    cases = list(cases)
    devices = {device.reference: device for case in reversed(cases) for device in reversed(case.devices)}
    for device in reversed(devices.values()):
        if is_plug_in(device.reference):
            yield from _of_device(device, folder)
    rules = {case.rule.name: case.rule for case in reversed(cases)}
    for rule in reversed(rules.values()):
        if is_plug_in(rule.name):
            yield from _of_rule(rule, folder)


def _of_device(device: DeviceChoice, folder: Path) -> Iterator[str]:
    model = resolve_device(device.reference, folder)
    parameters = with_files(model, device.parameters, folder)
    broken = [f.name for f in check_device(model, only=_BROKEN, **parameters).findings if not f.passed]
    given = dict.fromkeys(_BROKEN[name] for name in broken)
    if _NOT_ITS_SEED in given:  # irreproducible outputs appear to break the other checks too
        given = [_NOT_ITS_SEED]
    if given:
        yield f"{device.reference}: {'; '.join(given)}. `analogff check {device.reference}` says more."


def _of_rule(rule: RuleChoice, folder: Path) -> Iterator[str]:
    """Take a few steps of a rule on exact chips. A rule that fails there may still fit its own study."""
    try:
        first, again = (_life(rule, folder, disturbance=n) for n in (1, 2))
        given = "" if torch.equal(first, again) else _NOT_ITS_LEARNING_SEED
        if not given and not torch.equal(first, _life(rule, folder, disturbance=1, interrupted=True)):
            given = _BROKEN["checkpoint"]
    except KeyboardInterrupt:
        raise
    except BaseException:  # it may also exit; its tasks report that
        return
    if given:
        yield f"{rule.name}: {given}."


def _life(rule: RuleChoice, folder: Path, *, disturbance: int, interrupted: bool = False) -> torch.Tensor:
    """Return losses and outputs of four steps. Another rule may take the last two from a checkpoint."""
    own = torch.Generator().manual_seed(0)
    images, labels = torch.rand(4, 20, _N_IN, generator=own), torch.randint(_CLASSES, (4, 20), generator=own)
    with standard(rule.name, disturbance):
        teacher, chips = _make(rule, folder)
        losses = []
        for n in range(4):
            if interrupted and n == 2:
                state = copy.deepcopy(state_of(teacher, chips, Progress()))
                teacher, chips = _make(rule, folder)
                restore(state, teacher, chips)
            losses.append(teacher.step(images[n], labels[n]))
        return torch.cat([torch.stack(losses).flatten(), teacher.predict(images[0]).flatten()])


def _make(rule: RuleChoice, folder: Path) -> tuple[Rule, Chips]:
    model = resolve_rule(rule.name, folder)
    options = model.Options(**rule.options)
    shapes = model.layer_shapes(options, _N_IN, _WIDTHS, _CLASSES)
    chips = fabricate_wired([LayerSpec(Digital)] * len(_WIDTHS), shapes, seeds=[0, 1])
    return model(chips.seal(model.needs(options)), options, seed=0), chips
