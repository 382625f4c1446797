"""Digital work by double entry: what the ledger counted is what a rule declares, and what a third party saw of it."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from analogff.catalog import resolve_rule, rule_names
from analogff.data import ImageShape
from analogff.device import Digital, whole
from analogff.network import LayerSpec, fabricate_wired
from analogff.system import Work, work
from tests.helpers import fakes

N_IN, WIDTHS, CLASSES, BATCH = 25, (16, 12, 11), 10, 7

VARIANTS = {
    "asge": [{"input_dropout": 0.2, "pool": 5}],
    "asyt": [{"believes": "relu", "update_decay": 0.1}],
    "backprop": [
        {"through": "oracle"},
        {"through": "deployed"},
        {"through": "deployed", "noise_aware": False, "update_decay": 0.1},
        {"through": "fitted", "fit": "neuron", "fit_reads": 50},
        {"through": "probed"},
        {"believes": "relu", "max_step": "measured"},
        {"through": "probed", "optimizer": "momentum"},
    ],
    "direct-feedback-alignment": [{"slope": "cosine"}, {"slope": "one"}, {"activity": "mean", "update_decay": 0.1}],
    "centroid-forward": [{"loss": "softmax"}, {"input_dropout": 0.2}],
    "evolution-strategies": [{"form": "pepg"}, {"pairs": 3}],
    "ffzero": [{"directions": 1, "distribution": "signs"}, {"input_dropout": 0.2}],
    "forward-gradient": [{"groups": 3, "directions": 2}, {"input_dropout": 0.2}],
    "forward-forward": [
        {"slope": "assumed", "negatives": "random"},
        {"negatives": "all", "update_decay": 0.1},
        {"negatives": "goodness", "activity": "mean"},
        {"labels": "lines", "dropout": 0.1, "input_dropout": 0.1},
        {"labels": "rows", "prediction": "head", "negatives": "random"},
        {"order": "greedy"},
        {"order": "pipelined"},
        {"loss": "hinton", "phase_length": 1},
        {"goodness": "cosine", "saturation_gradient": True, "peer_strength": 0.03},
        {"max_step": "measured", "optimizer": "momentum", "momentum": 0.0},
    ],
    "mono-forward": [{"input_dropout": 0.2}, {"update_decay": 0.1, "slope": "oracle"}],
    "multiplexed-gradient-descent": [
        {"code": "walsh", "sample_time": 6, "update_time": 2},
        {"code": "frequency", "sample_time": 2, "update_time": 2, "perturbation_time": 2},
        {"sample_time": 2, "perturbation_time": 4, "update_time": 2},
        {"detection": "filters", "sample_time": 6, "perturbation_time": 2},
        {"detection": "filters", "code": "walsh", "update_time": 9},
    ],
    "node-perturbation": [
        {"estimate": "activity", "slope": "probed", "size": 0.0},
        {"estimate": "activity", "decorrelation": 0.01, "directions": 2},
    ],
    "phyll": [{"goodness": "mean", "inner_steps": 2}, {"labels": "lines", "update_decay": 0.1}],
    "pepita": [{"form": "mixed"}, {"dropout": 0.1}],
    "recurrent-forward-forward": [{"negatives": "random"}, {"loss": "hinton", "learn_from": 3}, {"iterations": 5}],
    "unsupervised-forward-forward": [{"negatives": "mixed", "head_from": 1}, {"peer_strength": 0.03}],
    "weight-perturbation": [
        {"directions": 1},
        {"sides": "one", "distribution": "gaussian"},
        {"local": True, "directions": 3},
        {"local": True, "sides": "one"},
        {"optimizer": "momentum", "momentum": 0.0, "update_decay": 0.1},
    ],
}


def cases():
    for name in rule_names():
        for told in ({}, *VARIANTS.get(name, [])):
            yield pytest.param(name, told, id=" ".join([name, *(f"{k}={v}" for k, v in told.items())]))


class Unseen(fakes.Curved):
    """A chip whose sums no counter of torch's operations sees."""

    def _sum(self, x, bias):
        a = torch.from_numpy(whole(x).numpy() @ self.weights.mT.numpy())
        return a if bias is None else a + bias

    def measure_biased(self, x, biases):
        return [self.measure(x, bias) for bias in biases]


