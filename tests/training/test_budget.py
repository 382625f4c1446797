"""Budgets: a training ends with the step that reaches a limit, and its rate has faded by then."""

import numpy as np
import pytest
import torch

from analogff.data import load_dataset
from analogff.rules.backprop import Backprop
from analogff.rules.forward_forward import ForwardForward
from analogff.rules.weight_perturbation import WeightPerturbation
from analogff.system import Prices
from analogff.training.budget import Budget
from analogff.training.checkpoint import load_checkpoint, save_checkpoint
from analogff.training.loop import train
from analogff.training.progress import Progress
from tests.helpers.fakes import make_chips

IMAGES, BATCH = 300, 60
STEPS = IMAGES // BATCH  # of an epoch
RULES = [  # and the reads of an image in a step
    (Backprop, {"through": "twin", "max_step": "free"}, 3),  # each layer and the head
    (ForwardForward, {"slope": "assumed"}, 7),  # each layer with the right, a wrong and no label, and the head
    (WeightPerturbation, {"directions": 1}, 6),  # each layer and the head, on either side
]


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", train_images=IMAGES, validation_images=100)


def build(rule, options, seeds=(0, 1)):
    chips = make_chips(sizes=(64, 31, 17), seeds=seeds, curve=torch.tanh, noise=0.05)
    chosen = rule.Options(**{"batch": BATCH} | options)
    return rule(chips.seal(rule.needs(chosen)), chosen, seed=0), chips


def fades(learner):
    """Return a list that gets what is left of the rate at each step."""
    seen, step = [], learner.step
    learner.step = lambda images, labels: (seen.append(learner.fade), step(images, labels))[1]
    return seen


