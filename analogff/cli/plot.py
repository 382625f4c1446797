"""``analogff plot``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from analogff.cli.arguments import ArgumentError, Command, Flag, Settings, argument, check_folder

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Plot(Command):
    """Draw the figures of a study, each with its numbers (CSV) and its caption (text)."""

    folder: Annotated[tyro.conf.Positional[Path], argument("DIR")]
    """Folder of results."""
    style: Annotated[str | None, argument("NAME")] = None
    """default, ieee, nature, neurips, icml or poster; that of the study by default."""
    columns: Annotated[int | None, argument("N")] = None
    """Columns of the page that a figure spans: 1 or 2."""
    format: Annotated[str, argument("NAMES")] = "pdf,png"
    """Formats of the files, with commas: pdf, png, svg."""
    kind: Annotated[str | None, argument("NAME")] = None
    """Draw this kind alone, such as heat_map; it says what is missing where it cannot be drawn."""
    all: Flag = False
    """Draw all figures, also where there are more than twenty."""
    set: Settings = ()
    """Override a field of [figure] in the study, e.g. figure.axes.error.scale=log; may be given several times."""
    beside: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction, argument("DIR")] = ()
    """Another folder of results to draw in the same figure, with --kind failure_map; may be given several times."""
    out: Annotated[Path | None, argument("DIR")] = None
    """Folder of the figures; DIR/figures by default."""

    def perform(self, console: "Console") -> int:
        """Load the results and draw them."""
        from analogff.cli.output import draw_figures, mistaken
        from analogff.figures.draw import known_kind
        from analogff.figures.drawing import formats_of
        from analogff.study.results.store import load_results

        try:
            formats, changes = formats_of(self.format), self._changes()
            kind = self.kind and known_kind(self.kind)
            if self.out:
                check_folder(self.out)
            results = load_results(self.folder)
            for other in self.beside:
                load_results(other)
        except (ValueError, ArgumentError) as error:  # no results, damaged ones, or no manifest
            return mistaken(error)
        given: dict[str, Any] = {
            "formats": formats,
            "changes": changes,
            "kind": kind,
            "every": self.all,
            "beside": self.beside,
        }
        return draw_figures(self.folder, results, console, **given, out=self.out)

    def _changes(self) -> dict[str, Any]:
        from analogff.study.read.document import parse_settings

        changes = _nested(parse_settings(self.set))
        given = {"style": self.style, "columns": self.columns}
        return changes | {name: value for name, value in given.items() if value is not None}


def _nested(given: dict[str, Any]) -> dict[str, Any]:
    """Return paths with dots as tables within tables."""
    tables: dict[str, Any] = {}
    for path, value in given.items():
        *above, name = path.removeprefix("figure.").split(".")
        _table(tables, above)[name] = value
    return tables


def _table(tables: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    for name in path:
        inner = tables.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ArgumentError(f"--set: Expected {name} once. Got it as a value and as a table. Remove one.")
        tables = inner
    return tables
