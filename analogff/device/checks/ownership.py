"""Whose memory it is: answers belong to the caller, and so does what a device was handed."""

import torch

from analogff.device.checks.subject import Finding, Subject, alike
from analogff.device.protocol import Device

_HANDED = ("x", "bias", "change")


def answers(subject: Subject) -> list[Finding]:
    """Keep an answer through later reads and writes, and change arguments after they were handed over."""
    device = subject.make()
    answer = device(subject.inputs(device))
    before = answer.clone()
    device(subject.inputs(device, tag=1))
    device.pulse(subject.change(1.0))
    if not torch.equal(answer, before):
        sentence = (
            "Expected an answer that stays as it was. Got one that the next read overwrites, since both are the same "
            "memory. Return a copy: y.clone(). Until then a study copies every answer."
        )
        return [Finding("answers", False, sentence)]
    for name in _HANDED:
        if _keeps(subject, name):
            sentence = (
                f"Expected a device that is done with its arguments when it returns. Got one that keeps {name}, and "
                f"goes by what its caller wrote there since. Keep a copy: {name}.clone()."
            )
            return [Finding("answers", False, sentence)]
    return [Finding("answers", True, "Answers and arguments are the caller's: neither is used again.")]


def _keeps(subject: Subject, name: str) -> bool:
    """Tell whether a later life depends on what an argument was changed to once its verb had returned."""
    first, again, changed = (_life(subject, each) for each in (None, None, name))
    return alike(first, again) and not alike(first, changed)


def _life(subject: Subject, name: str | None) -> torch.Tensor:
    """Read, write, read and write again, and change one argument of the first read and write in between."""
    device = subject.make()
    handed = _hand_over(device, subject, 0)
    if name is not None:
        handed[name].mul_(-1)
    _hand_over(device, subject, 1)
    return device(subject.inputs(device)).clone()


def _hand_over(device: Device, subject: Subject, tag: int) -> dict[str, torch.Tensor]:
    x, change = subject.inputs(device, tag=tag), subject.change(1.0, tag=tag)
    bias = torch.full((*x.shape[:2], subject.n_out), 0.5)
    device(x, bias) if device.datasheet.bias_port else device(x)
    device.pulse(change)
    return {"x": x, "bias": bias, "change": change}
