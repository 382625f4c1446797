"""Time and checkpoints: what a chip remembers, and what restores it."""

import io

import torch

from analogff.device.checks.subject import SEEDS, Finding, Subject, same

_PAUSE_SECONDS = 3600.0


def wait(subject: Subject) -> list[Finding]:
    """Let time pass, and compare with a chip for which none did."""
    waited, twin = subject.make(), subject.make()
    x = subject.inputs(waited)
    before, unmoved = waited(x), twin(x)
    for seconds in (0.0, 1.0, torch.full((len(SEEDS),), _PAUSE_SECONDS)):  # chips may wait for times of their own
        waited.wait(seconds)
    after, later = waited(x), twin(x)
    if not after.isfinite().all() or after.shape != before.shape:
        sentence = (
            f"Expected finite outputs of shape {tuple(before.shape)} after an hour's wait. Got shape "
            f"{tuple(after.shape)} with {int((~after.isfinite()).sum())} that are NaN or infinite. Keep drift finite "
            "at all times, 0 s included."
        )
        return [Finding("wait", False, sentence)]
    moved = "changes" if same(before, unmoved) and not same(after, later) else "does not change"
    return [Finding("wait", True, f"An hour's wait {moved} what is read.")]


def checkpoint(subject: Subject) -> list[Finding]:
    """Use a chip, save it, load it into a fresh one of the same seed, and compare their further lives."""
    used, fresh = subject.make(), subject.make()
    x = subject.inputs(used)
    used(x)
    used.pulse(subject.change(0.3, tag=2))
    used.wait(_PAUSE_SECONDS)
    used(x)
    file = io.BytesIO()
    torch.save(used.state_dict(), file)
    file.seek(0)
    fresh.load_state_dict(torch.load(file, weights_only=True))
    if not same(used(x), fresh(x)):
        return [Finding("checkpoint", False, _forgotten("the next read"))]
    if not same(subject.trace(used), subject.trace(fresh)):
        return [Finding("checkpoint", False, _forgotten("later reads, pulses and waits"))]
    return [Finding("checkpoint", True, "A checkpoint restores weights, clock and noise exactly.")]


def _forgotten(when: str) -> str:
    return (
        f"Expected a chip from a checkpoint to go on like the one that was saved. Got a difference in "
        f"{when}. Keep everything that changes (weights, clock, read counter, generator state) in buffers, "
        "changed in place."
    )
