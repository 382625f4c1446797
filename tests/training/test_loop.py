import contextlib

import numpy as np
import pytest
import torch

from analogff.data import Augmentation, ImageShape, load_dataset
from analogff.data.augmentation import flipped
from analogff.network import LayerSpec, fabricate_chips
from analogff.network.normalization import L2, GainControl, Unchanged
from analogff.rules.backprop import Backprop
from analogff.rules.forward_forward import ForwardForward
from analogff.rules.weight_perturbation import WeightPerturbation
from analogff.support.draws import Tape
from analogff.training.checkpoint import load_checkpoint, save_checkpoint
from analogff.training.loop import train
from analogff.training.progress import Progress
from analogff.training.recorder import Recorded, Recorder
from hardware_models.generic.unknown import Unknown
from tests.helpers.fakes import Curved, make_chips

BOTH = Augmentation(jitter=1, flip=True)
VARIANTS = [
    (ForwardForward, {"slope": "assumed", "batch": 33}),
    (ForwardForward, {"slope": "probed", "loss": "symba", "negatives": "random", "prediction": "head"}),
    (ForwardForward, {"slope": "oracle", "loss": "hinton"}),
    (Backprop, {"through": "twin", "batch": 33}),
    (Backprop, {"through": "deployed"}),
    (Backprop, {"through": "oracle"}),
    (WeightPerturbation, {"batch": 33}),
]
IDS = [f"{rule.name} {' '.join(map(str, options.values()))}" for rule, options in VARIANTS]


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", train_images=300, validation_images=100)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build(rule, options, seeds=(0, 1, 2), sizes=(64, 31, 17), seed=0, normalizer=None, **parameters):
    chips = make_chips(sizes=sizes, seeds=seeds, **({"curve": torch.tanh, "noise": 0.05} | parameters))
    chosen = rule.Options(**options)
    return rule(chips.seal(rule.needs(chosen), normalizer), chosen, seed=seed), chips


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "options"), VARIANTS, ids=IDS)
def test_a_chip_learns_the_same_alone_and_in_a_bank(rule, options, digits):
    *_, bank = train(*build(rule, options), digits, epochs=2)
    for chip in range(3):
        *_, alone = train(*build(rule, options, seeds=(chip,)), digits, epochs=2)
        for field in ("test_error", "validation_error", "train_loss", "reads", "pulses", "device_joules"):
            assert getattr(alone, field)[0] == getattr(bank, field)[chip], field


@pytest.mark.slow
@pytest.mark.parametrize("normalizer", [L2(), Unchanged(), GainControl(max_gain=3.0, offset=0.2)])
@pytest.mark.parametrize(("rule", "options"), [VARIANTS[1], VARIANTS[5]], ids=[IDS[1], IDS[5]])
def test_so_it_does_whatever_stands_between_the_layers(rule, options, normalizer, digits):
    *_, bank = train(*build(rule, options, normalizer=normalizer), digits, epochs=1, augmentation=BOTH)
    for chip in range(3):
        *_, alone = train(
            *build(rule, options, seeds=(chip,), normalizer=normalizer), digits, epochs=1, augmentation=BOTH
        )
        assert (alone.train_loss[0], alone.test_error[0]) == (bank.train_loss[chip], bank.test_error[chip])


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "options"), VARIANTS, ids=IDS)
def test_a_run_goes_on_from_a_checkpoint_as_if_nothing_had_happened(rule, options, digits, tmp_path):
    undisturbed = list(train(*build(rule, options), digits, epochs=3))
    learner, chips = build(rule, options)
    progress = Progress()
    next(iter(train(learner, chips, digits, epochs=3, progress=progress)))
    save_checkpoint(tmp_path / "run.pt", learner, chips, progress)

    learner, chips = build(rule, options)
    progress = load_checkpoint(tmp_path / "run.pt", learner, chips)
    for before, after in zip(undisturbed[1:], train(learner, chips, digits, epochs=3, progress=progress), strict=True):
        for field in ("epoch", "test_error", "train_loss", "reads", "pulses", "device_seconds", "diverged"):
            np.testing.assert_array_equal(getattr(before, field), getattr(after, field), field)


