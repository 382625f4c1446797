"""From a folder of results to its figures."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd

from analogff.figures import error_vs_epoch, error_vs_reads, error_vs_sweep, goodness_histogram, layer_error_vs_epoch
from analogff.figures.drawn import Drawn
from analogff.figures.results import Results
from analogff.figures.style import RC
from analogff.study.results.manifest import read_manifest
from analogff.study.results.store import load_goodness, load_layers, load_results

FIGURES = (error_vs_sweep, error_vs_epoch, error_vs_reads, layer_error_vs_epoch, goodness_histogram)
"""One figure a module, each with ``draw(results) -> Iterator[Drawing]``."""


def draw_all(folder: Path | str) -> list[Path]:
    """Draw what the results allow into ``folder/figures``, each as PDF, PNG and CSV.

    What an earlier call drew there and this one does not is removed, so that no figure shows numbers that are gone;
    other files are left alone, whatever they are called.

    Args:
        folder: What ``analogff run`` wrote, finished or not.

    Returns:
        The files, in the order they were drawn.

    Raises:
        ValueError: If there is no manifest or no result in the folder.
    """
    folder = Path(folder)
    goodness = load_goodness(folder)
    results = Results.of(
        load_results(folder),
        pd.DataFrame() if goodness is None else goodness,
        read_manifest(folder),
        load_layers(folder),
    )
    with mpl.rc_context():  # the same look whatever the user's own settings are
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        with Drawn.into(folder / "figures") as drawn:
            for figure in FIGURES:
                for drawing in figure.draw(results):
                    drawn.save(drawing)
    return drawn.files
