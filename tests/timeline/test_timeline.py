"""A chip event by event: bounds, Little's law, energy, conservation, and formulas for what has one."""

import dataclasses
import itertools
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analogff.device import Datasheet
from analogff.device.ledger import Count
from analogff.rules.backprop import Backprop
from analogff.rules.direct_feedback_alignment import DirectFeedbackAlignment
from analogff.rules.forward_forward import ForwardForward
from analogff.rules.mono_forward import MonoForward
from analogff.rules.node_perturbation import NodePerturbation
from analogff.rules.pepita import Pepita
from analogff.rules.recurrent_forward_forward import RecurrentForwardForward
from analogff.rules.unsupervised_forward_forward import UnsupervisedForwardForward
from analogff.rules.weight_perturbation import WeightPerturbation
from analogff.system import Prices, Work, system_cost, work
from analogff.timeline import (
    Architecture,
    Dataflow,
    Hardware,
    Job,
    Pass,
    Phase,
    Update,
    Visit,
    bottleneck_seconds,
    busy_seconds,
    inference,
    play,
    step_seconds,
    summarize,
)

SHAPES = [(40, 20), (20, 16), (16, 10)]
RULES: dict[str, tuple[Any, dict[str, Any]]] = {
    "ff": (ForwardForward, {}),
    "ff greedy": (ForwardForward, {"order": "greedy"}),
    "ff pipelined": (ForwardForward, {"order": "pipelined"}),
    "mono": (MonoForward, {}),
    "backprop": (Backprop, {}),
    "deployed": (Backprop, {"through": "deployed"}),
    "dfa": (DirectFeedbackAlignment, {}),
    "pepita": (Pepita, {}),
    "nodes": (NodePerturbation, {"directions": 2}),
    "weights": (WeightPerturbation, {}),
    "recurrent": (RecurrentForwardForward, {"iterations": 3, "vote_to": 3}),
    "unsupervised": (UnsupervisedForwardForward, {}),
}
FAST: dict[str, Any] = {"digital_macs_per_second": 1e18, "memory_bytes_per_second": 1e18}
"""Digital logic that never sets the pace."""


def sheets(shapes=SHAPES, **told):
    told = {"parallel_pulses": 16, "read_joules": 3e-12, "signal_joules": 2e-12} | told
    hidden = [Datasheet(n_in=n_in, n_out=n_out, **told) for n_in, n_out in shapes[:-1]]
    n_in, n_out = shapes[-1]
    return [*hidden, Datasheet(n_in=n_in, n_out=n_out, readable_weights=True, dacs=0, adcs=0)]


def chip(shapes=SHAPES, sheet=None, **given):
    return Hardware.of(sheets(shapes, **(sheet or {})), Architecture(**given))


def flows(name, batch=5, shapes=SHAPES):
    rule, told = RULES[name]
    options = rule.Options(**told)
    return rule.dataflows(options, rule.layer_shapes(options, 40, (20, 16), 10), batch)


def wired(name):
    rule, told = RULES[name]
    return rule.layer_shapes(rule.Options(**told), 40, (20, 16), 10)


EVERY = [
    pytest.param(name, given, id=f"{name} {' '.join(given)}")
    for name in RULES
    for given in (
        {},
        {"shared_digital": True, "buffer_vectors": 1},
        {"tile_rows": 16, "tile_columns": 8, "adcs_per_tile": 1, "sample_and_hold": False, "transposed_reads": True},
    )
]


@pytest.mark.parametrize(("name", "given"), EVERY)
def test_no_resource_is_used_twice_at_a_time_and_none_beyond_what_its_uses_take(name, given):
    """Intervals of a resource never overlap, and add up to what the formula says a step takes of it."""
    hardware = chip(wired(name), **given)
    for flow in flows(name):
        log = play(flow, hardware, 3)
        used = defaultdict(list)
        for i in log.intervals:
            used[i.resource].append((i.start_seconds, i.end_seconds))
        for resource, spans in used.items():
            ordered = sorted(spans)
            assert all(b[0] >= a[1] - 1e-15 for a, b in itertools.pairwise(ordered)), resource
        expected = busy_seconds(flow, hardware)
        held = 0 if hardware.architecture.sample_and_hold else None  # an array that holds its outputs is not in use
        for resource, seconds in log.busy_seconds(1).items():
            if held is not None or not resource.endswith("array"):
                assert seconds == pytest.approx(expected.get(resource, 0.0), rel=1e-9), resource


