"""Drawing of the figures of a folder of results."""

import dataclasses
import importlib
import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analogff.figures.caption import caption
from analogff.figures.drawing import Drawing
from analogff.figures.drawn import Drawn
from analogff.figures.results import LeftOut, Missing, Results
from analogff.figures.style import styled
from analogff.study.results.manifest import read_manifest
from analogff.study.results.store import load_measurements, load_results
from analogff.support.mistakes import Mistake, StudyError, unknown_name

FIGURES = (
    "error_vs_sweep",
    "heat_map",
    "error_vs_epoch",
    "error_vs_reads",
    "error_vs_joules",
    "error_vs_seconds",
    "error_over_chips",
    "error_vs_event",
    "mortality_matrix",
    "energy_split",
    "energy_to_error",
    "layer_error_vs_epoch",
    "goodness_histogram",
    "update_vs_step",
)
"""Files of this folder. Each has ``draw(results) -> Iterator[Drawing]``, and names the files that it draws."""
ON_DEMAND = ("confusion_matrix", "receptive_fields", "cosine_vs_parameters", "sim_to_real", "failure_map")
"""The same, but drawn only when they are asked for: they read kept chips anew, or several studies."""
OF_SEVERAL = ("failure_map",)
"""Those of them that draw other folders beside."""
MOST = 20
"""Figures that are drawn unless all are asked for."""


def draw_all(
    folder: Path | str,
    frame: pd.DataFrame | None = None,
    *,
    kind: str | None = None,
    every: bool = False,
    formats: Sequence[str] = ("pdf", "png"),
    out: Path | None = None,
    changes: Mapping[str, Any] | None = None,
    beside: Sequence[Path] = (),
) -> list[Path]:
    """Draw what the results allow into ``folder/figures``, each with its numbers (CSV) and its caption (text).

    Figures that only an earlier call drew are removed unless they show the same numbers as one that could be drawn now,
    so no figure shows obsolete numbers. Other files are left alone.

    Args:
        folder: Folder of ``analogff run``, finished or not.
        frame: Its results, if already loaded.
        kind: The kind to draw; all by default, and then no figure of another kind is removed.
        every: Whether to draw all figures of each kind. By default there are at most `MOST`, of all kinds in turn.
        formats: Some of ``pdf``, ``png``, ``svg``.
        out: Another folder for the figures.
        changes: Changes of the study's table ``[figure]``, such as ``{"style": "ieee"}``.
        beside: Folders of other studies, for kinds of `OF_SEVERAL`.

    Returns:
        The files, in the order they were drawn.

    Raises:
        ValueError: If there is no manifest or no result in the folder.
        StudyError: If a change has a mistake, the kind is unknown, or it draws no other folders beside.
        Missing: If the results do not have what the kind needs.
    """
    results = _opened(Path(folder), frame, changes)
    if beside:
        results = _with_others(results, beside, kind)
    kinds = FIGURES if kind is None else (known_kind(kind),)
    with styled(results.choice.style, results.choice.columns):
        by_kind = _by_kind(kinds, results, strict=kind is not None)
        chosen = _chosen(by_kind, every)
        with Drawn.into(out or Path(folder) / "figures", formats, keep=kind is not None) as drawn:
            for drawing in itertools.chain(*by_kind):
                if id(drawing) in chosen:
                    drawn.save(dataclasses.replace(drawing, caption=caption(drawing, results)))
                else:
                    drawn.leave(drawing)
    return drawn.files


def _opened(folder: Path, frame: pd.DataFrame | None = None, changes: Mapping[str, Any] | None = None) -> Results:
    frame = load_results(folder) if frame is None else frame
    return Results.of(frame, load_measurements(folder), read_manifest(folder), changes, folder)


def _with_others(results: Results, beside: Sequence[Path], kind: str | None) -> Results:
    if kind not in OF_SEVERAL:
        advice = f"Write --kind {OF_SEVERAL[0]}, or leave the other folders out."
        raise StudyError([Mistake("--beside", f"--kind {' or '.join(OF_SEVERAL)}", str(kind or "all kinds"), advice)])
    return dataclasses.replace(results, beside=tuple(map(_opened, beside)))


def known_kind(kind: str) -> str:
    """Return a kind of figures.

    Raises:
        StudyError: If it is none.
    """
    kinds = (*FIGURES, *ON_DEMAND)
    if kind not in kinds:
        raise StudyError([unknown_name("kind", "a kind of figures", kind, kinds)])
    return kind


def draw_one(name: str, results: Results) -> Iterator[Drawing]:
    """Yield the drawings of a figure of `FIGURES`.

    Raises:
        Missing: If the results do not have what it needs.
    """
    return importlib.import_module(f"analogff.figures.{name}").draw(results)


def _by_kind(kinds: Sequence[str], results: Results, *, strict: bool) -> list[list[Drawing]]:
    """Return the drawings of each kind; without those that lack something, if not strict."""
    found = []
    for kind in kinds:
        try:
            found.append(list(draw_one(kind, results)))
        except Missing:
            if strict:
                raise
    return found


def _chosen(by_kind: list[list[Drawing]], every: bool) -> set[int]:
    """Return which drawings are drawn: all, or the first ones of each kind in turn; then say how many there are."""
    total = sum(map(len, by_kind))
    in_turn = [drawing for row in itertools.zip_longest(*by_kind) for drawing in row if drawing is not None]
    if every or total <= MOST:
        return {id(drawing) for drawing in in_turn}
    warnings.warn(
        f"{total} figures could be drawn: {MOST} are, the first of each kind in turn. analogff plot --all draws all.",
        LeftOut,
        stacklevel=3,
    )
    return {id(drawing) for drawing in in_turn[:MOST]}
