"""Chips that age between the passes of a step."""

import math

import numpy as np
import pytest
import torch

from analogff.catalog import resolve_rule
from analogff.data import ImageShape, load_dataset
from analogff.forward_forward.goodness_objective import GoodnessObjective
from analogff.network import LayerSpec, fabricate_wired
from analogff.rules.backprop import Backprop
from analogff.rules.forward_forward import ForwardForward
from analogff.rules.weight_perturbation import WeightPerturbation
from analogff.training.checkpoint import load_checkpoint, save_checkpoint
from analogff.training.clock import HardwareClock, clock_of
from analogff.training.loop import train
from analogff.training.progress import Progress
from analogff.training.recorder import Recorder
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.capacitor import Capacitor
from tests.helpers.fakes import Curved

BATCH, WIDTHS = 50, (31, 17)
READ_SECONDS = 187e-9
"""Of a chip with the default datasheet: a conversion, settling, and the outputs that share a converter."""
QUIET = {"read_noise": 0.0, "adc_bits": 0, "dac_bits": 0, "weight_noise": 0.0, "lifetime_spread": 0.0}


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", train_images=150, validation_images=50)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build(name, options, model=Curved, seeds=(0, 1), **parameters):
    rule = resolve_rule(name)
    chosen = rule.Options(**({"batch": BATCH} | options))
    shapes = rule.layer_shapes(chosen, 64, WIDTHS, 10)
    chips = fabricate_wired([LayerSpec(model, parameters)] * len(WIDTHS), shapes, seeds=seeds)
    return rule(chips.seal(rule.needs(chosen), image=ImageShape(1, 8, 8)), chosen, seed=0), chips


class Clocked(Curved):
    """Writes down how long it waits, and takes time of its own for its pulses."""

    def __init__(self, n_in, n_out, *, seed, **curved):
        super().__init__(n_in, n_out, seed=seed, **curved)
        self.waits = []

    def pulse(self, change):
        super().pulse(change)
        return torch.arange(1, len(change) + 1) * 1000

    def wait(self, seconds):
        self.waits.append(torch.as_tensor(seconds).clone())


# What a step says, as waits between passes, of rules whose passes differ in kind.
PASSES = [
    ("forward-forward", {"negatives": "random"}, 1),
    ("forward-forward", {}, 2),
    ("forward-forward", {"negatives": "all", "slope": "assumed"}, 9),
    ("unsupervised-forward-forward", {"negatives": "mixed"}, 1),
    ("recurrent-forward-forward", {"iterations": 4, "learn_from": 3, "vote_from": 1, "vote_to": 2}, 8),
    ("node-perturbation", {"directions": 2}, 3),
    ("pepita", {}, 1),
    ("weight-perturbation", {"directions": 2}, 12),
    ("weight-perturbation", {"sides": "one"}, 8),
    ("analogff.rules.evolution_strategies:EvolutionStrategies", {"pairs": 2}, 12),
    ("analogff.rules.multiplexed_gradient_descent:MultiplexedGradientDescent", {}, 10),
    ("analogff.rules.multiplexed_gradient_descent:MultiplexedGradientDescent", {"detection": "filters"}, 10),
]
IDS = [f"{name} {' '.join(map(str, options))}".strip() for name, options, _ in PASSES]


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["pass", "interleaved"])
@pytest.mark.parametrize(("name", "options", "pauses"), PASSES, ids=IDS)
def test_the_waits_of_a_step_add_up_to_its_seconds(name, options, pauses, clock, digits, monkeypatch):
    """For each chip its own, whatever it writes; a step's passes and its rest are one wait each."""
    learner, chips = build(name, options, Clocked)
    if clock not in learner.pass_clocks(learner.options):
        pytest.skip("whose weights move between its passes")
    steps, over = [], HardwareClock.step_over

    def step_over(self):
        over(self)
        waits = torch.stack(chips.devices[0].waits)
        steps.append((len(waits), waits.double().sum(0), self.spending.spent().seconds))

    monkeypatch.setattr(HardwareClock, "step_over", step_over)
    *_, last = train(learner, chips, digits, epochs=2, clock=clock)
    assert len(steps) == 6
    for n, (waits, waited, seconds) in enumerate(steps):
        assert waits == (n + 1) * (pauses + 1) + n // 3  # an epoch has a last wait, for what is left of it
        np.testing.assert_allclose(waited.numpy(), seconds, rtol=1e-12)
    waits = torch.stack(chips.devices[1].waits)
    assert (waits >= 0).all() and len(set(last.device_seconds)) == 2
    np.testing.assert_allclose(chips.ledger.of("layer 2").seconds.numpy(), last.device_seconds, rtol=1e-12)


