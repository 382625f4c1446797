"""The suite finds each planted fault by name, and passes devices without one."""

import dataclasses
import random
from typing import Literal

import numpy as np
import pytest
import torch

from analogff.device import Datasheet, Device, Digital, check_device
from analogff.device.checks.suite import CHECKS


class Chip(Device):
    """A clean noisy layer of one chip, with a parameter and a clock; the faults below are planted in it."""

    def __init__(self, n_in, n_out, *, seed, gain: float = 0.7, noise: float = 0.05, leak: float = 1e-4):
        super().__init__(n_in, n_out, datasheet=self.sheet(n_in, n_out))
        own = torch.Generator().manual_seed(seed)
        self.gain, self.noise, self.leak, self.seed = gain, noise, leak, seed
        self.register_buffer("weights", torch.randn(n_out, n_in, generator=own) / n_in**0.5)
        self.register_buffer("clock", torch.zeros(()))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def sheet(self, n_in, n_out):
        return Datasheet(n_in=n_in, n_out=n_out, bias_port=True, output_min=-1.0, output_max=1.0)

    def measure(self, x, bias=None):
        a = self.gain * torch.exp(-self.leak * self.clock) * (x @ self.weights.T)
        y = torch.tanh(a if bias is None else a + self.gain * bias)
        return (y + self.noise * self.draw(y)).clamp(-1, 1)

    def draw(self, y):
        self.calls += 1
        own = torch.Generator().manual_seed(self.seed * 100_003 + int(self.calls))
        return torch.randn(y.shape, generator=own)

    def pulse(self, change):
        self.weights += change

    def program(self, weights):
        self.weights.copy_(weights)

    def wait(self, seconds):
        self.clock += seconds


def failures(model, **parameters):
    report = check_device(model, **parameters)
    return {finding.name: finding.sentence for finding in report.findings if not finding.passed}


class Square(Device):
    def measure(self, x):
        return x**2


class NoPort(Chip):
    def sheet(self, n_in, n_out):
        return Datasheet(n_in=n_in, n_out=n_out)

    def measure(self, x):
        return super().measure(x)


@pytest.mark.parametrize("model", [Chip, NoPort, Square, Digital])
def test_clean_devices_pass(model):
    report = check_device(model)
    assert report.passed, report.lines()
    assert report.lines()[-1] == f"{model.__name__} honors all {len(report.findings)} checks of the contract."
    assert len(report.findings) >= len(CHECKS)


class Transposed(Chip):
    def measure(self, x, bias=None):
        return super().measure(x, bias).T


class Doubles(Chip):
    def measure(self, x, bias=None):
        return super().measure(x, bias).double()


class OwnSizes(Chip):
    def sheet(self, n_in, n_out):
        return Datasheet(n_in=8, n_out=16)


class ScalarCount(Chip):
    def pulse(self, change):
        super().pulse(change)
        return torch.ones(2)


class Single(Chip):
    """Answers to one sample where it was shown a batch."""

    def measure(self, x, bias=None):
        return super().measure(x, bias)[:1]


class SingleBank(Digital):
    def measure(self, x, bias=None):
        return super().measure(x, bias)[:, :1]


class TakesOneTime(Digital):
    def wait(self, seconds):
        self.aged = float(seconds)


class Elsewhere(Chip):
    def measure(self, x, bias=None):
        return super().measure(x, bias).to("meta")


class PrintsItsWear(Chip):
    def pulse(self, change):
        super().pulse(change)
        self.datasheet = dataclasses.replace(self.datasheet, output_max=0.9)


class PrintsItsFlaws(Chip):
    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        self.datasheet = dataclasses.replace(self.datasheet, weight_max=float(self.weights.max()))


class TooLoud(Chip):
    def measure(self, x, bias=None):
        return 1.5 * super().measure(x, bias)


class NotANumber(Chip):
    def measure(self, x, bias=None):
        return super().measure(x, bias).log()


class BurnsOut(Chip):
    """Divides by the time that is left, which is nothing after an hour."""

    def wait(self, seconds):
        super().wait(seconds)
        self.weights /= (1 - self.clock / 3601).clamp(min=0)


