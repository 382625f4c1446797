"""A figure with its numbers, and its files."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analogff.figures.scales import thin_out
from analogff.figures.style import fit_titles
from analogff.support.atomic import replacing
from analogff.support.mistakes import Mistake, StudyError, unknown_name

FORMATS = ("pdf", "png", "svg")
_UNDATED = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A figure with its plotted numbers; it is drawn when it is asked for."""

    name: str
    """File name without its ending."""
    draw: Callable[[], Figure]
    """Returns the figure."""
    table: pd.DataFrame
    """The plotted numbers."""
    caption: str = ""
    """What is shown, in a sentence or two."""

    @cached_property
    def figure(self) -> Figure:
        """The figure, without tick labels that would touch."""
        figure = self.draw()
        figure.draw_without_rendering()
        fit_titles(figure)
        thin_out(figure)
        return figure

    def save(self, folder: Path, formats: Sequence[str] = ("pdf", "png")) -> list[Path]:
        """Write figure, numbers and caption atomically; equal numbers give equal bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # the layout is found once, not anew for each file
        files = [_write(folder / f"{self.name}.{form}", partial(self._save, form)) for form in formats]
        files.append(_write(folder / f"{self.name}.csv", lambda path: self.table.to_csv(path, index=False)))
        if self.caption:
            text = self.caption + "\n"
            files.append(_write(folder / f"{self.name}.txt", lambda path: path.write_text(text, encoding="utf-8")))
        return files

    def _save(self, form: str, path: Path) -> None:
        self.figure.savefig(path, format=form, metadata=_UNDATED.get(form))


def formats_of(text: str) -> tuple[str, ...]:
    """Return the formats in a list with commas.

    Raises:
        StudyError: If one is unknown.
    """
    given = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if not given:
        raise StudyError([Mistake("--format", f"some of {', '.join(FORMATS)}, with commas", "none", "Write pdf,png.")])
    if unknown := [form for form in given if form not in FORMATS]:
        raise StudyError([unknown_name("--format", "a format", form, FORMATS) for form in unknown])
    return given


def _write(path: Path, write: Callable[[Path], object]) -> Path:
    with replacing(path) as temporary:
        write(temporary)
    return path
