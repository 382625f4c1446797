"""A pulse must go where it was asked to, on average, however roughly; and nowhere, where nothing was asked."""

import torch

from analogff.device.checks.subject import SEEDS, Finding, Subject, alike
from analogff.device.protocol import Device
from analogff.device.windows import Windows

_READS = 256
_SIZES = (0.3, 1.0, 3.0)
_ERRORS = 4.0
"""Standard errors that a change must exceed to count: 1 in 16,000 neurons would by chance."""


def direction(subject: Subject) -> list[Finding]:
    """Compare the effect of a pulse with that of the equal bias, or with that of the opposite pulse.

    The change is ``dW = s x^T d / |x|^2`` with random signs s, so that ``dW x = d s``: one that the bias port
    can repeat exactly. Of shared weights, whose change no bias repeats, ``x`` is a window. The change is made larger
    until enough neurons answer beyond their noise.
    """
    sheet = subject.make().datasheet
    by_bias = sheet.bias_port and sheet.windows is None
    for size in _SIZES:
        agree, answered = _compare(subject, size, by_bias)
        if answered >= max(2, len(SEEDS) * subject.n_out // 4):
            break
    else:
        sentence = (
            f"Expected pulse(change) to show in the outputs. Got no answer beyond the noise of {_READS} "
            "reads. Add the change to the weights."
        )
        return [Finding("pulse", False, sentence)]
    other = "the equal bias" if by_bias else "the opposite pulse, turned round,"
    if 3 * agree < 2 * answered:
        sentence = (
            f"Expected a pulse to move outputs as {other} does. Got the same direction in {agree} of "
            f"{answered} neurons. Check its sign and its axes, (n_out, n_in)."
        )
        return [Finding("pulse", False, sentence)]
    return [Finding("pulse", True, f"A pulse moves outputs as {other} does, in {agree} of {answered} neurons.")]


def nothing(subject: Subject) -> list[Finding]:
    """Compare a chip that was asked for a change of zero with one that was not asked at all."""
    device, twin = subject.make(), subject.make()
    steps = device.pulse(torch.zeros_like(subject.change(1.0)))
    if steps is not None and torch.as_tensor(steps).any():
        sentence = f"Expected no write steps for a change of zero. Got {steps.tolist()}. Count those that were given."
        return [Finding("nothing", False, sentence)]
    x, change, answers = subject.inputs(device), subject.change(0.3), []
    for chip in (device, twin):
        before = chip(x)
        chip.pulse(change)
        answers.append(torch.cat([before, chip(x)], 1))
    if not alike(*answers):
        sentence = (
            "Expected a change of zero to leave a chip as it is, its noise included. Got other answers after one. "
            "Return early from pulse: if not change.any(): return."
        )
        return [Finding("nothing", False, sentence)]
    return [Finding("nothing", True, "A change of zero is no write.")]


def _of_one_read(x: torch.Tensor, windows: Windows) -> torch.Tensor:
    """Return what each output sees of one input at the middle of an image, ``(chips, fan_out, fan_in)``."""
    of_groups = windows.rows(x)[:, windows.positions // 2].unflatten(0, (-1, windows.groups))
    return of_groups.repeat_interleave(windows.fan_out // windows.groups, 1)


def _compare(subject: Subject, size: float, by_bias: bool) -> tuple[int, int]:
    """Return in how many neurons both agree, and how many answered to both."""
    device = subject.make()
    x = subject.inputs(device, 4)[:, :1]
    of_array = len(SEEDS), subject.weight_shape[0], 1
    signs = 2.0 * torch.randint(0, 2, of_array, generator=torch.Generator().manual_seed(3)) - 1
    windows = device.datasheet.windows
    seen = x if windows is None else _of_one_read(x, windows)
    change = size * signs * seen / seen.square().sum(-1, keepdim=True)
    resting = _mean(device, x)
    if by_bias:
        expected = _difference(_mean(device, x, size * signs.mT), resting)
        device.pulse(change)
    else:
        device.pulse(-change)
        expected = -_difference(_mean(device, x), resting)
        device = subject.make()
        resting = _mean(device, x)
        device.pulse(change)
    moved = _difference(_mean(device, x), resting)
    answered = (expected != 0) & (moved != 0)
    return int((answered & (expected == moved)).sum()), int(answered.sum())


def _mean(device: Device, x: torch.Tensor, bias: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and squared standard error of many reads of one input."""
    y = device(x.expand(-1, _READS, -1).contiguous(), bias).double()
    return y.mean(1), y.var(1) / _READS


def _difference(after: tuple[torch.Tensor, torch.Tensor], before: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Return the sign of a change of means, 0 where the noise could have made it."""
    change, error = after[0] - before[0], (after[1] + before[1]).sqrt()
    return change.sign() * (change.abs() > _ERRORS * error + 1e-6 * (1 + before[0].abs()))