class ClipsItsInput(Chip):
    def measure(self, x, bias=None):
        return super().measure(x.clamp_(0, 1), bias)


class ScalesTheBias(Chip):
    def measure(self, x, bias=None):
        return super().measure(x, bias if bias is None else bias.mul_(0.7))


class EatsTheChange(Chip):
    def pulse(self, change):
        super().pulse(change)
        change.zero_()


class Leaky(Digital):
    def __call__(self, x, bias=None):
        return self.measure(x, bias)


class Trainable(Chip):
    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        self.scale = torch.nn.Parameter(torch.ones(()))


class Unseeded(Chip):
    made = 0

    def __init__(self, n_in, n_out, *, seed):
        Unseeded.made += 1
        super().__init__(n_in, n_out, seed=seed + Unseeded.made)


class WritesByLuck(Chip):
    """How much of a pulse lands is decided by how many were ever sent to any chip."""

    sent = 0

    def pulse(self, change):
        WritesByLuck.sent += 1
        self.weights += change * torch.rand((), generator=torch.Generator().manual_seed(WritesByLuck.sent))


class DrawsGlobally(Chip):
    def draw(self, y):
        return torch.randn(y.shape)


class DrawsFromNumpy(Chip):
    def draw(self, y):
        return torch.tensor(np.random.standard_normal(tuple(y.shape)), dtype=torch.float32)


class SeedsGlobally(Chip):
    def __init__(self, n_in, n_out, *, seed):
        random.seed(seed)
        super().__init__(n_in, n_out, seed=seed)


class DrawsInSecret(Chip):
    def draw(self, y):
        with torch.random.fork_rng():
            return torch.randn(y.shape)


class Centres(Chip):
    def measure(self, x, bias=None):
        return super().measure(x - x.mean(0), bias)


class Silent(Chip):
    """Without noise, so that what rows do to each other shows."""

    def draw(self, y):
        return torch.zeros_like(y)


class Settles(Chip):
    """Outputs that go half of their way in each read, on from where the one before left them."""

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        self.register_buffer("last", torch.zeros(n_out))

    def measure(self, x, bias=None):
        y = super().measure(x, bias)
        for row in y:
            self.last.lerp_(row, 0.5)
            row.copy_(self.last)
        return y


class SettlesQuietly(Settles, Silent):
    pass


class StartsAfresh(SettlesQuietly):
    """Forgets what it remembers at the end of each batch."""

    def measure(self, x, bias=None):
        self.last.zero_()
        return super().measure(x, bias)


class RemembersBatches(Silent):
    """The last sample of a batch shifts the next batch as a whole."""

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        self.register_buffer("last", torch.zeros(n_out))

    def measure(self, x, bias=None):
        y = super().measure(x, bias)
        shifted = (y + 0.5 * self.last).clamp(-1, 1)
        self.last.copy_(y[-1])
        return shifted


class KnowsItsNeighbors(Chip):
    banked = True

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=sum(seed))
        self.weights = self.weights.expand(len(seed), -1, -1).clone()

    def measure(self, x, bias=None):
        a = torch.matmul(x, self.weights.mT)
        return torch.tanh(self.gain * (a if bias is None else a + bias))


class BreaksInTime(Chip):
    def wait(self, seconds):
        self.weights *= torch.tensor(seconds).log()


class ForgetsItsClock(Chip):
    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        del self.clock
        self.clock = torch.zeros(())


class ForgetsItsReads(Chip):
    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        del self.calls
        self.calls = 0


class KeepsAGenerator(Chip):
    """Goes on drawing from one generator, whose place no checkpoint holds."""

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        self.own = torch.Generator().manual_seed(seed)

    def draw(self, y):
        return torch.randn(y.shape, generator=self.own)


class ForgetsItsWeights(Chip):
    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        weights = self.weights
        del self.weights
        self.weights = weights


class WrongWay(Chip):
    def pulse(self, change):
        self.weights -= change


class WrongWayWithoutPort(NoPort):
    """Without a bias port only a pulse that goes one way whatever its sign can be told."""

    def pulse(self, change):
        self.weights += change.abs()