@pytest.mark.parametrize(("rule", "options", "reads"), RULES, ids=[rule.name for rule, *_ in RULES])
@pytest.mark.parametrize(("limit", "steps"), [(7.0, 7), (6.01, 7), (0.01, 1)])
def test_every_rule_stops_at_the_step_that_reaches_its_reads(rule, options, reads, limit, steps, digits):
    learner, chips = build(rule, options)
    a_step = BATCH * reads
    looks = list(train(learner, chips, digits, epochs=9, budget=Budget(reads=limit * a_step)))
    assert [look.epoch for look in looks] == list(range(1, -(-steps // STEPS) + 1))
    assert looks[-1].reads.tolist() == [steps * a_step] * 2
    assert [look.stopped_by for look in looks] == [""] * (len(looks) - 1) + ["reads"]


def test_the_rate_has_faded_when_the_budget_ends(digits):
    """Linearly from half of the budget on, whatever the epochs are: at step k of n, k / n is spent."""
    learner, chips = build(*RULES[0][:2])
    seen = fades(learner)
    list(train(learner, chips, digits, epochs=1000, budget=Budget(reads=8 * BATCH * 3)))
    assert seen == pytest.approx([1, 1, 1, 1, 1, 3 / 4, 2 / 4, 1 / 4])


def test_the_limit_that_is_nearest_decides_the_rate_and_the_end(digits):
    learner, chips = build(*RULES[0][:2])
    seen = fades(learner)
    budget = Budget(reads=20 * BATCH * 3, epochs=0.8)
    *_, last = train(learner, chips, digits, epochs=3, budget=budget)
    assert seen == pytest.approx([1, 1, 1, 1 / 2]) and last.stopped_by == "epochs"


def test_without_a_budget_the_study_s_epochs_decide(digits):
    learner, chips = build(*RULES[0][:2])
    seen = fades(learner)
    looks = list(train(learner, chips, digits, epochs=2))
    assert seen == [1.0 if k <= 5 else (1 - (1 + (k - 5) / 5) / 2) / 0.5 for k in range(10)]
    assert [look.stopped_by for look in looks] == ["", "epochs"]


def test_a_part_of_an_epoch_is_looked_at_and_its_loss_is_the_mean_over_what_was_seen(digits):
    learner, chips = build(*RULES[0][:2])
    losses = []
    learner.step = lambda images, labels: (losses.append(len(losses)), torch.full((2,), float(losses[-1])))[1]
    *_, last = train(learner, chips, digits, epochs=2, evaluate_every=2, budget=Budget(epochs=0.6))
    assert (last.epoch, losses) == (1, [0, 1, 2]) and last.train_loss == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("epochs", [0.2, 0.3, 1.4, 2.2])
def test_a_fraction_of_an_epoch_is_that_many_steps_rounded_up(epochs, digits):
    learner, chips = build(*RULES[0][:2])
    seen = fades(learner)
    list(train(learner, chips, digits, epochs=3, budget=Budget(epochs=epochs)))
    assert len(seen) == -(-round(10 * epochs) * STEPS // 10)


def test_a_chip_stops_at_its_own_pulses_and_a_bank_that_cannot_is_refused(digits):
    ends = []
    for chip in (0, 1):
        learner, chips = build(*RULES[0][:2], seeds=(chip,))
        pulses, step = [], learner.step
        learner.step = lambda *a, p=pulses, s=step, c=chips: (p.append(int(c.ledger.total("pulses"))), s(*a))[1]
        *_, last = train(learner, chips, digits, epochs=9, budget=Budget(pulses=50_000))
        assert last.stopped_by == "pulses" and pulses[-1] < 50_000 <= last.pulses[0]
        ends.append(last.pulses[0])
    assert ends[0] > 0 and ends[1] > 0
    learner, chips = build(*RULES[0][:2])
    with pytest.raises(ValueError, match=r"Expected one chip, since .* pulses .* Got a bank of 2\. Train"):
        next(iter(train(learner, chips, digits, epochs=1, budget=Budget(pulses=1))))


def test_hardware_time_is_a_limit_too(digits):
    learner, chips = build(*RULES[1][:2], seeds=(0,))
    first, *_ = train(learner, chips, digits, epochs=1)
    learner, chips = build(*RULES[1][:2], seeds=(0,))
    looks = list(train(learner, chips, digits, epochs=9, budget=Budget(device_seconds=first.device_seconds[0])))
    assert [(look.epoch, look.stopped_by) for look in looks] == [(1, "device_seconds")]
    assert looks[0].device_seconds[0] == first.device_seconds[0]


def test_the_system_s_energy_is_a_limit_too(digits):
    learner, chips = build(*RULES[1][:2], seeds=(0,))
    first, *_ = train(learner, chips, digits, epochs=1)
    learner, chips = build(*RULES[1][:2], seeds=(0,))
    looks = list(train(learner, chips, digits, epochs=9, budget=Budget(system_joules=first.system_joules[0])))
    assert [(look.epoch, look.stopped_by) for look in looks] == [(1, "system_joules")]
    learner, chips = build(*RULES[1][:2], seeds=(0,))
    cheap, budget = Prices(technology="7nm"), Budget(system_joules=first.system_joules[0])
    *_, last = train(learner, chips, digits, epochs=9, budget=budget, prices=cheap)
    assert last.epoch > 1 and last.stopped_by == "system_joules"


def test_pulses_that_program_a_model_after_an_epoch_are_spent_too(digits):
    learner, chips = build(Backprop, {"through": "deployed"}, seeds=(0,))
    begun = int(chips.ledger.total("pulses"))
    looks = list(train(learner, chips, digits, epochs=9, budget=Budget(pulses=begun + 1)))
    assert [(look.epoch, look.stopped_by) for look in looks] == [(1, "pulses")]


@pytest.mark.parametrize(("rule", "options", "reads"), RULES[:2], ids=[rule.name for rule, *_ in RULES[:2]])
def test_a_run_with_a_budget_goes_on_from_a_checkpoint_as_if_nothing_had_happened(
    rule, options, reads, digits, tmp_path
):
    budget = Budget(reads=12 * BATCH * reads)  # two epochs and two steps
    undisturbed = list(train(*build(rule, options), digits, epochs=5, budget=budget))
    for looks in (1, 3):
        learner, chips = build(rule, options)
        progress = Progress()
        seen = zip(
            range(looks), train(learner, chips, digits, epochs=5, budget=budget, progress=progress), strict=False
        )
        assert len(list(seen)) == looks
        save_checkpoint(tmp_path / "run.pt", learner, chips, progress)
        learner, chips = build(rule, options)
        progress = load_checkpoint(tmp_path / "run.pt", learner, chips)
        rest = list(train(learner, chips, digits, epochs=5, budget=budget, progress=progress))
        for before, after in zip(undisturbed[looks:], rest, strict=True):
            for field in ("epoch", "test_error", "train_loss", "reads", "pulses", "device_seconds", "stopped_by"):
                np.testing.assert_array_equal(getattr(before, field), getattr(after, field), field)
