"""What each command does, and the exit status that it ends with."""

import dataclasses
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column
from rich.text import Text

from analogff import catalog
from analogff.cli.boundary import FAILED, MISTAKE, OK, say_error
from analogff.support.console import PlainConsole, say, table_of
from analogff.support.messages import in_words

if TYPE_CHECKING:
    from analogff.cli import arguments as cli

_WIDTH_OF_A_FILE = 200  # nobody's terminal is there to be fitted


def perform(command: Any) -> int:
    """Do a command of `analogff.cli` and return the exit status: 0, 1 failed, 2 mistaken."""
    act: Callable[[Any, Console], int] = _ACTS[type(command).__name__]
    return act(command, PlainConsole(width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE))


def run(command: "cli.Run", console: Console) -> int:
    """Validate, run what is left, tell the results and draw them."""
    from analogff.study.read.spec import read_study
    from analogff.study.results.store import StoreError
    from analogff.study.run.cluster import ClusterError
    from analogff.study.run.engine import default_folder, run_study
    from analogff.study.run.stall import watched
    from analogff.support.mistakes import StudyError

    folder = command.out
    try:
        _check_numbers(command)
        with watched(f"Reading {command.study}", say_error):
            study = read_study(command.study, command.set)
        folder = folder or default_folder(study)
        _check_folder(folder)
        workers = (os.cpu_count() or 1) if command.workers is None else command.workers
        finished = run_study(
            study,
            folder,
            workers=workers,
            scheduler=command.scheduler,
            memory_gib=command.memory,
            console=console,
        )
    except StudyError as error:
        return _mistaken(str(command.study), error.mistakes)
    except (ClusterError, StoreError, _Wrong) as error:
        return _mistaken(str(error))
    return _conclude(finished, console)


def plot(command: "cli.Plot", console: Console) -> int:
    """Draw the figures of a folder of results."""
    from analogff.study.results.store import StoreError, load_results

    try:
        load_results(command.folder)
    except StoreError as error:
        return _mistaken(str(error))
    except ValueError as error:
        return _mistaken(str(error))
    return _draw(command.folder, console)


def check(command: "cli.Check", console: Console) -> int:
    """Run the conformance suite on a device."""
    from analogff.device.checks.suite import check_device
    from analogff.study.run.stall import watched

    try:
        model, given = _device_and_settings(command)
    except _Wrong as error:
        return _mistaken(str(error), error.mistakes)
    with watched(f"Checking {command.device}", say_error):
        found = check_device(model, **given)
    for line in found.lines():
        say(console, line)
    return OK if found.passed else FAILED


