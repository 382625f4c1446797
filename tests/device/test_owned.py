"""What a holder was given stays as it was, and a device that gives its own memory away is not copied."""

import numpy as np
import pytest
import torch

from analogff.device import Device, Digital, Observable, Sealed, check_device, fabricate

N_IN, N_OUT, ROWS = 5, 4, 6


class OneBuffer(Digital):
    """Fills and returns one buffer, as a driver of an instrument does."""

    def measure(self, x, bias=None):
        y = super().measure(x, bias)
        if getattr(self, "buffer", None) is None or self.buffer.shape != y.shape:
            self.buffer = torch.empty_like(y)
        return self.buffer.copy_(y)


class OneArray(Digital):
    """The same with memory that torch knows nothing of, one for each size of batch."""

    def measure(self, x, bias=None):
        y = super().measure(x, bias)
        arrays = self.arrays = getattr(self, "arrays", {})
        array = arrays.setdefault(tuple(y.shape), np.empty(y.shape, np.float32))
        array[:] = y.numpy()
        return torch.from_numpy(array)


class NewArray(Digital):
    def measure(self, x, bias=None):
        return torch.from_numpy(super().measure(x, bias).numpy().copy())


class Box(Device):
    """A fixed black box of many chips that returns one buffer."""

    banked = True

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out)
        self.chips, self.buffer = len(seed), {}

    def measure(self, x, bias=None):
        return self.buffer.setdefault(x.shape, torch.empty_like(x)).copy_(x)


class Echo(Digital):
    """Answers with a view of what it was asked."""

    def measure(self, x, bias=None):
        return x[..., :N_OUT]


def box(model):
    return Sealed(fabricate(model, N_IN, N_OUT, seeds=[0, 1]), chips=2, level=Observable.ORACLE)


def signal(tag, rows=ROWS):
    return torch.randn(2, rows, N_IN, generator=torch.Generator().manual_seed(tag))


@pytest.mark.parametrize("model", [OneBuffer, OneArray, NewArray, Box, Digital])
@pytest.mark.parametrize("rows", [(ROWS,), (ROWS, ROWS + 1)])
def test_an_answer_is_not_changed_by_later_reads(model, rows):
    chips, biases = box(model), [torch.tensor(0.1), torch.tensor(-0.2)]
    answers, kept = [], []
    for tag in range(12):
        x = signal(tag, rows[tag % len(rows)])
        for y in (chips.measure(x), *chips.probe(x, biases)):
            answers.append(y)
            kept.append(y.clone())
    assert all(torch.equal(y, before) for y, before in zip(answers, kept, strict=True))
    if model is not Box:
        assert not torch.equal(*answers[1:3]), "two biases are two answers"


def test_an_answer_is_not_what_was_asked():
    x = signal(0)
    y = box(Echo).measure(x)
    x.zero_()
    assert y.count_nonzero() == y.numel()


def test_the_truth_that_is_shown_is_a_copy_of_the_weights():
    chips = box(Digital)
    truth = chips.oracle(signal(0))
    before = chips.measure(signal(1))
    truth.weights.zero_()
    assert torch.equal(chips.measure(signal(1)), before)


@pytest.mark.parametrize(("model", "copied"), [(Digital, 0), (NewArray, 4), (OneBuffer, 9), (OneArray, 9)])
def test_only_memory_that_may_be_filled_again_is_copied(model, copied):
    device = fabricate(model, N_IN, N_OUT, seeds=[0, 1])
    places, measure = [], device.measure

    def watched(x, bias=None):
        y = measure(x, bias)
        places.append(y.data_ptr())
        return y

    device.measure = watched
    chips = Sealed(device, chips=2)
    kept = [chips.measure(signal(tag)) for tag in range(9)]
    assert sum(y.data_ptr() != place for y, place in zip(kept, places, strict=True)) == copied


@pytest.mark.parametrize("model", [OneBuffer, OneArray])
def test_the_suite_says_that_a_device_hands_out_its_buffer(model):
    found = {finding.name: finding for finding in check_device(model).findings}
    assert not found["answers"].passed
    assert "Got one that the next read overwrites" in found["answers"].sentence


class Keeps(Digital):
    """Lands a change when the next one comes, by which time it is another's."""

    def pulse(self, change):
        if getattr(self, "pending", None) is not None:
            super().pulse(self.pending)
        self.pending = change


def test_the_suite_says_that_a_device_keeps_what_it_was_handed():
    found = {finding.name: finding for finding in check_device(Keeps).findings}
    assert "Got one that keeps change" in found["answers"].sentence
