"""The device of the control without one: it answers zero to everything, and nothing fails by that."""

import pytest
import torch

from analogff.catalog import resolve_rule, rule_names
from analogff.data import ImageShape
from analogff.device import Observable, Sealed, SharedInputs, check_device, fabricate
from analogff.device.silent import Silent
from analogff.network import LayerSpec, fabricate_wired
from tests.helpers.fakes import make_batch

PASSES_BY = {"phyll"}  # whose digital maps hear what went into a layer


def test_it_answers_zero_whatever_it_is_read_with_and_told():
    chips = Sealed(fabricate(Silent, 5, 3, seeds=[0, 1]), chips=2, level=Observable.ORACLE, name="silent")
    chips.pulse(torch.ones(2, 3, 5))
    chips.program(torch.ones(2, 3, 5))
    x = torch.ones(2, 4, 5)
    marked = SharedInputs(x, torch.ones(2, 6, 4, 2))
    answers = [chips.measure(x), chips.measure(x, torch.tensor(1.0)), *chips.probe(x, (torch.tensor(1.0),))]
    assert [tuple(y.shape) for y in answers] == [(2, 4, 3)] * 3
    assert tuple(chips.measure(marked).shape) == (2, 24, 3)
    assert not any(y.any() for y in (*answers, chips.measure(marked)))


def test_it_keeps_the_contract_but_for_its_weights():
    assert [finding.name for finding in check_device(Silent).findings if not finding.passed] == ["pulse"]


@pytest.mark.parametrize("name", rule_names())
def test_every_rule_takes_steps_on_it_and_learns_nothing(name):
    """Also a rule that measures scales of activities that are none: its loss may be undefined, but nothing raises."""
    rule = resolve_rule(name)
    options = rule.Options()
    shapes = rule.layer_shapes(options, 25, (16, 12), 10)
    chips = fabricate_wired([LayerSpec(Silent)] * 2, shapes, seeds=(0, 1))
    chips.ledger.record_divergence(2, torch.device("cpu"))
    learner = rule(chips.seal(rule.needs(options), image=ImageShape(1, 5, 5)), options, seed=0)
    images, labels = make_batch(n_in=25, classes=10)
    for _ in range(2):
        learner.step(images, labels)
    learner.finish_epoch()
    answers = learner.predict(images)
    assert (answers == answers[:, :1]).all() == (name not in PASSES_BY)  # the same for every image
