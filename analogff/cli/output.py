"""Common output of commands: tables, lists of registered classes, descriptions, mistakes and figures."""

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column
from rich.text import Text

from analogff import catalog
from analogff.cli.boundary import FAILED, MISTAKE, OK, say_error
from analogff.support.console import say, table_of
from analogff.support.messages import in_words

if TYPE_CHECKING:
    import pandas as pd

    from analogff.support.mistakes import Mistake


def mistaken(what: object, mistakes: "Sequence[Mistake]" = ()) -> int:
    """Print the mistakes of the arguments or a study, and return the exit status."""
    lines = [str(mistake) for mistake in mistakes]
    if lines:
        number = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
        lines.insert(0, f"{what}: {number}, so nothing was run.")
    say_error("\n  ".join(lines or [str(what)]))
    return MISTAKE


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]], console: Console) -> None:
    """Print a table whose cells wrap."""
    headed = [Column(name, overflow="fold") for name in columns]
    console.print(table_of(headed, rows, title=Text(title) if title else None))


def list_registered(
    group: str, resolve: Callable[[str], type], console: Console, tell: Callable[[type], str] = catalog.summary
) -> None:
    """Print a line for each entry point of a group; a broken one with the reason."""
    for entry in catalog.registered(group):
        owner = catalog.distribution(entry)
        where = "" if owner == "analogff" else f" [{owner}]"
        try:
            line = tell(resolve(entry.name))
        except catalog.CatalogError as error:
            line = f"broken: {error}"
        say(console, f"{entry.name}{where}: {line}")


def print_description(name: str, found: Any, what: str, console: Console) -> None:
    """Print the description of a class.

    Args:
        name: Its name in the command.
        found: Its description.
        what: Name of its parameters, such as option.
        console: The console.
    """
    from analogff.catalog.descriptions import plain

    say(console, f"{name}: {found.summary}\n{plain(found.about)}\n")
    if found.units:
        say(console, f"Units: {found.units}\n")
    lines = [dataclasses.replace(line, meaning=plain(line.meaning)) for line in found.parameters]
    print_table("", (what, "default", "range", "meaning"), map(dataclasses.astuple, lines), console)
    if found.searched:
        say(console, f"Searched by [tune]: {plain(found.searched)}.")
    say(console, f"Source: {found.source or 'none is named.'}")


def draw_figures(folder: Path, results: "pd.DataFrame", console: Console, **how: Any) -> int:
    """Draw the figures of a study, print their folder, and return the exit status.

    Args:
        folder: Of the study.
        results: Its results.
        console: The console.
        how: Further arguments of `analogff.figures.draw_all`.
    """
    from analogff.study.results.parts import StoreError
    from analogff.support.mistakes import StudyError

    try:
        from analogff.figures import LeftOut, Missing, draw_all

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", LeftOut)
            files = draw_all(folder, results, **how)
    except (StudyError, Missing, StoreError) as error:
        return mistaken(error)
    except OSError:
        raise  # a full or closed disk is not an error of figures
    except Exception as error:  # the results are complete; a message suffices
        say_error(f"Expected figures of {folder}. Got {in_words(error)}. The results are there all the same.")
        return FAILED
    for line in dict.fromkeys(str(w.message) for w in caught if w.category is LeftOut):
        say(console, line)
    say(console, f"Results in {folder}, {len(files)} figure files in {how.get('out') or folder / 'figures'}.")
    return OK
