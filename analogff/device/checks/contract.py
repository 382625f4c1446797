"""What a datasheet and a read promise: lasting numbers, shape, type, range, no gradient, untouched arguments."""

import dataclasses
from typing import Any

import torch

from analogff.device.bank import Bank
from analogff.device.checks.subject import SEEDS, Finding, Subject, alike
from analogff.device.errors import BlackBoxError
from analogff.device.protocol import Device
from analogff.device.shared_inputs import SharedInputs

_KEEPS = "Keep the dtype and device of the arguments, and one row a sample."
_COUNTS = "Return one number of write steps a chip, or None to have the cells asked counted."


def construction(subject: Subject) -> list[Finding]:
    """Fabricate, and compare the datasheet's sizes with those asked for."""
    sheet = subject.make().datasheet
    wanted, got = (subject.n_in, subject.n_out), (sheet.n_in, sheet.n_out)
    if wanted != got:
        sentence = f"Expected a datasheet of {wanted} inputs and outputs. Got {got}. Pass n_in and n_out on to it."
        return [Finding("construction", False, sentence)]
    return [Finding("construction", True, f"{len(SEEDS)} chips were fabricated from their seeds.")]


def datasheet(subject: Subject) -> list[Finding]:
    """Compare what is printed about each chip, and about the same chip after a little life."""
    device = subject.make()
    parts = [part for part in device.modules() if isinstance(part, Device)]
    before = [_printed(part) for part in parts]
    for bank in (part for part in parts if isinstance(part, Bank)):
        first, *others = (_printed(chip) for chip in bank.devices)  # type: ignore[arg-type]
        for other in others:
            if name := _differing(first, other):
                sentence = (
                    f"Expected one datasheet for all chips of a kind. Got {name} = {first[name]!r} for one seed and "
                    f"{other[name]!r} for another. Print what is typical; a chip's own flaws belong in its buffers."
                )
                return [Finding("datasheet", False, sentence)]
    subject.trace(device)
    for part, printed in zip(parts, before, strict=True):
        if name := _differing(printed, after := _printed(part)):
            sentence = (
                f"Expected a datasheet that stays as it was printed. Got {name} = {printed[name]!r} before and "
                f"{after[name]!r} after reads, pulses and waits. Set it once, in __init__; what changes belongs in "
                "buffers."
            )
            return [Finding("datasheet", False, sentence)]
    return [Finding("datasheet", True, "The datasheet is the same for all chips, and stays so in use.")]


def shapes(subject: Subject) -> list[Finding]:
    """Look at shape, dtype and place of all answers, with and without bias."""
    device = subject.make()
    x = subject.inputs(device)
    read = (len(SEEDS), x.shape[1], subject.n_out)
    wanted: dict[str, tuple[torch.Tensor, tuple[int, ...], torch.dtype]] = {"measure(x)": (device(x), read, x.dtype)}
    if device.datasheet.bias_port:
        bias = torch.full((len(SEEDS), 1, subject.n_out), 0.1)
        wanted["measure(x, bias)"] = (device(x, bias), read, x.dtype)
    if device.knows_truth():
        slope, weights = device.oracle(x)
        wanted["oracle(x).slope"] = (slope, read, x.dtype)
        wanted["oracle(x).weights"] = (weights, (len(SEEDS), *subject.weight_shape), x.dtype)
        if (pulled := device.pullback(x, torch.ones_like(slope))) is not None:
            wanted["pullback(x, error)"] = (pulled, read, x.dtype)
    steps = device.pulse(subject.change(0.1))
    if steps is not None:
        wanted["the count that pulse returns"] = (steps, (len(SEEDS),), steps.dtype)
    for what, (answer, shape, dtype) in wanted.items():
        if tuple(answer.shape) != shape or answer.dtype != dtype or answer.device != x.device:
            sentence = (
                f"Expected {what} of shape {shape}, {dtype} on {x.device}. Got {tuple(answer.shape)}, "
                f"{answer.dtype} on {answer.device}. {_COUNTS if answer is steps else _KEEPS}"
            )
            return [Finding("shapes", False, sentence)]
    if steps is not None and not bool(((steps >= 0) & steps.isfinite()).all()):
        sentence = f"Expected the count that pulse returns to be finite numbers from 0. Got {steps.tolist()}. {_COUNTS}"
        return [Finding("shapes", False, sentence)]
    return [Finding("shapes", True, f"Answers have the contract's shapes and dtype ({', '.join(wanted)}).")]