def test_another_learning_seed_is_another_run(digits):
    losses = [next(train(*build(*VARIANTS[0], seed=s), digits, epochs=1)).train_loss.tolist() for s in (0, 1)]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(("rule", "options"), [VARIANTS[0], VARIANTS[5]], ids=[IDS[0], IDS[5]])
def test_an_absurd_rate_is_a_row_marked_diverged(rule, options, digits):
    *_, absurd = train(*build(rule, options | {"learning_rate": 1e6}, curve=torch.relu), digits, epochs=2)
    assert absurd.diverged.all() and absurd.test_error.shape == (3,)
    *_, sane = train(*build(rule, options, curve=torch.relu), digits, epochs=2)
    assert not sane.diverged.any()


def test_a_chip_that_fails_leaves_its_neighbors_alone(digits):
    class Breaks(Curved):
        """Chip 1 answers NaN from its 20th read on."""

        def measure(self, x, bias=None):
            y = super().measure(x, bias)
            if self.reads > 20:
                y[1] = torch.nan
            return y

    *_, broken = train(*build(*VARIANTS[0], model=Breaks), digits, epochs=2)
    *_, whole = train(*build(*VARIANTS[0]), digits, epochs=2)
    assert broken.diverged.tolist() == [False, True, False]
    assert broken.test_error[[0, 2]].tolist() == whole.test_error[[0, 2]].tolist()


def test_evaluation_is_not_charged_to_training(digits):
    learner, chips = build(*VARIANTS[0])
    epoch = next(train(learner, chips, digits, epochs=1))
    assert epoch.reads[0] == 300 * (3 + 3 + 1)
    images = len(digits.test) + len(digits.validation)
    assert chips.ledger.total("reads", "evaluation") == images * 10 * 2


def test_the_training_loss_is_the_mean_over_images_whatever_the_last_batch_is(digits):
    learner, chips = build(VARIANTS[0][0], VARIANTS[0][1] | {"batch": 128})
    learner.step = lambda images, labels: torch.full((3,), float(len(images)))
    epoch = next(train(learner, chips, digits, epochs=1))
    assert epoch.train_loss == pytest.approx([(128**2 + 128**2 + 44**2) / 300] * 3)


def test_a_look_that_was_never_finished_leaves_training_booked_as_training(digits):
    learner, chips = build(*VARIANTS[0])
    look = chips.ledger.evaluating()
    look.__enter__()  # as a generator does that is asked for one value and then kept
    epoch = next(train(learner, chips, digits, epochs=1))
    assert epoch.reads[0] == 300 * (3 + 3 + 1)


def test_training_never_sees_validation_or_test_images(digits):
    learner, chips = build(*VARIANTS[3])
    seen = []
    step = learner.step
    learner.step = lambda images, labels: (seen.append(images), step(images, labels))[1]
    list(train(learner, chips, digits, epochs=1))
    seen = {row.numpy().tobytes() for batch in seen for row in batch}
    trained_on = {row.numpy().tobytes() for row in digits.train.images}
    assert seen == trained_on


def test_hardware_time_passes_while_a_chip_is_trained_and_while_it_waits(digits):
    learner, chips = build(*VARIANTS[0])
    *_, last = train(learner, chips, digits, epochs=2, wait_seconds=3600)
    waited = chips.ledger.of("layer 1").seconds
    assert waited == pytest.approx(3600 + last.device_seconds.mean(), rel=1e-9)


