"""The console: texts of users are printed verbatim, without markup."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text


class PlainConsole(Console):
    """A console without markup, emoji codes or highlights, whose output may close (``| head``)."""

    def __init__(self, **options: Any):
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def on_broken_pipe(self) -> None:
        """End the command as other commands end."""
        raise BrokenPipeError


def say(console: Console, text: str) -> None:
    """Print a line verbatim; a terminal wraps it, a file does not."""
    console.print(Text(text), soft_wrap=True)


def table_of(columns: Iterable[Column], rows: Iterable[Iterable[str]], **options: Any) -> Table:
    """Return a table with verbatim cells and headers; long cells continue in the next line."""
    table = Table(*(dataclasses.replace(column, header=Text(str(column.header))) for column in columns), **options)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