@pytest.mark.parametrize("slope", ["assumed", "probed"])
@pytest.mark.parametrize("clock", ["pass", "interleaved"])
def test_a_leak_between_passes_biases_goodness_by_its_closed_form(clock, slope, digits, monkeypatch):
    r"""As in experiments/interleaving: :math:`1 - e^{-2 s / \tau}`, for the reads that lie between.

    Positive and negative inputs are the same images with labels of no strength, and nothing is learned, so that all
    that differs is the age of the chip. Sums of 64 products in single precision are within 2e-6 of the goodness.
    """
    reads = {"assumed": 1, "probed": 3}[slope] * READ_SECONDS
    images = BATCH if clock == "pass" else 1
    lifetime = 10 * BATCH * reads
    options = {"negatives": "random", "slope": slope, "learning_rate": 0.0, "label_strength": 1e-20}
    options |= {"max_step": "free"} | ({"probe": 0.5, "saturation_gradient": False} if slope == "probed" else {})
    learner, chips = build("forward-forward", options, Capacitor, lifetime_seconds=lifetime, **QUIET)
    lost, judge = {id(objective): [] for objective in learner.objectives}, GoodnessObjective.judge

    def noting(self, y, mean_squares, batch):
        positive, negative = y.double().square().mean(-1).chunk(2, dim=1)
        lost[id(self)].append((1 - negative / positive).mean(-1))
        return judge(self, y, mean_squares, batch)

    monkeypatch.setattr(GoodnessObjective, "judge", noting)
    list(train(learner, chips, digits, epochs=1, clock=clock))
    first, *later = torch.stack([torch.stack(of_layer) for of_layer in lost.values()], 1)
    filled = images * (reads + READ_SECONDS / BATCH)  # by the first vector of all, which passes two layers
    for seconds, found in [(filled, first), *((images * reads, found) for found in later)]:
        np.testing.assert_allclose(found.numpy(), -math.expm1(-2 * seconds / lifetime), rtol=0, atol=2e-6)


# Variants of inputs, and what may come with them; each noise is of a read, so one read a pass has the same noise.
SAME = [
    ("forward-forward", {"slope": "assumed"}, 0.1),
    ("forward-forward", {"slope": "assumed", "negatives": "all"}, 0.1),
    ("forward-forward", {"slope": "assumed", "negatives": "goodness", "labels": "rows"}, 0.1),
    ("forward-forward", {"slope": "oracle", "order": "greedy", "dropout": 0.2, "input_dropout": 0.1}, 0.1),
    ("forward-forward", {"probe": 0.3, "labels": "lines", "peer_strength": 0.03}, 0.0),
    ("unsupervised-forward-forward", {"slope": "assumed", "negatives": "mixed"}, 0.1),
    ("recurrent-forward-forward", {"slope": "assumed", "iterations": 4, "vote_from": 1, "vote_to": 2}, 0.1),
    ("node-perturbation", {"estimate": "activity"}, 0.1),
    ("pepita", {}, 0.1),
    ("weight-perturbation", {}, 0.1),
    ("analogff.rules.evolution_strategies:EvolutionStrategies", {}, 0.1),
    ("analogff.rules.multiplexed_gradient_descent:MultiplexedGradientDescent", {}, 0.1),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "noise"), SAME, ids=[f"{name} {' '.join(options)}".strip() for name, options, _ in SAME]
)
def test_chips_that_do_not_age_have_the_same_numbers_bit_by_bit(name, options, noise, digits):
    def trained(clock):
        given = {"adc_bits": 0, "write_noise": 0.1, "read_noise": noise}
        learner, chips = build(name, options | without_limit(name), Unknown, **given)
        *_, last = train(learner, chips, digits, epochs=1, clock=clock)
        return last, chips.devices.state_dict()

    (stepwise, there), (passwise, here) = trained("step"), trained("pass")
    for field in ("train_loss", "test_error", "reads", "pulses", "device_seconds", "digital_macs"):
        np.testing.assert_array_equal(getattr(stepwise, field), getattr(passwise, field), err_msg=field)
    assert all(torch.equal(tensor, here[key]) for key, tensor in there.items())