def test_hardware_time_is_each_chips_own(digits):
    """Chips that spend more pulses take longer; a mean over the bank would let neighbors leak in."""

    class Clocked(Curved):
        def __init__(self, n_in, n_out, *, seed, **curved):
            super().__init__(n_in, n_out, seed=seed, **curved)
            self.register_buffer("age", torch.zeros(len(seed), dtype=torch.float64))

        def pulse(self, change):
            super().pulse(change)
            return torch.arange(1, len(change) + 1) * 1000

        def wait(self, seconds):
            self.age += seconds

    learner, chips = build(*VARIANTS[3], model=Clocked, curve=torch.relu)
    *_, last = train(learner, chips, digits, epochs=2)
    assert (np.diff(last.device_seconds) > 0).all()
    np.testing.assert_allclose(chips.devices[0].age.numpy(), last.device_seconds)


@pytest.mark.parametrize("clock", ["step", "epoch"])
def test_one_clock_ages_a_chip_by_steps_or_epochs(clock, digits):
    """In all by the same hardware time, in 3 steps an epoch or at once."""

    class Clocked(Curved):
        def __init__(self, n_in, n_out, *, seed, **curved):
            super().__init__(n_in, n_out, seed=seed, **curved)
            self.waits = []

        def wait(self, seconds):
            self.waits.append(torch.as_tensor(seconds).clone())

    learner, chips = build(*VARIANTS[3], model=Clocked, curve=torch.relu)
    steps = -(-len(digits.train) // 33)
    *_, last = train(learner, chips, digits, epochs=2, clock=clock)
    waits = torch.stack(chips.devices[0].waits)
    assert int((waits > 0).all(1).sum()) == 2 * (steps if clock == "step" else 1)
    np.testing.assert_allclose(waits.sum(0), last.device_seconds, rtol=1e-9)


def test_jitter_shifts_training_images_anew_in_every_epoch_and_no_others(digits):
    """The same shifts for every rule, whatever its batch: an image of the order is where it is in both."""
    shown = {}
    for batch in (33, 100):
        learner, _ = build(ForwardForward, {"slope": "assumed", "batch": batch})
        seen, asked = [], []
        learner.step = lambda images, labels, seen=seen: (seen.append(images), torch.zeros(3))[1]
        learner.predict = lambda images, asked=asked: (asked.append(images), images.new_zeros(3, len(images)))[1]
        list(
            train(
                learner,
                make_chips(sizes=(64, 31, 17), seeds=(0, 1, 2)),
                digits,
                epochs=2,
                augmentation=Augmentation(jitter=2),
            )
        )
        shown[batch] = torch.cat(seen)
        assert torch.equal(torch.cat(asked[:2]), torch.cat([digits.validation.images, digits.test.images]))
    assert torch.equal(shown[33], shown[100])
    first, second = (epoch.sum(0).view(8, 8) for epoch in shown[33].split(300))
    assert not torch.equal(first, second)
    still = digits.train.images.sum(0).view(8, 8)
    assert still[:, 0].sum() < 0.02 * still.sum() < first[:, 0].sum()  # the border is empty without


@pytest.mark.parametrize("augmentation", [Augmentation(jitter=1), Augmentation(flip=True), BOTH])
def test_an_augmented_run_goes_on_from_a_checkpoint_too(digits, tmp_path, augmentation):
    *_, undisturbed = train(*build(*VARIANTS[0]), digits, epochs=2, augmentation=augmentation)
    learner, chips = build(*VARIANTS[0])
    progress = Progress()
    next(iter(train(learner, chips, digits, epochs=2, augmentation=augmentation, progress=progress)))
    save_checkpoint(tmp_path / "run.pt", learner, chips, progress)
    learner, chips = build(*VARIANTS[0])
    progress = load_checkpoint(tmp_path / "run.pt", learner, chips)
    *_, resumed = train(learner, chips, digits, epochs=2, augmentation=augmentation, progress=progress)
    assert resumed.train_loss.tolist() == undisturbed.train_loss.tolist()


def test_flips_mirror_half_of_the_training_images_anew_in_every_epoch(digits):
    """The same ones for every rule, whatever its batch, and beside shifts, which they leave as they are."""
    shape, shown = ImageShape(1, 8, 8), {}
    ways = {"none": Augmentation(), "flip": Augmentation(flip=True), "jitter": Augmentation(jitter=2)}
    for name, augmentation in (*ways.items(), ("small", ways["flip"]), ("both", Augmentation(jitter=2, flip=True))):
        learner, _ = build(ForwardForward, {"slope": "assumed", "batch": 33 if name == "small" else 100})
        seen = []
        learner.step = lambda images, labels, seen=seen: (seen.append(images), torch.zeros(3))[1]
        learner.predict = lambda images: images.new_zeros(3, len(images))
        list(
            train(learner, make_chips(sizes=(64, 31, 17), seeds=(0, 1, 2)), digits, epochs=2, augmentation=augmentation)
        )
        shown[name] = torch.cat(seen)
    mirrored = (shown["flip"] == flipped(shown["none"], shape)).all(1)
    assert (mirrored | (shown["flip"] == shown["none"]).all(1)).all()
    first, second = mirrored.split(300)
    # Binomial: 300 fair draws have a standard deviation of 8.7, and two epochs agree in 150 +- 8.7 images.
    for count in (first.sum(), second.sum(), (first == second).sum()):
        assert abs(count - 150) < 4 * 8.7
    assert torch.equal(shown["small"], shown["flip"])
    assert torch.equal(shown["both"], torch.where(mirrored[:, None], flipped(shown["jitter"], shape), shown["jitter"]))


def test_an_overflow_does_not_pass_for_silence(digits):
    *_, absurd = train(
        *build(*VARIANTS[3][:1], {"through": "oracle", "learning_rate": 1e30}, curve=torch.relu), digits, epochs=1
    )
    assert absurd.diverged.all()


@pytest.mark.gpu
@pytest.mark.parametrize(("rule", "options"), VARIANTS, ids=IDS)
def test_a_gpu_trains_as_a_cpu_does(rule, options, digits):
    """Rounding differs and training amplifies it, so only the first epoch's loss is compared, and loosely."""
    on_gpu = load_dataset("digits", train_images=300, validation_images=100, device="cuda")
    chips = make_chips(sizes=(64, 31, 17), seeds=(0, 1, 2), curve=torch.tanh, noise=0.0)
    chips.devices.to("cuda")
    chosen = rule.Options(**options)
    epoch = next(train(rule(chips.seal(rule.needs(chosen)), chosen, seed=0), chips, on_gpu, epochs=1))
    expected = next(train(*build(rule, options, noise=0.0), digits, epochs=1))
    np.testing.assert_allclose(epoch.train_loss, expected.train_loss, rtol=0.02, atol=2e-3)


def _after_an_epoch(device, recorded, options):
    data = load_dataset("digits", train_images=300, validation_images=100, device=device)
    chips = fabricate_chips(
        [LayerSpec(Unknown, {"adc_bits": 0, "write_noise": 0.1})] * 2, (64, 31, 17), 10, seeds=(0, 1)
    )
    chips.devices.to(device)
    chosen = ForwardForward.Options(**options)
    learner = ForwardForward(chips.seal(ForwardForward.needs(chosen)), chosen, seed=0)
    if not recorded:
        learner.recording = lambda: None
    *_, last = train(learner, chips, data, epochs=3)
    return last, [device.state_dict() for device in chips.devices]


@pytest.mark.gpu
@pytest.mark.parametrize("options", [{"slope": "assumed"}, {"update_decay": 0.1}, {"prediction": "head"}])
def test_replayed_steps_are_the_steps_bit_by_bit(options):
    """Reads, pulses, draws, counts and rates: a graph that replayed an old one of any of them would drift away."""
    (replayed, there), (called, here) = (_after_an_epoch("cuda", recorded, options) for recorded in (True, False))
    for field in ("test_error", "validation_error", "train_loss", "reads", "conversions", "pulses", "device_joules"):
        np.testing.assert_array_equal(getattr(replayed, field), getattr(called, field), err_msg=field)
    for one, other in zip(there, here, strict=True):
        assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_steps_that_are_called_between_replayed_ones_are_steps_of_their_own(monkeypatch, digits):
    class Replayed:
        """Does what a graph does: the work of tensors, and nothing that Python remembers."""

        def __init__(self, function, *_):
            self.function = function

        def __call__(self, *inputs):
            during = [
                (w, "prepared", True) for w in learner.optimizers
            ]  # begun, and this read of a probe not counted yet
            during += [(slope.size, "reads", slope.size.reads - 1) for slope in learner.slopes]
            after = [(part, name, getattr(part, name)) for part, name, _ in during]
            for part, name, value in during:
                setattr(part, name, value)
            loss = self.function(*inputs)
            for part, name, value in after:
                setattr(part, name, value)
            return loss

    monkeypatch.setattr("analogff.training.recorder.Recorded", Replayed)
    monkeypatch.setattr("analogff.slopes.probe_size.EVERY", 5)  # such a step is called
    images, labels, ends = digits.train.images[:50], digits.train.labels[:50], []
    for recorded in (False, True):
        chips = fabricate_chips([LayerSpec(Unknown)] * 2, (64, 31, 17), 10, seeds=(0, 1))
        options = ForwardForward.Options()
        learner = ForwardForward(chips.seal(ForwardForward.needs(options)), options, seed=0)
        recorder = Recorder(learner, chips)
        recorder.on = recorded
        for _ in range(13):
            recorder.step(images, labels)
        ends.append(
            [*chips.devices.state_dict().values(), *(torch.tensor(w.moments.steps) for w in learner.optimizers)]
        )
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


def test_a_replay_counts_what_was_recorded(digits, monkeypatch):
    """Reads, conversions and digital work; a graph that does nothing stands for one."""

    class Graph:
        def replay(self):
            pass

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda _: contextlib.nullcontext())
    learner, chips = build(*VARIANTS[0])
    inputs = digits.train.images[:33], digits.train.labels[:33]
    tape = Tape()
    learner.step(*inputs)  # looks at its layers for the first time
    seen = [chips.ledger.whole()]
    with tape.rehearsing():
        learner.step(*inputs)
    seen.append(chips.ledger.whole())
    recorded = Recorded(learner.step, inputs, tape, chips.ledger)
    assert chips.ledger.whole() == seen[-1]
    recorded(*inputs)
    seen.append(chips.ledger.whole())
    counts = np.array([[*one.values()] for one in seen])
    np.testing.assert_array_equal(counts[2] - counts[1], counts[1] - counts[0])
    assert (counts[2] > counts[1])[:, [0, 2, 3]].all()  # a digital head converts nothing


@pytest.mark.gpu
def test_a_step_waits_for_nothing():
    data = load_dataset("digits", train_images=300, validation_images=100, device="cuda")
    chips = fabricate_chips([LayerSpec(Unknown)] * 2, (64, 31, 17), 10, seeds=(0, 1))
    chips.devices.to("cuda")
    options = ForwardForward.Options()
    learner = ForwardForward(chips.seal(ForwardForward.needs(options)), options, seed=0)
    recorder = Recorder(learner, chips)
    recorder.begin_epoch()
    images, labels = data.train.images[:100], data.train.labels[:100]
    for _ in range(5):
        recorder.step(images, labels)
    assert recorder.on
    torch.cuda.set_sync_debug_mode("error")
    try:
        learner.step(images, labels)
        recorder.step(images, labels)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("loss", [None, torch.tensor(1.0)])
def test_a_step_that_does_not_return_the_loss_of_each_chip_is_told(loss, digits, monkeypatch):
    monkeypatch.setattr(WeightPerturbation, "step", lambda *_: loss)
    with pytest.raises(TypeError, match=r"Expected step of WeightPerturbation to return .*, a tensor \(3,\). Got"):
        next(train(*build(WeightPerturbation, {}), digits, epochs=1))
