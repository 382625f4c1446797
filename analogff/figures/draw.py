"""Drawing of the figures of a folder of results."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from analogff.figures.drawing import Drawing
from analogff.figures.drawn import Drawn
from analogff.figures.results import Results
from analogff.figures.style import styled
from analogff.study.results.manifest import read_manifest
from analogff.study.results.store import load_measurements, load_results

FIGURES = (
    "error_vs_sweep",
    "error_vs_epoch",
    "error_vs_reads",
    "error_vs_event",
    "energy_split",
    "energy_to_error",
    "layer_error_vs_epoch",
    "goodness_histogram",
)
"""Files of this folder. Each has ``draw(results) -> Iterator[Drawing]``, and names the files that it draws."""


def draw_all(folder: Path | str, frame: pd.DataFrame | None = None) -> list[Path]:
    """Draw what the results allow into ``folder/figures``, each as PDF, PNG and CSV.

    Figures that only an earlier call drew are removed, so no figure shows obsolete numbers. Other files are left alone.

    Args:
        folder: Folder of ``analogff run``, finished or not.
        frame: Its results, if already loaded.

    Returns:
        The files, in the order they were drawn.

    Raises:
        ValueError: If there is no manifest or no result in the folder.
    """
    folder = Path(folder)
    frame = load_results(folder) if frame is None else frame
    results = Results.of(frame, load_measurements(folder), read_manifest(folder))
    with styled():
        with Drawn.into(folder / "figures") as drawn:
            for name in FIGURES:
                for drawing in draw_one(name, results):
                    drawn.save(drawing)
    return drawn.files


def draw_one(name: str, results: Results) -> Iterator[Drawing]:
    """Yield the drawings of a figure of `FIGURES`."""
    return importlib.import_module(f"analogff.figures.{name}").draw(results)
