"""Files of a characterization: datasheet.md for people, datasheet.json for machines, figures, and the twin."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import torch

from analogff.characterize.drawings import draw
from analogff.characterize.estimate import Estimate
from analogff.characterize.run import Characterization

_UNITS = (
    "Weighted sums are in the unit of the bias port: a bias of 1 adds 1 to a sum. A weight is a sum per unit of input. "
    "Inputs and outputs are in the units in which the device takes and gives them."
)
_UNITS_WITHOUT_PORT = (
    "Without a bias port weighted sums have no unit; inputs and outputs are in the units in which the device takes and "
    "gives them."
)


def write_down(found: Characterization, folder: Path) -> list[Path]:
    """Write everything into a folder, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = draw(found.curves, folder)
    pictures = [path.name for path in drawn if path.suffix == ".png"]
    machine, human = folder / "datasheet.json", folder / "datasheet.md"
    machine.write_text(json.dumps(as_plain(found), indent=2, allow_nan=False) + "\n")
    human.write_text(as_markdown(found, pictures))
    files = [human, machine, *drawn]
    if found.twin is not None:
        torch.save(found.twin.state_dict(), folder / "twin.pt")
        files.append(folder / "twin.pt")
    return files


def as_plain(found: Characterization) -> dict[str, Any]:
    """Return a characterization as plain data."""
    return {
        "device": found.device,
        "parameters": {name: _plain(value) for name, value in found.parameters.items()},
        "n_in": found.size[0],
        "n_out": found.size[1],
        "chip_seeds": list(found.seeds),
        "units": _units(found),
        "reads_a_chip": found.reads,
        "pulses_a_chip": found.pulses,
        "figures": [_figure(estimate) for estimate in found.estimates],
        "not_measurable": [{"name": row.name, "why": row.why} for row in found.missing],
    }


def rows(found: Characterization) -> list[tuple[str, ...]]:
    """Return the table: figure, value, interval, unit, n."""
    table = []
    for estimate in found.estimates:
        value, low, high = estimate.of_the_lot()
        interval = f"{_short(low)} to {_short(high)}"
        table.append((estimate.name, _short(value), interval, estimate.unit, str(_parts(estimate))))
    return table


def as_markdown(found: Characterization, pictures: list[str]) -> str:
    """Return a datasheet for people."""
    given = ", ".join(f"{name} = {value}" for name, value in found.parameters.items()) or "none"
    chips = len(found.seeds)
    lines = [
        f"# Datasheet of `{found.device}`, as measured",
        "",
        f"{chips} {'chip' if chips == 1 else 'chips'} of {found.size[0]} inputs and {found.size[1]} outputs, seeds "
        f"{found.seeds[0]} to {found.seeds[-1]}. Parameters: {given}.",
        f"Each chip was read {found.reads:,.0f} times and took {found.pulses:,.0f} write steps; nothing else was seen.",
        "",
        _units(found),
        "",
        "A figure with n = the number of chips is their mean, with Student's t over them: where the mean of such chips "
        "lies. The figures of each chip, with the interval of its own measurement, are in `datasheet.json`.",
        "",
        "| figure | value | 95 % interval | unit | n |",
        "|---|---:|---|---|---:|",
        *(f"| {' | '.join(row)} |" for row in rows(found)),
        "",
    ]
    if found.missing:
        lines += ["## Not measurable", "", *(f"* **{row.name}**: {row.why}." for row in found.missing), ""]
    lines += ["## How", "", *_methods(found), ""]
    if pictures:
        lines += ["## Curves", "", *(f"![{Path(name).stem}]({name})" for name in pictures), ""]
    if found.twin is not None:
        lines += ["`twin.pt` holds the state of the `MeasuredTwin` that was fitted to the same reads.", ""]
    return "\n".join(lines)


def _methods(found: Characterization) -> list[str]:
    """Return a line for each method, with its figures."""
    grouped = itertools.groupby(found.estimates, key=lambda estimate: estimate.how)
    return [f"* **{'; '.join(estimate.name for estimate in same)}**: {how}." for how, same in grouped]


def _units(found: Characterization) -> str:
    return _UNITS if found.by_bias else _UNITS_WITHOUT_PORT


def _parts(estimate: Estimate) -> int:
    """Return the number of independent parts behind the interval of a lot."""
    return len(estimate.value) if len(estimate.value) > 1 else estimate.n


def _figure(estimate: Estimate) -> dict[str, Any]:
    value, low, high = (_finite(part) for part in estimate.of_the_lot())
    many = len(estimate.value) > 1
    chips = [
        {"value": _finite(v), "low": _finite(a), "high": _finite(b), "n": estimate.n}
        for v, a, b in zip(*estimate.shown(), strict=True)
    ]
    return {
        "name": estimate.name,
        "value": value,
        "low": low,
        "high": high,
        "unit": estimate.unit,
        "n": _parts(estimate),
        "how": estimate.how + ("; mean over chips, t" if many else ""),
        **({"chips": chips} if many else {}),
    }


def _finite(number: Any) -> float | None:
    return float(number) if math.isfinite(number) else None


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _short(number: Any) -> str:
    return f"{float(number):.3g}"
