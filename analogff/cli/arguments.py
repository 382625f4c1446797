"""Common parts of commands: the base class, `--set`, and checks of arguments."""

import abc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from rich.console import Console

    from analogff.support.mistakes import Mistake

Settings = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="set", metavar="PATH=VALUE")]


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


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written, before anything is computed.

    Raises:
        ArgumentError: If a file is in its place, or it is read-only.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    got = "a file" if not there.is_dir() else "" if os.access(there, os.W_OK | os.X_OK) else "a read-only place"
    if got:
        raise ArgumentError(
            f"--out: Expected a folder that can be written. Got {there}, which is {got}. Name another one."
        )