class NeverWrites(Chip):
    def pulse(self, change):
        pass


class WritesOfNothing(Digital):
    """Its writes land anywhere near, those of nothing included."""

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def pulse(self, change):
        self.calls += 1
        generator = torch.Generator().manual_seed(int(self.calls))
        super().pulse(change + 0.01 * torch.randn(change.shape[1:], generator=generator))


class CountsNothing(Digital):
    def pulse(self, change):
        super().pulse(change)
        return torch.full((len(change),), change[0].numel())


class ReadsOnceForTwo(Digital):
    """Answers the second bias with the noise of the first."""

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def draw(self, y):
        self.calls += 1
        return 0.1 * torch.randn(y.shape[1:], generator=torch.Generator().manual_seed(int(self.calls)))

    def measure(self, x, bias=None):
        y = super().measure(x, bias)
        return y + self.draw(y)

    def measure_biased(self, x, biases):
        y = self.measure(x)
        return [y + bias for bias in biases]


class OneNoiseForAllMarks(ReadsOnceForTwo):
    """Answers all variants of an input with the noise of the first."""

    measure_biased = Digital.measure_biased
    measure = ReadsOnceForTwo.measure

    def measure_marked(self, x, bias=None):
        y = Digital.measure(self, x.whole(), bias)
        variants = x.marks.shape[1]
        return y + self.draw(y[:, : y.shape[1] // variants]).repeat(variants, 1)


class Raises(Chip):
    def wait(self, seconds):
        raise KeyError("oven")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "name", "sentence"),
    [
        (Transposed, "shapes", "to return a tensor of shape (batch, n_out) = (24, 8). Got (8, 24)"),
        (Single, "shapes", "to return a tensor of shape (batch, n_out) = (24, 8). Got (1, 8)"),
        (SingleBank, "shapes", "Expected measure(x) of shape (2, 24, 8), torch.float32 on cpu. Got (2, 1, 8)"),
        (Doubles, "shapes", "torch.float64"),
        (Elsewhere, "shapes", "on meta. Keep the dtype and device"),
        (OwnSizes, "construction", "Expected a datasheet of (16, 8) inputs and outputs. Got (8, 16)"),
        (PrintsItsWear, "datasheet", "Got output_max = 1.0 before and 0.9 after reads"),
        (PrintsItsFlaws, "datasheet", "Expected one datasheet for all chips of a kind. Got weight_max = "),
        (ScalarCount, "shapes", "the count that pulse returns"),
        (TooLoud, "range", "Expected outputs inside the datasheet's -1.0 to 1.0. Got -1.5 to"),
        (NotANumber, "range", "Expected finite outputs"),
        (BurnsOut, "wait", "after an hour's wait"),
        (ClipsItsInput, "inputs", "Expected x to be left alone"),
        (ScalesTheBias, "inputs", "Expected bias to be left alone"),
        (EatsTheChange, "inputs", "Expected change to be left alone"),
        (ReadsOnceForTwo, "shortcuts", "Expected measure_biased to answer as measure"),
        (OneNoiseForAllMarks, "shortcuts", "Expected measure_marked to answer as measure"),
        (Leaky, "gradient", "raise BlackBoxError. Got a gradient"),
        (Trainable, "gradient", "Got the trainable parameter devices.0.scale"),
        (Unseeded, "seed", "Expected two chips of one seed to answer alike"),
        (WritesByLuck, "seed", "Expected two chips of one seed to answer alike"),
        (DrawsGlobally, "generators", "Got torch's global generator"),
        (DrawsFromNumpy, "generators", "Got numpy's global generator"),
        (SeedsGlobally, "generators", "Got random's global generator"),
        (DrawsInSecret, "generators", "Got outputs that they do"),
        (Centres, "rows", "changes with the rest of the batch"),
        (StartsAfresh, "rows", "change with the samples before them in the batch, but not with the batch before"),
        (RemembersBatches, "rows", "change with the batch before, but not with the samples before them"),
        (KnowsItsNeighbors, "bank", "the same alone and in a bank"),
        (BreaksInTime, "wait", "after an hour's wait"),
        (
            TakesOneTime,
            "wait",
            "Expected wait to take seconds as one number and, in a banked class, as one a chip. Got ",
        ),
        (ForgetsItsClock, "checkpoint", "Got a difference in the next read"),
        (ForgetsItsReads, "checkpoint", "Got a difference in the next read"),
        (KeepsAGenerator, "checkpoint", "Got a difference in the next read"),
        (ForgetsItsWeights, "checkpoint", "Got a difference in the next read"),
        (WrongWay, "pulse", "Got the same direction in 0 of"),
        (WrongWayWithoutPort, "pulse", "as the opposite pulse"),
        (NeverWrites, "pulse", "Got no answer beyond the noise"),
        (WritesOfNothing, "nothing", "Expected a change of zero to leave a chip as it is"),
        (CountsNothing, "nothing", "Expected no write steps for a change of zero. Got [128, 128]"),
    ],
)
def test_a_planted_fault_is_found(model, name, sentence):
    found = failures(model)
    assert sentence in found[name]
    assert found[name].count(". ") >= 2, "three clauses: expected, got, do this"