@pytest.mark.parametrize(("name", "given"), EVERY)
def test_no_step_is_shorter_than_its_busiest_resource(name, given):
    hardware = chip(wired(name), **given)
    for flow in flows(name):
        steps = np.diff(play(flow, hardware, 6).ends)
        assert steps[1:-1].mean() >= bottleneck_seconds(flow, hardware) * (1 - 1e-9)


@pytest.mark.parametrize("name", RULES)
def test_littles_law_holds_exactly(name):
    r"""Mean number under way = throughput times mean stay, from an empty chip to an empty chip."""
    for flow in flows(name):
        log = play(flow, chip(wired(name)), 3)
        spans = list(log.in_system())
        lasts = spans[-1][1] - spans[0][0]
        mean = sum((end - start) * under_way for start, end, under_way in spans) / lasts
        stays = [end - start for start, end in log.stays().values()]
        assert len(stays) == 3 * flow.batch
        assert mean == pytest.approx(len(stays) / lasts * np.mean(stays), rel=1e-12)
        assert spans[-1][2] == 1 and min(under_way for *_, under_way in spans) >= 0


@pytest.mark.parametrize("name", RULES)
def test_memory_is_empty_in_the_end(name):
    for flow in flows(name):
        log = play(flow, chip(wired(name)), 2)
        assert sum(level.change_bytes for level in log.levels) == pytest.approx(0, abs=1e-6)
        assert log.peak_bytes() > 0


@pytest.mark.parametrize("readable", [False, True])
@pytest.mark.parametrize("name", [name for name in RULES if name != "deployed"])
def test_energy_is_counts_times_prices(name, readable):
    """What `system_cost` makes of a ledger with the same counts: one tile a layer, one pulse a cell.

    Readable are weights that stand in front of a chip without any.
    """
    shapes, prices = wired(name), Prices(technology="7nm")
    kept = 2 * 2**20
    printed = sheets(shapes, readable_weights=readable)
    hardware = Hardware.of(printed, Architecture(tile_rows=100, tile_columns=100), prices, kept)
    digital = sum(
        4 * n_in * n_out for (n_in, n_out), sheet in zip(shapes, printed, strict=True) if sheet.readable_weights
    )
    assert hardware.kept_bytes == kept + digital
    for flow in flows(name):
        found = play(flow, hardware, 2).joules(1)
        counts = [
            Count(
                reads=flow.reads(n),
                mean_squares=flow.reads(n),
                pulses=flow.writes(n) * n_in * n_out,
                writes=flow.writes(n),
            )
            for n, (n_in, n_out) in enumerate(shapes)
        ]
        expected = system_cost(printed, counts, flow.work(), kept, np.zeros(1), prices).joules
        assert list(found.values()) == pytest.approx([float(part[0]) for part in expected], rel=1e-9, abs=1e-30)


def test_tiles_multiply_conversions_and_leave_sums_to_logic():
    """2 x 3 tiles: each input has a converter in 3 of them, each output in 2; one addition an output and read."""
    (one, *_), (tiled, *_) = (chip(**given).stages for given in ({}, {"tile_rows": 20, "tile_columns": 7}))
    assert tiled.read.dac.joules == pytest.approx(3 * one.read.dac.joules)
    assert tiled.read.adc.joules == pytest.approx(2 * one.read.adc.joules)
    assert (one.partial_sums, tiled.partial_sums, tiled.back_sums) == (0, 20, 2 * 40)
    assert chip(tile_columns=7, adcs_per_tile=2).stages[0].read.adc.seconds == pytest.approx(4 * 77e-9)
    assert tiled.write.seconds == pytest.approx(one.write.seconds / 2)  # two rows of tiles side by side
    assert chip(tile_rows=20, write_circuits=1).stages[0].write.seconds == pytest.approx(one.write.seconds)