def characterize(command: "cli.Characterize", console: Console) -> int:
    """Measure a device as a black box, write its datasheet and print the table."""
    from analogff.characterize import characterize, write_down
    from analogff.study.results.names import file_name
    from analogff.support.process_state import guarded

    try:
        model, given = _device_and_settings(command)
    except _Wrong as error:
        return _mistaken(str(error), error.mistakes)
    folder = command.out or Path("datasheets", file_name(command.device))
    try:
        with console.status("") as status, guarded(command.device):
            found = characterize(
                model,
                name=command.device,
                parameters=given,
                n_in=command.n_in,
                n_out=command.n_out,
                chips=command.chips,
                seed=command.seed,
                tell=lambda what: status.update(Text(f"Measuring: {what}")),
            )
    except ValueError as error:
        return _mistaken(str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # of the device's author, who wants to know where; a device may exit, too
        say_error(f"Expected {command.device} to be made. Got {in_words(error)}. `analogff check` says more.")
        return FAILED
    files = write_down(found, folder)
    _tell_figures(found, console)
    say(console, f"{len(files)} files in {folder}: datasheet.md is the one to read.")
    return OK if found.estimates else FAILED


def devices(command: "cli.Devices", console: Console) -> int:
    """List the registered devices with their sources, or tell all that one says about itself."""
    from analogff.catalog.descriptions import describe

    if command.device is None:
        _list(catalog.DEVICES, lambda name: catalog.resolve_device(name, Path.cwd()), console, _with_source)
        return OK
    try:
        found = describe(catalog.resolve_device(command.device, Path.cwd()))
    except catalog.CatalogError as error:
        return _mistaken(str(error))
    _tell_description(command.device, found, "parameter", console)
    return OK


def rules(command: "cli.Rules", console: Console) -> int:
    """List the registered rules, or tell all that one says about itself."""
    from analogff.catalog.descriptions import describe_rule

    if command.rule is None:
        _list(catalog.RULES, catalog.resolve_rule, console)
        return OK
    try:
        model = catalog.resolve_rule(command.rule)
    except catalog.CatalogError as error:
        return _mistaken(str(error))
    _tell_description(command.rule, describe_rule(model), "option", console)
    return OK


def _tell_description(name: str, found: Any, what: str, console: Console) -> None:
    from analogff.catalog.descriptions import plain

    say(console, f"{name}: {found.summary}\n{plain(found.about)}\n")
    if found.units:
        say(console, f"Units: {found.units}\n")
    _print_table("", (what, "default", "range", "meaning"), map(dataclasses.astuple, found.parameters), console)
    say(console, f"Source: {found.source or 'none is named.'}")


class _Wrong(ValueError):
    """An argument with a value that makes no sense, or several of them."""

    def __init__(self, what: str, mistakes: Any = ()):
        super().__init__(what)
        self.mistakes = mistakes


def _device_and_settings(command: Any) -> tuple[Any, dict[str, Any]]:
    """Return the class that a command names, and what its --set gives."""
    from analogff.catalog.parameters import read_parameters, with_files
    from analogff.study.read.document import parse_settings
    from analogff.support.mistakes import StudyError

    try:
        model = catalog.resolve_device(command.device, Path.cwd())
        given = parse_settings(command.set)
        _, mistakes = read_parameters(model, given, "--set", Path.cwd())
    except (catalog.CatalogError, StudyError) as error:
        raise _Wrong(str(error)) from error
    if mistakes:
        raise _Wrong(command.device, mistakes)
    return model, with_files(model, given, Path.cwd())


def _check_numbers(command: "cli.Run") -> None:
    if command.workers is not None and command.workers < 0:
        raise _Wrong(f"--workers: Expected 0 or more. Got {command.workers}. 0 works inside this process.")
    if not 0 < command.memory < float("inf"):
        raise _Wrong(f"--memory: Expected a positive number of GiB. Got {command.memory:g}. Give 1, for example.")


def _check_folder(folder: Path) -> None:
    """Refuse a place where no results can be written, before anything is computed for it."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    got = "a file" if not there.is_dir() else "" if os.access(there, os.W_OK | os.X_OK) else "a read-only place"
    if got:
        raise _Wrong(f"--out: Expected a folder that can be written. Got {there}, which is {got}. Name another one.")


def _conclude(finished: Any, console: Console) -> int:
    """Tell what came out, draw it, and name what failed."""
    from analogff.study.results.manifest import read_manifest
    from analogff.study.results.report import report
    from analogff.study.results.store import load_results
    from analogff.study.run.engine import describe_failure

    status = OK
    if any((finished.folder / "results").glob("part-*.parquet")):
        report(load_results(finished.folder), read_manifest(finished.folder), console)
        status = _draw(finished.folder, console)
    for outcome in finished.failures:
        say_error(describe_failure(outcome))
    if finished.failures:
        say_error(f"{len(finished.failures)} tasks failed; the others are kept. Give the same command to try again.")
    return FAILED if finished.failures else status


def _draw(folder: Path, console: Console) -> int:
    try:
        from analogff.figures import LeftOut, draw_all

        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", LeftOut)
            drawn = draw_all(folder)
    except OSError:
        raise  # a disk that is full or closed is no matter of figures
    except Exception as error:  # the numbers are safe, and worth more than a traceback
        say_error(f"Expected figures of {folder}. Got {in_words(error)}. The results are there all the same.")
        return FAILED
    for line in dict.fromkeys(str(w.message) for w in told if w.category is LeftOut):
        say(console, line)
    say(console, f"Results in {folder}, {len(drawn)} figure files in {folder / 'figures'}.")
    return OK


def _tell_figures(found: Any, console: Console) -> None:
    from analogff.characterize.write_down import rows

    title = f"{found.device}, {len(found.seeds)} chips, as measured from outside"
    _print_table(title, ("figure", "value", "95 % interval", "unit", "n"), rows(found), console)
    for row in found.missing:
        say(console, f"{row.name}: not measurable: {row.why}.")


def _with_source(model: type) -> str:
    from analogff.catalog.descriptions import describe

    found = describe(model)
    return f"{found.summary} Source: {found.source}" if found.source else found.summary


def _print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]], console: Console) -> None:
    headed = [Column(name, overflow="fold") for name in columns]
    console.print(table_of(headed, rows, title=Text(title) if title else None))


def _list(
    group: str, resolve: Callable[[str], Any], console: Console, tell: Callable[[type], str] = catalog.summary
) -> None:
    for entry in catalog.registered(group):
        owner = catalog.distribution(entry)
        where = "" if owner == "analogff" else f" [{owner}]"
        try:
            told = tell(resolve(entry.name))
        except catalog.CatalogError as error:
            told = f"broken: {error}"
        say(console, f"{entry.name}{where}: {told}")


def _mistaken(what: str, mistakes: Any = ()) -> int:
    lines = [str(mistake) for mistake in mistakes]
    if lines:
        number = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
        lines.insert(0, f"{what}: {number}, so nothing was run.")
    say_error("\n  ".join(lines or [what]))
    return MISTAKE


_ACTS: dict[str, Callable[[Any, Console], int]] = {
    "Run": run,
    "Plot": plot,
    "Check": check,
    "Characterize": characterize,
    "Devices": devices,
    "Rules": rules,
}