@pytest.mark.parametrize("model", [Settles, SettlesQuietly])
def test_a_memory_that_is_the_same_in_one_batch_or_two_is_no_mixing(model):
    report = check_device(model)
    assert report.passed, report.lines()
    assert any("Each read depends on those before it, in one batch or two" in line for line in report.lines())
    assert not any("Each read depends" in line for line in check_device(Chip).lines())


def test_one_fault_is_not_reported_as_several():
    assert list(failures(WrongWay)) == list(failures(NeverWrites)) == ["pulse"]
    assert list(failures(ForgetsItsClock)) == ["checkpoint"]
    assert "rows" not in failures(DrawsGlobally), "noise that cannot be repeated is no mixing"
    assert list(failures(Transposed))[0] == "shapes"


class Ignores(Chip):
    def __init__(
        self,
        n_in,
        n_out,
        *,
        seed,
        noise: float = 0.05,
        hysteresis: float = 0.3,
        bits: int = 6,
        memory: bool = False,
        mode: Literal["a", "b"] = "a",
        off: float = 0.0,
        preset: float | None = None,
    ):
        super().__init__(n_in, n_out, seed=seed, noise=noise)


def test_an_enabled_parameter_that_does_nothing_is_named():
    found = failures(Ignores)
    assert set(found) == {"hysteresis", "bits", "memory", "mode"}
    assert "parameter hysteresis did nothing" in found["hysteresis"]
    assert set(failures(Ignores, off=1.0, noise=0.0)) == {"hysteresis", "bits", "memory", "mode", "off"}


class Picky(Chip):
    def __init__(self, n_in, n_out, *, seed, gain: float = 0.7):
        if gain != 0.7:
            raise ValueError("only 0.7 was ever measured")
        super().__init__(n_in, n_out, seed=seed, gain=gain)


def test_a_parameter_that_cannot_vary_is_a_note():
    report = check_device(Picky)
    assert report.passed
    assert any("could not be varied (note: only 0.7 was ever measured)" in line for line in report.lines())


def test_a_device_that_raises_is_told_with_file_and_line():
    found = failures(Raises)
    first, *others = found.values()
    assert "Got KeyError: 'oven'" in first and "test_suite.py, line " in first and "Traceback" not in first
    assert "wait" in found and all("Got the error of range again. Mend that first." in other for other in others)


def test_what_cannot_be_built_is_tried_no_further():
    report = check_device(Picky, gain=3.0)
    assert [finding.name for finding in report.findings] == ["construction"]
    assert "only 0.7 was ever measured" in report.findings[0].sentence


def test_equal_chips_are_a_note_and_no_fault():
    assert any("all chips are equal" in line for line in check_device(Square).lines()) is False
    report = check_device(Twins)
    assert report.passed and any("all chips are equal" in line for line in report.lines())


class Twins(Chip):
    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=0)


def test_the_callers_generators_are_left_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    check_device(DrawsFromNumpy)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1]) and before[2] == random.getstate()
