"""What is printed: texts of users stand as they were written, whatever a terminal library takes for markup."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text


class PlainConsole(Console):
    """A console without markup, emoji codes or highlights, whose reader may leave (``| head``)."""

    def __init__(self, **options: Any):
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def on_broken_pipe(self) -> None:
        """Let the command end as others do."""
        raise BrokenPipeError


def say(console: Console, text: str) -> None:
    """Print a line as it stands, for the terminal to wrap, or for nobody where it is a file."""
    console.print(Text(text), soft_wrap=True)


def table_of(columns: Iterable[Column], rows: Iterable[Iterable[str]], **options: Any) -> Table:
    """Return a table whose cells and headers stand as written; what is too wide goes on in the next line."""
    table = Table(*(dataclasses.replace(column, header=Text(str(column.header))) for column in columns), **options)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