def output_range(subject: Subject) -> list[Finding]:
    """Hold outputs against the limits that the datasheet prints, in use and after heavy writing."""
    device = subject.make()
    y, sheet = subject.trace(device), device.datasheet
    if not y.isfinite().all():
        sentence = (
            f"Expected finite outputs. Got {int((~y.isfinite()).sum())} of {y.numel()} that are NaN or infinite, over "
            "reads, pulses and waits. Clip what may overflow, and keep logarithms, roots and divisions in their range."
        )
        return [Finding("range", False, sentence)]
    low, high = (_limit(limit, y) for limit in (sheet.output_min, sheet.output_max))
    slack = 1e-5 * (1 + y.abs())
    if (low is not None and (y < low - slack).any()) or (high is not None and (y > high + slack).any()):
        sentence = (
            f"Expected outputs inside the datasheet's {sheet.output_min} to {sheet.output_max}. Got "
            f"{y.min():.4g} to {y.max():.4g}. Clip them, or print the true limits."
        )
        return [Finding("range", False, sentence)]
    return [
        Finding(
            "range",
            True,
            f"Outputs are finite and inside the datasheet's range, {y.min():.3g} to {y.max():.3g}.",
        )
    ]


def shortcuts(subject: Subject) -> list[Finding]:
    """Compare what a device shares between reads with the same reads one by one."""
    device, plain = subject.make(), subject.make()
    if type(device).measure_marked is Device.measure_marked and type(device).measure_biased is Device.measure_biased:
        return [Finding("shortcuts", True, "It has none: marked and biased inputs are read one by one.")]
    x = subject.inputs(device)
    lines = max(1, subject.n_in // 4)
    variants = SharedInputs(x.clone(), torch.stack([x[..., :lines], x[..., :lines].flip(1)], 1))
    variants.shared[..., :lines] = 0
    biases = [torch.tensor(0.1), torch.tensor(-0.2)] if device.datasheet.bias_port else []
    pairs = [("measure_marked", device(variants), plain(variants.whole()))]
    if biases:
        together, apart = device.measure_biased(x, biases), [plain(x, bias) for bias in biases]
        pairs += [("measure_biased", *pair) for pair in zip(together, apart, strict=True)]
    pairs.append((pairs[-1][0], device(x), plain(x)))  # no later read may use their noise again
    for name, shared, written in pairs:
        if not alike(shared, written):
            sentence = (
                f"Expected {name} to answer as measure does to the same reads one by one. Got other answers. Share "
                "only what is the same, give each read noise of its own in the same order, or leave it out."
            )
            return [Finding("shortcuts", False, sentence)]
    return [Finding("shortcuts", True, "What it shares between reads changes no read.")]


def arguments(subject: Subject) -> list[Finding]:
    """Compare the arguments of every verb before and after."""
    device = subject.make()
    x, change = subject.inputs(device), subject.change(0.1)
    bias = torch.full((len(SEEDS), x.shape[1], subject.n_out), 0.1)
    before = {"x": x.clone(), "change": change.clone(), "bias": bias.clone()}
    device(x, bias if device.datasheet.bias_port else None)
    device.pulse(change)
    for name, after in {"x": x, "change": change, "bias": bias}.items():
        if not torch.equal(before[name], after):
            sentence = f"Expected {name} to be left alone. Got it changed in place. Work on a copy: {name}.clone()."
            return [Finding("inputs", False, sentence)]
    return [Finding("inputs", True, "Arguments are left as they were.")]


def gradient(subject: Subject) -> list[Finding]:
    """Try to differentiate a read, and look for parameters that an optimizer could take."""
    device = subject.make()
    exposed = [name for name, parameter in device.named_parameters() if parameter.requires_grad]
    if exposed:
        sentence = (
            f"Expected physical state in buffers. Got the trainable parameter {exposed[0]}, which a learner "
            "could differentiate. Use register_buffer."
        )
        return [Finding("gradient", False, sentence)]
    if _leaks(device, subject.inputs(device)):
        sentence = (
            "Expected backward through a read to raise BlackBoxError. Got a gradient. Leave forward and "
            "__call__ alone, and put the physics into measure."
        )
        return [Finding("gradient", False, sentence)]
    return [Finding("gradient", True, "No gradient passes: backward through a read raises BlackBoxError.")]


def _printed(device: Device) -> dict[str, Any]:
    """Return a copy of what a datasheet prints, less curves, which cannot be compared."""
    values = {field.name: getattr(device.datasheet, field.name) for field in dataclasses.fields(device.datasheet)}
    plain = {name: value.tolist() if isinstance(value, torch.Tensor) else value for name, value in values.items()}
    return {name: value for name, value in plain.items() if not callable(value)}


def _differing(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """Return the first name that differs."""
    return next((name for name in one if one[name] != other.get(name)), None)


def _leaks(device: Device, x: torch.Tensor) -> bool:
    with torch.enable_grad():
        y = device(x.requires_grad_())
        if not y.requires_grad:
            return False
        try:
            y.sum().backward()
        except BlackBoxError:
            return False
    return True


def _limit(limit, y: torch.Tensor) -> torch.Tensor | None:
    """Return a limit in the shape ``(chips or 1, 1, 1)``."""
    return None if limit is None else torch.as_tensor(limit, dtype=y.dtype).reshape(-1, 1, 1)