def times(draw):
    return {name: draw(st.integers(1, 20)) * 1e-8 for name in ("dac_seconds", "settle_seconds", "adc_seconds")}


@st.composite
def chips(draw):
    """A chip whose layers differ in what is slow."""
    printed = [
        dataclasses.replace(sheet, **times(draw), reads_per_vector=draw(st.integers(1, 2))) for sheet in sheets()[:-1]
    ]
    hold, buffers = draw(st.booleans()), draw(st.integers(2, 4))
    return Hardware.of([*printed, sheets()[-1]], Architecture(buffer_vectors=buffers, sample_and_hold=hold, **FAST))


@settings(max_examples=25, deadline=None)
@given(hardware=chips(), batch=st.integers(2, 8))
def test_inference_takes_what_its_slowest_stage_takes(hardware, batch):
    flow = inference(SHAPES, batch)
    assert step_seconds(flow, hardware) == bottleneck_seconds(flow, hardware)
    found = summarize(flow, hardware)
    assert batch / found.samples_per_second == pytest.approx(step_seconds(flow, hardware), rel=1e-6)
    assert max(found.utilization.values()) == pytest.approx(1, rel=1e-6)


def learning(batch, reads, barrier):
    """One pass through layers that are read several times and then written."""
    passing = Pass(name="learning", visits=tuple(Visit(layer=n, reads=r) for n, r in enumerate([*reads, 1])))
    updates = tuple(Update(layer=n) for n in range(3))
    return Dataflow(batch=batch, phases=(Phase(passes=(passing,), updates=updates, barrier=barrier),))


