"""Origin of a run's numbers: fingerprints of code and data, which every worker recomputes."""

from collections.abc import Mapping
from pathlib import Path

import analogff
from analogff import catalog
from analogff.catalog.parameters import sums_of_files
from analogff.data import fingerprint
from analogff.device import Device
from analogff.study.case import Case
from analogff.support.fingerprints import loaded_after_an_edit, sum_of_package


class OriginError(ValueError):
    """The numbers would not be those of the study.

    Args:
        names: Parts that changed since the study was read.
    """

    def __init__(self, *names: str):
        super().__init__(
            f"Expected what a worker loads to be what the study was read with. Got another {', another '.join(names)}. "
            "Undo the edit (of a worker on another machine: install the same code and data there) and give the same "
            "command to go on, or start anew with another --out."
        )
        self.names = names

    def __reduce__(self):
        return type(self), self.names


def engine() -> str:
    """Return the fingerprint of the code that runs a study, without devices and rules."""
    return f"{analogff.__version__} {sum_of_package('analogff')}"


def of_device(code: str, model: type[Device], parameters: dict, folder: Path) -> str:
    """Return the fingerprint of a device of a study file.

    Args:
        code: Fingerprint of its class.
        model: The class.
        parameters: Its parameters; files count by their content.
        folder: Base of relative paths.
    """
    return f"{code} {sums_of_files(model, parameters, folder)}".rstrip()


def of_rule(name: str, folder: Path) -> str:
    """Return the fingerprint of a rule."""
    return catalog.fingerprint(name, catalog.RULES, folder)


def known(case: Case, data: str) -> dict[str, str]:
    """Return the fingerprints that a case was read with.

    Args:
        case: The case.
        data: Fingerprint of its data set.
    """
    parts: dict[str, str] = {}
    for now in [*case.later, case]:
        parts |= {now.rule.name: now.rule.fingerprint}
        parts |= {_layer(n, choice.reference): choice.fingerprint for n, choice in enumerate(now.devices)}
    return {"analogff": engine(), name_of_data(case.settings.dataset): data} | parts


def found(case: Case, folder: Path) -> dict[str, str]:
    """Return the present fingerprints of a case in this process.

    Raises:
        OriginError: If a part of it was loaded after an edit, so that no fingerprint is valid.
    """
    parts: dict[str, str] = {}
    for now in [*case.later, case]:
        parts |= {now.rule.name: of_rule(now.rule.name, folder)}
        for n, choice in enumerate(now.devices):
            code, model = _resolved(choice.reference, folder)
            parts[_layer(n, choice.reference)] = of_device(code, model, choice.parameters, folder)
    demand_loaded()
    return {
        "analogff": engine(),
        name_of_data(case.settings.dataset): fingerprint(case.settings.dataset, folder),
    } | parts


def demand(expected: Mapping[str, str], got: Mapping[str, str] | None) -> None:
    """Raise an `OriginError` that names the differences."""
    if got is None:
        raise OriginError("analogff")
    if wrong := [name for name, mark in expected.items() if got.get(name) != mark]:
        raise OriginError(*dict.fromkeys(name.partition(" in layer ")[0] for name in wrong))


def demand_files(case: Case, folder: Path) -> None:
    """Raise an `OriginError` if a device's file changed; the device may read it at any time."""
    for choice in case.devices:
        sums = sums_of_files(catalog.resolve_device(choice.reference, folder), choice.parameters, folder)
        if not choice.fingerprint.endswith(sums):
            raise OriginError(f"file of {choice.reference}")


def demand_loaded() -> None:
    """Raise an `OriginError` if a module of a package was loaded after an edit."""
    if edited := loaded_after_an_edit():
        raise OriginError(*map(str, edited))


def _resolved(reference: str, folder: Path) -> tuple[str, type[Device]]:
    model = catalog.resolve_device(reference, folder)
    return catalog.fingerprint(reference, catalog.DEVICES, folder), model


def _layer(n: int, reference: str) -> str:
    return f"{reference} in layer {n + 1}"


def name_of_data(dataset: str) -> str:
    """Return the name of a data set among fingerprints."""
    return f"data set {dataset}"