def without_limit(name):
    return {"max_step": "free"} if "max_step" in resolve_rule(name).Options.model_fields else {}


AGEING = {"lifetime_seconds": 1e-3, "read_noise": 0.05}


@pytest.mark.parametrize("clock", ["pass", "interleaved"])
def test_a_chip_ages_the_same_alone_and_in_a_bank(clock, digits):
    *_, bank = train(*build("forward-forward", {}, Capacitor, **AGEING), digits, epochs=2, clock=clock)
    for chip in range(2):
        alone = build("forward-forward", {}, Capacitor, seeds=(chip,), **AGEING)
        *_, alone = train(*alone, digits, epochs=2, clock=clock)
        for field in ("test_error", "train_loss", "reads", "pulses", "device_seconds"):
            assert getattr(alone, field)[0] == getattr(bank, field)[chip], field


@pytest.mark.parametrize("clock", ["pass", "interleaved"])
def test_a_run_goes_on_from_a_checkpoint_as_if_nothing_had_happened(clock, digits, tmp_path):
    *_, undisturbed = train(*build("forward-forward", {}, Capacitor, **AGEING), digits, epochs=2, clock=clock)
    learner, chips = build("forward-forward", {}, Capacitor, **AGEING)
    progress = Progress()
    next(iter(train(learner, chips, digits, epochs=2, progress=progress, clock=clock)))
    save_checkpoint(tmp_path / "run.pt", learner, chips, progress)
    learner, chips = build("forward-forward", {}, Capacitor, **AGEING)
    progress = load_checkpoint(tmp_path / "run.pt", learner, chips)
    *_, resumed = train(learner, chips, digits, epochs=2, progress=progress, clock=clock)
    for field in ("test_error", "train_loss", "pulses", "device_seconds"):
        np.testing.assert_array_equal(getattr(resumed, field), getattr(undisturbed, field), err_msg=field)


def test_fitted_curves_learn_from_both_passes(digits):
    """A step is read as often as without, but for the noise, which the first passes of two layers show."""

    def reads(clock):
        options = {"slope": "fitted", "probe": 0.3, "max_step": "free", "negatives": "random"}
        learner, chips = build("forward-forward", options, Unknown, seeds=(0,), read_noise=0.02)
        *_, last = train(learner, chips, digits, epochs=4, clock=clock)
        return last.reads[0]

    assert reads("step") - reads("pass") == 2 * 2 * BATCH


def test_a_step_whose_passes_wait_is_not_recorded(digits):
    """A graph would replay the waits of the step that it holds."""
    learner, chips = build("forward-forward", {"slope": "assumed"})
    recorder = Recorder(learner, chips)
    recorder.on, asked = True, []
    learner.recording = lambda: asked.append(learner)
    images, labels = digits.train.images[:BATCH], digits.train.labels[:BATCH]
    recorder.step(images, labels)
    learner.between_passes = lambda images: None
    recorder.step(images, labels)
    assert len(asked) == 1


def test_nobody_waits_within_a_step_once_training_is_over(digits):
    learner, chips = build("forward-forward", {"slope": "assumed"})
    for _ in train(learner, chips, digits, epochs=2, clock="pass"):
        assert learner.between_passes is None


@pytest.mark.parametrize(
    ("rule", "options", "clock", "finest"),
    [
        (Backprop, {}, "pass", "step"),
        (ForwardForward, {"loss": "hinton", "phase_length": 10}, "interleaved", "step"),
        (ForwardForward, {"order": "pipelined"}, "pass", "step"),
        (WeightPerturbation, {}, "interleaved", "pass"),
    ],
)
def test_a_clock_that_would_do_nothing_is_refused(rule, options, clock, finest, digits):
    assert clock_of(rule, rule.Options(**options), clock) == finest
    learner, chips = build(rule.name, options)
    said = rf'Expected clock = "{finest}" for {rule.name} .* Got "{clock}"\. Write clock = "{finest}"\.'
    with pytest.raises(ValueError, match=said):
        next(train(learner, chips, digits, epochs=1, clock=clock))
    assert chips.ledger.total("reads") == 0


def test_other_clocks_are_any_rules():
    for clock in ("epoch", "step"):
        assert {clock_of(rule, rule.Options(), clock) for rule in (Backprop, ForwardForward)} == {clock}
