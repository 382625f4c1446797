"""The manifest: everything that a reader needs besides the numbers."""

import contextlib
import datetime
import json
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

import analogff
from analogff.network.layers import plan_layers
from analogff.network.pooling import Width, kinds_of_neurons
from analogff.study.read.spec import Study
from analogff.study.results.differences import sources_of
from analogff.study.task import Run
from analogff.support.atomic import replacing

_VERSIONED = ("torch", "numpy", "numba", "pandas", "pillow", "pyarrow", "distributed")


class _Manifest(BaseModel):
    """Keys that every reader needs."""

    model_config = ConfigDict(extra="allow")

    study: dict[str, Any]
    runs: list[str]
    created: str = ""


def describe(study: Study, runs: Sequence[Run]) -> dict[str, Any]:
    """Return the manifest of a study: the study as resolved, versions, commit, seeds, and the order of its runs."""
    settings = study.cases[0].settings.model_dump(mode="json")
    tables = {"device": study.document.get("device"), "rule": study.document["rule"], "sweep": study.axes}
    tables |= {name: study.document[name] for name in ("tune", "figure") if name in study.document}
    here = {
        "analogff": analogff.__version__,
        "python": platform.python_version(),
    }  # the code that runs, installed or not
    reads = _reads_per_sample(study)
    return {
        "study": settings | tables,
        "versions": here | {name: version(name) for name in _VERSIONED},
        "platform": platform.platform(),
        "commit": _commit(study.folder),
        "classes": {data.name: list(shape.label_names) for data, shape in study.shapes.items()},
        "seeds": {"chips": settings["chips"], "learning": settings["seeds"]},
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "sources": sources_of(study),
        "runs": [run.key for run in runs],
    } | ({"reads_per_sample": reads} if reads else {})


def _reads_per_sample(study: Study) -> list[int]:
    """Return how often each layer is read for one input, where some are convolutions and none differ in the study."""
    images = {shape.image for shape in study.shapes.values()}
    layers = study.cases[0].settings.layers
    if len(images) > 1 or any(case.settings.layers != layers for case in study.cases):
        return []
    widths = [planned.width for planned in plan_layers(layers, images.pop())]
    if not any(isinstance(width, Width) for width in widths):
        return []
    return [width // kinds_of_neurons(width) for width in widths]


def metadata_of(manifest: dict[str, Any]) -> dict[str, str]:
    """Return the metadata of every part of the results, without the study, whose sweep may be very long."""
    return {f"analogff.{key}": json.dumps(manifest[key], default=str) for key in ("versions", "commit")}


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write ``manifest.json`` atomically; a readable earlier one keeps its day of creation."""
    path = folder / "manifest.json"
    with contextlib.suppress(ValueError):
        manifest = manifest | {"created": read_manifest(folder)["created"] or manifest["created"]}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(manifest, indent=1, default=str) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of results.

    Raises:
        ValueError: If there is none that can be read.
    """
    path = folder / "manifest.json"
    try:
        return _Manifest.model_validate_json(path.read_bytes()).model_dump()
    except (OSError, ValueError) as error:
        got = "no such file" if isinstance(error, FileNotFoundError) else "one that cannot be read"
        raise ValueError(
            f"Expected {path}, which every run writes. Got {got}. Give a folder that analogff run wrote, or run the "
            "study again: results are kept, and the manifest is written again."
        ) from error


def _commit(folder: Path) -> str | None:
    """Return the git commit of the study file's folder, marked if any tracked file differs."""
    try:
        asked = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        return subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
