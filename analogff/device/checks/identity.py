"""A chip is its seed: nothing else, and nobody else, may decide what it answers."""

import random

import numpy as np
import torch

from analogff.device.checks.subject import SEEDS, Finding, Subject, alike, same
from analogff.device.protocol import Device

_MIXES = (
    "Expected a sample's answer to depend on its own input. Got one that changes with the rest of the batch, samples "
    "after it included. Take means and norms along the last axis, never along the batch."
)
_MIXES_EARLIER = (
    "Expected samples of a batch to influence each other no more than reads one after the other. Got answers that "
    "change with the samples before them in the batch, but not with the batch before. Take means and norms along the "
    "last axis; if neurons remember, keep what they remember in a buffer, and begin the next read from it."
)
_FORGETS_WITHIN = (
    "Expected what reads leave behind to act from sample to sample as from batch to batch. Got answers that change "
    "with the batch before, but not with the samples before them in their own. Go through the samples in order, each "
    "from where the one before left the device."
)


def seed(subject: Subject) -> list[Finding]:
    """Fabricate twice from one seed, and once from others."""
    first = subject.trace(subject.make())
    if not same(first, subject.trace(subject.make())):
        sentence = (
            "Expected two chips of one seed to answer alike through the same reads, pulses and waits. Got different "
            "outputs. Draw mismatch and noise, of reads and of writes, from torch.Generator().manual_seed(seed), or "
            "another generator that the seed alone decides."
        )
        return [Finding("seed", False, sentence)]
    others = subject.trace(subject.make([s + 100 for s in SEEDS]))
    note = " (note: another seed gives it too, so all chips are equal)" if same(first, others) else ""
    return [Finding("seed", True, f"The same seed gives the same trace{note}.")]


def global_generators(subject: Subject) -> list[Finding]:
    """Watch the global generators of torch, numpy and Python, and disturb them."""
    traces = []
    for disturbance in (1, 2):
        torch.manual_seed(disturbance)
        np.random.seed(disturbance)
        random.seed(disturbance)
        before = _states()
        traces.append(subject.trace(subject.make()))
        touched = [name for name, state in _states().items() if state != before[name]]
        if touched:
            sentence = (
                f"Expected noise from a generator of the chip's own. Got {touched[0]}'s global generator "
                "drawn from or seeded. Use torch.Generator().manual_seed(seed) and pass it to every draw."
            )
            return [Finding("generators", False, sentence)]
    if not same(*traces):
        sentence = (
            "Expected outputs that torch.manual_seed, numpy.random.seed and random.seed do not change. Got outputs "
            "that they do. Use a generator of the chip's own."
        )
        return [Finding("generators", False, sentence)]
    return [Finding("generators", True, "Global generators are neither drawn from nor seeded.")]


def rows(subject: Subject) -> list[Finding]:
    """Replace the later half of a batch, then the earlier one; later rows may notice only what later reads notice too.

    Neurons that settle, or cells that reads disturb, remember the read before. They do so whether it came in the same
    batch or in the one before, so this is no mixing of samples.
    """
    device = subject.make()
    x, y = subject.inputs(device), subject.inputs(device, tag=1)
    half = x.shape[1] // 2
    later, earlier = x.clone(), x.clone()
    later[:, half:], earlier[:, :half] = y[:, half:], y[:, :half]
    answer = device(x)
    if not alike(answer, subject.make()(x)):
        return [
            Finding("rows", True, "It cannot be told whether samples influence each other: no read can be repeated.")
        ]
    if not alike(answer[:, :half], subject.make()(later)[:, :half]):
        return [Finding("rows", False, _MIXES)]
    within = not alike(answer[:, half:], subject.make()(earlier)[:, half:])
    between = not alike(*(_second_read(subject.make(), *batch.chunk(2, dim=1)) for batch in (x, earlier)))
    if within != between:
        return [Finding("rows", False, _MIXES_EARLIER if within else _FORGETS_WITHIN)]
    if within:
        return [Finding("rows", True, "Each read depends on those before it, in one batch or two: it has a memory.")]
    return [Finding("rows", True, "Samples of a batch do not influence each other.")]


def _second_read(device: Device, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    device(first)
    return device(second)


def batches(subject: Subject) -> list[Finding]:
    """Read one batch at once and in two halves; a difference is worth knowing, and allowed."""
    device, twin = subject.make(), subject.make()
    x = subject.inputs(device)
    halves = [twin(half) for half in x.chunk(2, dim=1)]
    if alike(device(x), torch.cat(halves, dim=1)):
        return [Finding("batches", True, "One batch or two halves give the same samples.")]
    sentence = (
        "Two halves give other samples than one batch (note: allowed, but a study's numbers then depend on "
        "its batch size; address noise by read number to avoid it)."
    )
    return [Finding("batches", True, sentence)]


def bank(subject: Subject) -> list[Finding]:
    """Fabricate the second chip alone, and compare it with itself in company."""
    together, alone = subject.make(), subject.make(SEEDS[1:])
    x, change = subject.inputs(together), subject.change(1.0)
    for device, chips in ((together, slice(None)), (alone, slice(1, None))):
        device.pulse(change[chips])
    if not alike(together(x)[1:], alone(x[1:])):
        sentence = (
            "Expected a chip to answer the same alone and in a bank. Got different answers. Draw each "
            "chip's mismatch and noise from its own seed."
        )
        return [Finding("bank", False, sentence)]
    return [Finding("bank", True, "A chip is the same alone and in a bank.")]


def _states() -> dict[str, object]:
    keys = np.random.get_state()
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (keys[1].tobytes(), keys[2:]),  # type: ignore[union-attr]
        "random": random.getstate(),
    }
