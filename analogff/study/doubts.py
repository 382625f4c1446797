"""What a study tells of plug-ins before it begins: which promises of its results they do not keep."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from analogff.catalog import is_plug_in, resolve_device
from analogff.device import check_device
from analogff.study.case import Case, DeviceChoice
from analogff.study.parameters import with_files

_NOT_ITS_SEED = "a chip's answers are not decided by its seed alone: runs can be neither repeated nor resumed"
_BROKEN = {
    "seed": _NOT_ITS_SEED,
    "generators": _NOT_ITS_SEED,
    "bank": "a chip answers otherwise beside others: numbers depend on which runs are put together",
    "checkpoint": "a checkpoint does not restore it: a task that was interrupted goes on to other numbers",
}


def doubts(cases: Iterable[Case], folder: Path) -> Iterator[str]:
    """Yield a line for each plug-in that makes results which cannot be repeated, or resumed.

    Args:
        cases: What is to be run.
        folder: The study file's folder.
    """
    devices = {device.reference: device for case in reversed(list(cases)) for device in reversed(case.devices)}
    for device in reversed(devices.values()):
        if is_plug_in(device.reference):
            yield from _of_device(device, folder)


def _of_device(device: DeviceChoice, folder: Path) -> Iterator[str]:
    model = resolve_device(device.reference, folder)
    parameters = with_files(model, device.parameters, folder)
    broken = [f.name for f in check_device(model, only=_BROKEN, **parameters).findings if not f.passed]
    told = dict.fromkeys(_BROKEN[name] for name in broken)
    if _NOT_ITS_SEED in told:  # what cannot be repeated seems to break the others too
        told = [_NOT_ITS_SEED]
    if told:
        yield f"{device.reference}: {'; '.join(told)}. `analogff check {device.reference}` says more."
