"""The command line: every argument is read here, and every error ends here as a sentence."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from analogff import __version__
from analogff.cli.boundary import OK, guard

# Nothing that imports torch is imported up here, so that --help is instant.

Settings = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="set", metavar="PATH=VALUE")]


@dataclass(frozen=True)
class Run:
    """Run a study, or resume it: what is there already is kept."""

    study: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="STUDY.toml")]
    """The study file (TOML)."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of the results; results/<name of the study> by default."""
    workers: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Worker processes on this machine, one thread each; 0 works inside this process; all cores by default."""
    scheduler: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS")] = None
    """Address of a running Dask scheduler, to use its workers instead."""
    set: Settings = ()
    """Overrule a path of the study file, e.g. device.read_noise=0.1; may be given several times."""
    memory: Annotated[float, tyro.conf.arg(metavar="GIB")] = 1.0
    """Most memory in GiB that the state of one task may take."""


@dataclass(frozen=True)
class Plot:
    """Draw the figures of a folder of results again."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """The folder that a run wrote."""


@dataclass(frozen=True)
class Check:
    """Tell in sentences whether a device honors the contract."""

    device: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DEVICE")]
    """A registered name, package.module:Class or path/to/file.py:Class."""
    set: Settings = ()
    """A parameter of the device, e.g. read_noise=0.1; may be given several times."""


@dataclass(frozen=True)
class Characterize:
    """Know a device by reads and pulses alone: write its datasheet, and a twin fitted to the same reads."""

    device: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DEVICE")]
    """A registered name, package.module:Class or path/to/file.py:Class."""
    set: Settings = ()
    """A parameter of the device, e.g. read_noise=0.1; may be given several times."""
    n_in: Annotated[int, tyro.conf.arg(metavar="N")] = 64
    """Input lines."""
    n_out: Annotated[int, tyro.conf.arg(metavar="N")] = 32
    """Output lines; intervals count them."""
    chips: Annotated[int, tyro.conf.arg(metavar="N")] = 5
    """How many chips are made."""
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """Of the first chip and of the stimuli."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Folder of the datasheet; datasheets/<name of the device> by default."""


@dataclass(frozen=True)
class Devices:
    """List the devices that are there, or tell all about one: equation, parameters, ranges, source."""

    device: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="DEVICE")] = None
    """A registered name, package.module:Class or path/to/file.py:Class; all registered ones by default."""


@dataclass(frozen=True)
class Rules:
    """List the learning rules that are there, or tell all about one: equation, options, ranges, source."""

    rule: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="RULE")] = None
    """A registered name, package.module:Class or path/to/file.py:Class; all registered ones by default."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit with its status."""
    sys.exit(guard(lambda: _perform(sys.argv[1:] if arguments is None else arguments)))


def _perform(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--version"]:
        print(f"analogff {__version__}")
        return OK
    command = tyro.cli(
        Run | Plot | Check | Characterize | Devices | Rules,  # type: ignore[arg-type]
        args=arguments,
        prog="analogff",
        description="Train black-box analog hardware, and compare learning rules on it. --version tells which this is.",
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes),
    )
    from analogff.cli import commands

    return commands.perform(command)


if __name__ == "__main__":
    main()