@settings(max_examples=25, deadline=None)
@given(hardware=chips(), batch=st.integers(1, 8), reads=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_a_step_behind_a_barrier_fills_empties_and_writes(hardware, batch, reads):
    flow = learning(batch, reads, barrier=True)
    assert np.diff(play(flow, hardware, 3).ends) == pytest.approx(step_seconds(flow, hardware), rel=1e-6)


@pytest.mark.slow
@settings(max_examples=6, deadline=None, derandomize=True)  # layers that are nearly alike take long to settle
@given(hardware=chips(), batch=st.integers(2, 5), reads=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_a_step_of_local_learning_takes_what_its_slowest_layer_takes(hardware, batch, reads):
    """In the long run, and with room for the steps by which faster layers are ahead."""
    roomy = dataclasses.replace(
        hardware, architecture=hardware.architecture.model_copy(update={"buffer_vectors": 200 * batch})
    )
    flow = learning(batch, reads, barrier=False)
    ends = play(flow, roomy, 120).ends
    assert (ends[-2] - ends[-12]) / 10 == pytest.approx(step_seconds(flow, roomy), rel=1e-6)


def test_formulas_are_for_what_they_hold_for():
    assert step_seconds(flows("ff")[0], chip()) is None  # two passes
    assert step_seconds(flows("backprop")[0], chip()) is None
    assert step_seconds(inference(SHAPES, 5), chip(shared_digital=True)) is None
    slow = chip(memory_bytes_per_second=1e3)
    assert step_seconds(inference(SHAPES, 5), slow) is None  # digital logic sets the pace


GRID: dict[str, list[Any]] = {
    "adcs_per_tile": [1, 4, 16],
    "buffer_vectors": [1, 2, 8],
    "digital_macs_per_second": [1e9, 1e10, 1e12],
    "memory_bytes_per_second": [1e9, 1e10, 1e12],
    "write_circuits": [1, 2, 3],
    "sample_and_hold": [False, True],
    "shared_digital": [True, False],
}


@pytest.mark.slow
@pytest.mark.parametrize("resource", GRID)
@pytest.mark.parametrize("name", ["inference", "mono", "ff", "backprop", "dfa", "nodes", "weights"])
def test_more_of_a_resource_never_slows_a_rule(name, resource):
    """Never where vectors pass once; within 2 % where they come back, since first come, first served has anomalies.

    More room lets later vectors queue before earlier ones come back (Graham, SIAM J. Appl. Math. 17, 1969).
    """
    flow = inference(SHAPES, 4) if name == "inference" else flows(name, batch=4)[0]
    rest = {"tile_rows": 16, "adcs_per_tile": 4}
    rates = [summarize(flow, chip(**(rest | {resource: value}))).samples_per_second for value in GRID[resource]]
    least = 1 - (1e-6 if name in ("inference", "mono", "weights") else 0.02)
    assert all(more >= less * least for less, more in itertools.pairwise(rates)), rates


def test_a_full_buffer_blocks_the_layer_before():
    """A slow second layer: the first reads ahead by what its buffer and its converters hold, and waits."""
    slow = [*sheets()[:1], dataclasses.replace(sheets()[1], settle_seconds=1e-4), sheets()[2]]
    for room in (1, 3):
        hardware = Hardware.of(slow, Architecture(buffer_vectors=room, **FAST))
        log = play(inference(SHAPES, 12), hardware, 1)
        ready = sorted(i.end_seconds for i in log.intervals if i.resource == "layer 1 ADC")
        held = sum(1 for end in ready if end < 0.9e-4)  # while the first vector settles in layer 2
        assert held == 1 + 1 + room + 1  # in the array, in its converters, in the buffer, in layer 1's converters


def test_backprop_keeps_more_than_layers_that_learn_alone():
    """With the same chip and images, and the more the deeper."""
    deep = [(40, 20), *[(20, 20)] * 4, (20, 10)]
    (held,), (alone,) = (rule.dataflows(rule.Options(), deep, 50) for rule in (Backprop, MonoForward))
    hardware = chip(deep, **FAST)
    assert play(held, hardware, 1).peak_bytes() > 2 * play(alone, hardware, 1).peak_bytes()


def test_errors_may_go_back_through_the_arrays():
    (flow,) = flows("backprop")
    through, twin = (chip(transposed_reads=yes) for yes in (True, False))
    more = busy_seconds(flow, through)["layer 2 ADC"] - busy_seconds(flow, twin)["layer 2 ADC"]
    assert more == pytest.approx(flow.batch * 77e-9)
    assert busy_seconds(flow, through)["layer 2 digital"] < busy_seconds(flow, twin)["layer 2 digital"]
    assert "layer 1 ADC" in busy_seconds(flow, twin) and busy_seconds(flow, through)["head digital"] > 0


def test_a_later_direction_does_not_wait_for_an_earlier_one():
    """Both sides of all directions are under way at once; errors of an image wait for its own losses only."""
    (flow,) = flows("nodes", batch=1)
    log = play(flow, chip(), 1)
    first_error = min(i.start_seconds for i in log.intervals if i.passing.startswith("errors 1"))
    second = min(i.start_seconds for i in log.intervals if i.passing == "direction 2")
    assert second < first_error


def test_passes_that_wait_for_each_other_are_refused():
    a, b = (Pass(name=x, visits=(Visit(layer=0, reads=1),), awaits=(y,)) for x, y in ("ab", "ba"))
    with pytest.raises(ValueError, match=r"Expected a dataflow whose passes await none .* Mend the rule's `dataflows`"):
        play(Dataflow(batch=1, phases=(Phase(passes=(a, b)),)), chip(), 2)


def test_digital_work_takes_the_slower_of_logic_and_memory():
    hardware = chip(digital_macs_per_second=1e9, memory_bytes_per_second=1e6)
    assert hardware.digital(Work(2e9, 1)).seconds == pytest.approx(2)
    assert hardware.digital(Work(1, 3e6)).seconds == pytest.approx(3)
    job = Job("normalization", work.normalization(1, 40))
    flow = Dataflow(batch=2, phases=(Phase(passes=(Pass(name="x", visits=(Visit(layer=0, before=(job,)),)),)),))
    assert play(flow, hardware, 1).ends == pytest.approx([2 * hardware.digital(job.work).seconds])
