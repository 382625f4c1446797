"""Common parts of commands: the base class, `--set`, and checks of arguments."""

import abc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import tyro

if TYPE_CHECKING:
    from rich.console import Console

    from analogff.support.mistakes import Mistake

NUMBERS = tyro.constructors.ConstructorRegistry()
"""How numbers of the command line are read, and what is said of those that are none."""
_SAYS_NOTHING = ("None", "", "False")


def argument(metavar: str | None = None, name: str | None = None) -> Any:
    """Return how --help shows an argument: with its default where that says something."""
    return tyro.conf.arg(
        name=name,
        metavar=metavar,
        help_behavior_hint=lambda default: "" if default in _SAYS_NOTHING else f"(default: {default})",
    )


Settings = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, argument("PATH=VALUE", name="set")]
Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff, argument()]


@NUMBERS.primitive_rule
def _number(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    kinds = {*(get_args(info.type) or (info.type,))} - {type(None)}
    if kinds not in ({int}, {float}):
        return None
    kind = kinds.pop()

    def read(words: list[str]) -> Any:
        try:
            return kind(words[0])
        except ValueError:
            expected = "a whole number" if kind is int else "a number"
            raise ValueError(f"Expected {expected}. Got {words[0]}. Give {kind(2)}, for example.") from None

    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=kind.__name__.upper(),
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
    )


class Command(abc.ABC):
    """A command: a frozen dataclass of its arguments. Import heavy modules inside `perform`."""

    @abc.abstractmethod
    def perform(self, console: "Console") -> int:
        """Run the command and return its exit status."""


class ArgumentError(ValueError):
    """Invalid arguments.

    Args:
        sentences: One sentence for each mistake; or the subject of the ``mistakes``.
        mistakes: Mistakes in it.
    """

    def __init__(self, *sentences: str, mistakes: "Sequence[Mistake]" = ()):
        super().__init__("\n".join(sentences))
        self.mistakes = mistakes


def device_and_settings(device: str, settings: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    """Return a device class and its parameters.

    Args:
        device: Its name.
        settings: Values of ``--set``.

    Raises:
        ArgumentError: If there is no such device, or a parameter is wrong.
    """
    from analogff import catalog
    from analogff.catalog.parameters import read_parameters, with_files
    from analogff.study.read.document import parse_settings
    from analogff.support.mistakes import StudyError

    try:
        model = catalog.resolve_device(device, Path.cwd())
        given = parse_settings(settings)
        _, mistakes = read_parameters(model, given, "--set", Path.cwd())
    except (catalog.CatalogError, StudyError) as error:
        raise ArgumentError(str(error)) from error
    if mistakes:
        raise ArgumentError(device, mistakes=mistakes)
    return model, with_files(model, given, Path.cwd())


def check_file(file: Path, option: str = "--out") -> None:
    """Refuse a file that cannot be written, before anything is computed.

    Raises:
        ArgumentError: If a folder is in its place, or its own folder cannot be written.
    """
    if file.is_dir():
        raise ArgumentError(f"{option}: Expected a file. Got the folder {file}. Name a file in it.")
    check_folder(file.parent, option)


def check_folder(folder: Path, option: str = "--out") -> None:
    """Refuse a folder that cannot be written, before anything is computed.

    Raises:
        ArgumentError: If a file is in its place, or it is read-only.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    got = "a file" if not there.is_dir() else "" if os.access(there, os.W_OK | os.X_OK) else "a read-only place"
    if got:
        raise ArgumentError(
            f"{option}: Expected a folder that can be written. Got {there}, which is {got}. Name another one."
        )
