"""A finished figure and its files."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.scales import thin_out
from analogff.support.atomic import replacing


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A figure with its plotted numbers."""

    name: str
    """File name without its ending."""
    figure: Figure
    table: pd.DataFrame
    """The plotted numbers."""

    def save(self, folder: Path) -> list[Path]:
        """Write PDF, PNG and CSV atomically; equal numbers give equal bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        thin_out(self.figure)
        return [
            _write(folder / f"{self.name}.pdf", self._pdf),
            _write(folder / f"{self.name}.png", lambda path: self.figure.savefig(path, format="png")),
            _write(folder / f"{self.name}.csv", lambda path: self.table.to_csv(path, index=False)),
        ]

    def _pdf(self, path: Path) -> None:
        self.figure.savefig(path, format="pdf", metadata={"CreationDate": None})


def _write(path: Path, write: Callable[[Path], object]) -> Path:
    with replacing(path) as temporary:
        write(temporary)
    return path
