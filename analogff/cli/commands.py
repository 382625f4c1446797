"""All commands and their dispatch. Imports nothing that imports torch, so that --help is instant."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Union

import tyro

from analogff import __version__
from analogff.cli.arguments import NUMBERS, Command
from analogff.cli.boundary import OK

COMMANDS = (
    "run",
    "plot",
    "evaluate",
    "table",
    "compare",
    "timeline",
    "report",
    "check",
    "characterize",
    "devices",
    "rules",
    "new",
)
"""Files of this folder, in the order of --help. Each defines a `Command` of the same name, capitalized."""
_DESCRIPTION = """\
Train black-box analog hardware, and compare learning rules on it.
--version prints the version, --tyro-print-completion bash a shell completion."""
_WIDTH_OF_A_FILE = 200  # columns of output without a terminal


def perform(arguments: Sequence[str]) -> int:
    """Run the command of the arguments and return its exit status: 0, 1 (failed) or 2 (invalid input)."""
    if list(arguments) == ["--version"]:
        print(f"analogff {__version__}")
        return OK
    command = parse(arguments)

    from analogff.support.console import PlainConsole

    return command.perform(PlainConsole(width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE))


def parse(arguments: Sequence[str]) -> Command:
    """Return the command with its arguments.

    Raises:
        SystemExit: After printing --help or a mistake.
    """
    if os.environ.get("NO_COLOR"):
        tyro._experimental_options["ansi_codes"] = False
    return tyro.cli(
        Union[tuple(map(command_class, COMMANDS))],  # type: ignore[arg-type]  # noqa: UP007 (a union made at run time)
        args=arguments,
        prog="analogff",
        description=_DESCRIPTION,
        registry=NUMBERS,
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes, tyro.conf.DisallowNone),
    )


def command_class(name: str) -> type[Command]:
    """Return the class of a command."""
    return getattr(importlib.import_module(f"analogff.cli.{name}"), name.capitalize())
