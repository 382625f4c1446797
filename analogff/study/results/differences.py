"""Differences between a study and an earlier one: version, code, data and settings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import analogff
from analogff.study.case import DeviceChoice
from analogff.study.read.spec import Study
from analogff.support.fingerprints import sum_of_package
from analogff.support.mistakes import shown

_UNKNOWN = "another study, of edited code or data, or of another version (its manifest.json cannot be read)"


def sources_of(study: Study) -> dict[str, dict[str, str]]:
    """Return the fingerprints of all code and data of a study, by their names in the study."""
    code = {"analogff": sum_of_package("analogff")}
    for case in study.cases:
        code[case.rule.name] = case.rule.fingerprint
        code |= {_named(device): device.fingerprint for device in case.devices}
    return {"code": code, "data": {data.name: shape.fingerprint for data, shape in study.shapes.items()}}


def what_changed(folder: Path, now: Mapping[str, Any], *, shares_runs: bool) -> str:
    """Return in words how a study differs from that in a folder; empty if it does not.

    Args:
        folder: Of its results.
        now: The manifest of the study.
        shares_runs: Whether the folder has runs of this study; without any it is another study.
    """
    try:
        before = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        study, sources = before["study"], before.get("sources", {})
        version = before["versions"]["analogff"]
    except (OSError, ValueError, TypeError, KeyError):
        return _UNKNOWN
    if version != analogff.__version__:
        return f"another version ({version}, now {analogff.__version__})"
    edited = {kind: _edited(sources.get(kind, {}), marks) for kind, marks in now["sources"].items()}
    given = " and of ".join(f"edited {kind} ({', '.join(names)})" for kind, names in edited.items() if names)
    if given or shares_runs:
        return given
    other = [name for name in study if study[name] != _plain(now["study"].get(name))]
    if "tune" in study and {*other} <= {"tune"}:
        return ""  # another choice of options
    return f"another study ({'; '.join(_difference(name, study, now['study']) for name in other)})"


def _edited(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name, mark in now.items() if before.get(name, mark) != mark]


def _difference(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return f"{name} was {shown(before[name])}, and is {shown(_plain(now.get(name)))}"


def _plain(value: object) -> Any:
    """Return a value as read back from a manifest."""
    return json.loads(json.dumps(value, default=str))


def _named(device: DeviceChoice) -> str:
    """Return a device with its files, which are part of its fingerprint."""
    files = [str(value) for value in device.parameters.values() if isinstance(value, Path)]
    return " ".join([device.reference, *files])
