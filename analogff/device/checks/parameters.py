"""A setting that silently does nothing is the worst one: every enabled parameter must show.

It must show in what is read, or in what writes cost. One that is chosen by its name may instead decide which curve the
datasheet prints.
"""

import contextlib
import inspect
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

import torch

from analogff.device.checks.subject import SEEDS, Finding, Subject, same
from analogff.device.errors import ContractError
from analogff.device.protocol import Device

_NOT_PARAMETERS = ("self", "n_in", "n_out", "seed", "datasheet")


class _Life(typing.NamedTuple):
    read: torch.Tensor
    """All outputs."""
    spent: torch.Tensor
    """Steps that writes after them took, of those that say so."""
    printed: torch.Tensor
    """The printed curve over the sums that it is read at; empty without one."""


def every_one_matters(subject: Subject) -> list[Finding]:
    """Change each enabled parameter, and look for any difference in the trace, or in what writes cost."""
    before = _life(subject)
    values = {**_defaults(subject.model), **subject.parameters}
    findings = []
    for name, value in values.items():
        changes = list(_others(value, _choices(subject.model, name)))
        if changes:
            findings.append(_try_changes(subject, name, value, changes, before))
    return findings or [Finding("parameters", True, "There is no enabled parameter to try.")]


def _try_changes(subject: Subject, name: str, value: Any, changes: list[Any], before: _Life) -> Finding:
    refused = []
    for change in changes:
        try:
            after = _life(subject, **{name: change})
        except ValueError as error:
            refused.append(error)
            continue
        changed = f"Changing {name} from {_short(value)} to {_short(change)} changes"
        if not same(before.read, after.read):
            return Finding(name, True, f"{changed} what is read.")
        if not same(before.spent, after.spent):
            return Finding(name, True, f"{changed} the steps that writes take.")
        if isinstance(change, str) and not same(before.printed, after.printed):
            return Finding(name, True, f"{changed} the printed curve.")
    if len(refused) == len(changes):
        return Finding(name, True, f"{name} = {value!r} could not be varied (note: {refused[-1]}).")
    sentence = (
        f"Expected {name} to change what is read. Got the same outputs with {_short(value)} and with "
        f"{' or '.join(map(_short, changes))}, through reads, pulses and waits: parameter {name} did nothing. Use it "
        "in measure, pulse, program or wait, or remove it."
    )
    return Finding(name, False, sentence)


def _life(subject: Subject, **changes: Any) -> _Life:
    device = subject.make(**changes)
    read, spent, asked = subject.trace(device), [torch.empty(0)], subject.change(1.0, of=device)
    for write in (device.pulse, device.program):
        with contextlib.suppress(ContractError):  # not every device can be programmed
            spent.append(torch.as_tensor(steps if (steps := write(asked)) is not None else 0))
    return _Life(read, torch.cat([steps.flatten().cpu().double() for steps in spent]), _printed(device))


def _printed(device: Device) -> torch.Tensor:
    curve, sums = device.datasheet.neuron, torch.linspace(-4, 4, 33).view(1, -1, 1)
    shape = (len(SEEDS), -1, device.datasheet.n_out)
    return torch.empty(0) if curve is None else curve(sums.expand(shape)).detach()


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def _defaults(model: type[Device]) -> dict[str, Any]:
    signature = inspect.signature(model.__init__).parameters.values()
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {
        p.name: p.default
        for p in signature
        if p.name not in _NOT_PARAMETERS and p.kind in kinds and p.default is not inspect.Parameter.empty
    }


def _others(value: Any, choices: tuple) -> Iterator[Any]:
    """Yield other values to try; none for a parameter that is off, or of a kind unknown here."""
    if choices:
        yield from (choice for choice in choices if choice != value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int) and value:
        yield from (value + 1, value - 1)
    elif isinstance(value, float) and value:
        yield from (value * 1.5, value / 1.5)
    elif isinstance(value, torch.Tensor) and value.is_floating_point() and value.count_nonzero():
        yield from (value * 1.5, value / 1.5)


def _choices(model: type[Device], name: str) -> tuple:
    """Return what a parameter annotated as a Literal may be."""
    try:
        hint = typing.get_type_hints(model.__init__).get(name)
    except Exception:  # an annotation that cannot be resolved says nothing, and is no fault
        return ()
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    return next((typing.get_args(o) for o in options if typing.get_origin(o) is Literal), ())
