"""What a rule says a step has a chip do is what its ledger counts: reads, writes and digital work of each layer."""

import re

import pytest

from analogff.catalog import resolve_rule
from analogff.device import Datasheet
from analogff.learning import flows
from analogff.learning.rule import RuleOptions
from analogff.system import work
from analogff.timeline import Dataflow, Hardware, Pass, Phase, Visit, summarize
from tests.helpers import fakes
from tests.rules.test_digital_work import BATCH, CLASSES, N_IN, WIDTHS, cases, make
from tests.test_docs import ROOT


@pytest.mark.parametrize(("name", "told"), cases())
def test_the_digital_work_is_what_the_rule_declares(name, told):
    rule = resolve_rule(name)
    options = rule.Options(**told)
    shapes = rule.layer_shapes(options, N_IN, WIDTHS, CLASSES)
    flows = rule.dataflows(options, shapes, BATCH)
    stated = work.total(flow.work() for flow in flows).times(1 / len(flows))
    assert tuple(stated) == pytest.approx(tuple(rule.digital_work(options, shapes, BATCH)), rel=1e-12)


@pytest.mark.parametrize(("name", "told"), cases())
def test_the_ledger_counts_the_reads_and_writes_that_the_rule_states(name, told):
    made, chips, shapes = make(name, told)
    flows = made.dataflows(made.options, shapes, BATCH)
    for stage, flow in enumerate(flows):
        made.advance(stage / len(flows) + 0.01)
        made.step(*fakes.make_batch(BATCH, n_in=N_IN))  # the first of a layer measures its probe
        before = [chips.ledger.of(layer) for layer in chips.names]
        for seed in range(2):  # a phase of either kind
            made.step(*fakes.make_batch(BATCH, n_in=N_IN, seed=seed))
        for layer, (was, now) in enumerate(zip(before, map(chips.ledger.of, chips.names), strict=True)):
            assert (now.reads - was.reads) / 2 == flow.reads(layer), chips.names[layer]
            if told.get("size") != 0:  # a chip without noise shows a rule without noise nothing to learn
                assert int(now.writes - was.writes) / 2 == flow.writes(layer), chips.names[layer]


def test_the_dataflow_of_the_page_is_one():
    """The page's example, on a rule of the reader's own: a read an image and layer, a write a layer, no head."""
    page = (ROOT / "docs/guides/add-a-rule.md").read_text()
    (body,) = re.findall(r"  @classmethod\n  def dataflows\(.*?(?=  ```)", page, re.S)
    names = {"Visit": Visit, "Pass": Pass, "Phase": Phase, "Dataflow": Dataflow, "flows": flows}
    exec("class Mine:\n" + body, names)
    shapes = [(40, 20), (20, 16), (16, 10)]
    (flow,) = names["Mine"].dataflows(RuleOptions(), shapes, 5)
    assert [flow.reads(n) for n in range(3)] == [5, 5, 0] and [flow.writes(n) for n in range(3)] == [1, 1, 0]
    hardware = Hardware.of([Datasheet(n_in=n_in, n_out=n_out) for n_in, n_out in shapes])
    found = summarize(flow, hardware)
    assert 0 < found.samples_per_second <= found.bound_per_second