class UnseenHead(Digital):
    """A digital layer of the same kind."""

    _sum = Unseen._sum
    measure_biased = Unseen.measure_biased


def make(name, told):
    """Make a rule that has taken its first step, with which it measures and allocates."""
    rule = resolve_rule(name)
    options = rule.Options(**told)
    shapes = rule.layer_shapes(options, N_IN, WIDTHS, CLASSES)
    layers = [LayerSpec(Unseen, {"curve": torch.tanh})] * len(WIDTHS)
    chips = fabricate_wired(layers, shapes, seeds=(0,), head=LayerSpec(UnseenHead))
    made = rule(chips.seal(rule.needs(options), image=ImageShape(1, 5, 5)), options, seed=0)
    for seed in range(len(WIDTHS)):  # as many as fill a pipeline
        made.step(*fakes.make_batch(BATCH, n_in=N_IN, seed=seed))
    return made, chips, shapes


def counted(chips):
    return work.total(Work(count.macs, count.moved_bytes) for count in map(chips.ledger.of, chips.names))


def work_of_a_step(made, chips):
    before = counted(chips)
    made.step(*fakes.make_batch(BATCH, n_in=N_IN, seed=9))
    return counted(chips) + before.times(-1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "told"), cases())
def test_the_ledger_counts_what_the_rule_declares(name, told):
    made, chips, shapes = make(name, told)
    if told.get("order") == "greedy":
        stages = []
        for progress in (0.0, 0.4, 0.8):
            made.advance(progress)
            made.step(*fakes.make_batch(BATCH, n_in=N_IN))  # the first of a layer measures its probe
            stages.append(work_of_a_step(made, chips))
        found = work.total(stages).times(1 / 3)
    else:
        found = work.total(work_of_a_step(made, chips) for _ in range(2)).times(1 / 2)  # a phase of either kind
    declared = made.digital_work(made.options, shapes, BATCH)
    assert tuple(found) == pytest.approx(tuple(declared), rel=1e-12)
    assert found.macs > 0 and found.moved_bytes > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", rule_names())
def test_a_third_party_counts_the_same_products(name, monkeypatch):
    """Torch's own counter sees the matrix products of a step that are not the chips'."""
    monkeypatch.setattr(work, "elementwise", lambda *_, **__: Work())
    made, chips, _ = make(name, {"negatives": "mixed"} if name == "unsupervised-forward-forward" else {})
    with FlopCounterMode(display=False) as counter:
        booked = work_of_a_step(made, chips)
    assert counter.get_total_flops() == 2 * booked.macs


@pytest.mark.parametrize("name", rule_names())
def test_work_grows_with_the_batch_and_memory_with_the_layers(name):
    rule = resolve_rule(name)
    options = rule.Options()
    small, large = (rule.layer_shapes(options, N_IN, widths, CLASSES) for widths in ((16, 12), (160, 120)))
    once, twice = (rule.digital_work(options, small, batch) for batch in (10, 20))
    assert once.macs < twice.macs < 2 * once.macs  # what is done a weight, such as Adam's, is done once
    assert 0 < rule.kept_bytes(options, small, 10) < rule.kept_bytes(options, large, 10)


def test_memory_is_counted_as_by_hand():
    """Bytes of 4 a number: two registers of Adam a weight, and activities, with inputs and what is derived of them."""
    shapes, batch = [(20, 8), (8, 6), (6, 10)], 5
    cells = 20 * 8 + 8 * 6 + 6 * 10
    largest, every = batch * (20 + 2 * 8), batch * (20 + 8 + 6 + 2 * (8 + 6 + 10))

    def kept(name, **told):
        rule = resolve_rule(name)
        return rule.kept_bytes(rule.Options(**told), shapes, batch) / 4

    assert kept("forward-forward") == 2 * cells + 2 * largest  # a right and a wrong label
    assert kept("forward-forward", negatives="all", update_decay=0.1) == 3 * (cells - 60) + 10 * largest  # no head
    assert kept("competitive-forward") == 2 * (cells - 60) + largest  # no head
    assert kept("backprop") == 2 * cells + every + cells  # all layers wait, and the twin is kept
    assert kept("backprop", through="oracle") == 2 * cells + every
    assert kept("weight-perturbation") == 2 * cells + largest + 2 * cells  # a direction and the estimate
    assert kept("direct-feedback-alignment") == 2 * cells + every + 10 * (8 + 6)
