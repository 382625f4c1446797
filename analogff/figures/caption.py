"""The caption beside a figure: what is shown, of how many chips, how they were trained, and by which program."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from analogff.data import title
from analogff.figures.drawing import Drawing
from analogff.figures.results import Results
from analogff.network import layer_text
from analogff.study.results.summary import CONFIDENCE

_BUDGET = {"reads": "reads", "pulses": "pulses", "device_seconds": "s on the chip", "system_joules": "J"}


def caption(drawing: Drawing, results: Results) -> str:
    """Return the whole caption of a figure, a paragraph a subject."""
    study = results.manifest.get("study", {})
    parts = (
        drawing.caption,
        " ".join(_numbers(drawing.table, study)),
        " ".join(_training(results.manifest, study)),
        " ".join(_data(study)),
        _program(results.manifest, study),
    )
    return "\n".join(filter(None, parts))


def _numbers(table: pd.DataFrame, study: Mapping[str, Any]) -> Iterator[str]:
    if "chips" in table and len(table):
        least, most = int(table["chips"].min()), int(table["chips"].max())
        n = f"n = {most}" if least == most else f"n = {least} to {most}"
        yield f"Means over {n} chips."
        if {"low", "high"} <= {*table} and table["low"].notna().any():
            seeds = len(study.get("seeds", ()))
            each = f", each the mean over {seeds} learning seeds" if seeds > 1 else ""
            yield f"Intervals are {100 * CONFIDENCE:.0f} % confidence intervals (Student's t over chips{each})."
        else:
            yield "One chip has no interval."
    if "diverged" in table and (lost := int(table["diverged"].sum())):
        yield f"Runs that diverged ({lost} of the points' runs) are left out of the means and marked by crosses."


def _training(manifest: Mapping[str, Any], study: Mapping[str, Any]) -> Iterator[str]:
    if "layers" in study:
        yield f"Hidden layers: {'-'.join(map(layer_text, study['layers']))}."
    if reads := manifest.get("reads_per_sample"):
        yield f"Reads per sample and pass: {' + '.join(map(str, reads))}, a layer each."
    if "epochs" in study:
        images = study.get("train_images")
        yield f"Training: {study['epochs']} epochs of {images or 'all'} images."
    limits = {name: value for name, value in (study.get("budget") or {}).items() if value is not None}
    if limits:
        said = (f"{value:g} {_BUDGET.get(name, name.replace('_', ' '))}" for name, value in limits.items())
        yield f"Budget of a training: at most {', '.join(said)}."
    elif "epochs" in study:
        yield "Budget: none besides the epochs."


def _data(study: Mapping[str, Any]) -> Iterator[str]:
    if "dataset" in study:
        yield f"Data: {title(study['dataset'])}; the whole test set."
        held = study.get("validation_images")
        held = (
            f"{held} of the training images" if held is not None else "2000 of the training images, or a tenth of few"
        )
        yield f"Validation images ({held}) are never learned from; no choice used the test set."


def _program(manifest: Mapping[str, Any], study: Mapping[str, Any]) -> str:
    versions = manifest.get("versions") or {}
    named = [f"{name} {versions[name]}" for name in ("analogff", "torch") if name in versions]
    commit = manifest.get("commit")
    named += [f"commit {commit[:12]}{'-dirty' * commit.endswith('-dirty')}"] if commit else []
    machine = ", ".join(filter(None, [study.get("compute"), manifest.get("platform")]))
    said = [f"Simulated with {', '.join(named)}"] if named else []
    said += [f"on {machine}"] if machine else []
    return f"{' '.join(said)}." if said else ""
