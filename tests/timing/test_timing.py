"""The pipeline against a vector-by-vector recursion and closed formulas; energy is counts times units."""

import dataclasses
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analogff.device import Datasheet
from analogff.device.ledger import Count
from analogff.timing import (
    Inference,
    LayerByLayer,
    LocalUpdates,
    Schedule,
    Stage,
    UpdateAfterPass,
    UpdateBeforePass,
    cost,
    simulate,
)

BARRIER = (UpdateAfterPass(), UpdateBeforePass())
LOCAL = (LocalUpdates(), LayerByLayer())
SCHEDULES = (Inference(), *LOCAL, *BARRIER)
seconds = st.integers(0, 20).map(float)
some_stages = st.lists(st.builds(Stage, seconds, seconds), min_size=1, max_size=4)


def vector_by_vector(stages, schedule, steps, vectors):
    """Play every single vector: a slow and obvious oracle."""
    free, now = [0.0] * len(stages), 0.0
    for _ in range(steps):
        if isinstance(schedule, UpdateBeforePass):
            now += max(stage.write_seconds for stage in stages)
        arrivals = [now] * vectors
        for layer, stage in enumerate(stages):
            leaving = []
            for arrival in arrivals:
                free[layer] = max(arrival, free[layer]) + stage.read_seconds
                leaving.append(free[layer])
            if schedule in LOCAL:
                free[layer] += stage.write_seconds
            arrivals = [free[layer]] * vectors if isinstance(schedule, LayerByLayer) else leaving
        if schedule in BARRIER:
            now = max(free)
        if isinstance(schedule, UpdateAfterPass):
            now += max(stage.write_seconds for stage in stages)
        free = [max(now, moment) for moment in free]
    return max(free)


@pytest.mark.parametrize("schedule", SCHEDULES)
@settings(max_examples=60, deadline=None)
@given(stages=some_stages, steps=st.integers(1, 12), vectors=st.integers(1, 6))
def test_equal_to_playing_every_vector_of_every_step(schedule, stages, steps, vectors):
    """Neither following only two vectors of a step, nor adding the later steps, changes anything."""
    expected = vector_by_vector(stages, schedule, steps, vectors)
    assert simulate(stages, schedule, steps=steps, reads_per_step=vectors) == expected


@given(stages=some_stages, vectors=st.integers(1, 1000))
@settings(max_examples=40, deadline=None)
def test_inference_takes_the_fill_and_then_the_slowest_stage(stages, vectors):
    reads = [stage.read_seconds for stage in stages]
    assert simulate(stages, Inference(), steps=1, reads_per_step=vectors) == pytest.approx(
        sum(reads) + (vectors - 1) * max(reads)
    )


@pytest.mark.parametrize("schedule", BARRIER)
@given(stages=some_stages, steps=st.integers(1, 500), vectors=st.integers(1, 100))
@settings(max_examples=30, deadline=None)
def test_a_barrier_fills_the_pipeline_in_every_step(schedule, stages, steps, vectors):
    reads = [stage.read_seconds for stage in stages]
    a_step = sum(reads) + (vectors - 1) * max(reads) + max(stage.write_seconds for stage in stages)
    assert simulate(stages, schedule, steps=steps, reads_per_step=vectors) == pytest.approx(steps * a_step)


@given(stages=some_stages, steps=st.integers(1, 500), vectors=st.integers(1, 100))
@settings(max_examples=30, deadline=None)
def test_layerwise_is_a_pipeline_of_whole_steps(stages, steps, vectors):
    work = [vectors * stage.read_seconds + stage.write_seconds for stage in stages]
    assert simulate(stages, LayerByLayer(), steps=steps, reads_per_step=vectors) == pytest.approx(
        sum(work) + (steps - 1) * max(work)
    )


@given(stages=some_stages, vectors=st.integers(1, 100))
@settings(max_examples=30, deadline=None)
def test_the_busiest_layer_sets_the_rate_of_the_pipelined_rule(stages, vectors):
    few, many = (simulate(stages, LocalUpdates(), steps=steps, reads_per_step=vectors) for steps in (1000, 3000))
    busiest = max(vectors * stage.read_seconds + stage.write_seconds for stage in stages)
    assert many - few == pytest.approx(2000 * busiest)


@given(stages=some_stages, vectors=st.integers(1, 100))
@settings(max_examples=30, deadline=None)
def test_the_more_may_overlap_the_sooner_it_is_done(stages, vectors):
    def takes(schedule, steps=2000):
        return simulate(stages, schedule, steps=steps, reads_per_step=vectors)

    rounding = 1 + 1e-12
    assert takes(Inference()) <= takes(LocalUpdates()) * rounding
    assert takes(LocalUpdates()) <= takes(LayerByLayer()) * rounding
    # A barrier costs more in each step, but a whole step fills less than the layers one by one.
    filling = sum(vectors * stage.read_seconds + stage.write_seconds for stage in stages)
    assert takes(LayerByLayer()) <= (takes(UpdateAfterPass()) + filling) * rounding
    assert takes(UpdateAfterPass()) == pytest.approx(takes(UpdateBeforePass()))


SHEETS = [
    Datasheet(
        n_in=784,
        n_out=500,
        dac_seconds=10e-9,
        settle_seconds=100e-9,
        adc_seconds=77e-9,
        adc_share=8,
        pulse_seconds=1e-7,
        parallel_pulses=500,
        dac_joules=0.5e-12,
        adc_joules=5e-12,
        read_joules=3e-9,
        pulse_joules=2e-12,
    ),
    Datasheet(n_in=500, n_out=10, adc_seconds=0.0, dac_seconds=0.0, settle_seconds=50e-9),
]


def test_energy_is_counts_times_unit_energies():
    counts = [
        Count(reads=60000, pulses=torch.tensor([7, 9_000_000]), writes=100),
        Count(reads=30000, pulses=40, writes=100),
    ]
    sheets = [dataclasses.replace(SHEETS[0], adc_joules=torch.tensor([5e-12, 10e-12])), SHEETS[1]]
    _, joules = cost(sheets, counts, LocalUpdates(), 2)
    head = 30000 * (500 * 0.5e-12 + 10 * 5e-12) + 40 * 1e-12
    first = 60000 * (3e-9 + 784 * 0.5e-12 + 500 * 5e-12) + 7 * 2e-12 + head
    second = 60000 * (3e-9 + 784 * 0.5e-12 + 500 * 10e-12) + 9e6 * 2e-12 + head
    assert joules.dtype == np.float64
    assert joules == pytest.approx([first, second], rel=1e-6)  # one unit energy is a float32 tensor


def test_seconds_of_two_chips_that_differ_in_pulses():
    """Both layers read 128 vectors a step, the first one each twice: it sets the rate."""
    counts = [
        Count(reads=25600, pulses=torch.tensor([0, 5_000_000]), writes=100),
        Count(reads=12800, pulses=0, writes=100),
    ]
    took, _ = cost(SHEETS, counts, LocalUpdates(), 2)
    read = 10e-9 + 100e-9 + 8 * 77e-9
    write = 5_000_000 / 100 * 1e-7 / 500
    last = 50e-9  # the second layer's read of the last vector, which nothing hides
    assert took == pytest.approx([100 * 256 * read + last, 100 * (256 * read + write) - write + max(write, last)])


def test_a_chip_that_was_asked_for_less_is_costed_as_if_it_were_alone():
    pulses, writes = torch.tensor([0, 5_000_000, 70_000]), torch.tensor([1, 100, 7])
    counts = [Count(reads=25600, pulses=pulses, writes=writes), Count(reads=12800, writes=50)]
    took, joules = cost(SHEETS, counts, UpdateBeforePass(), 3)
    for chip in range(3):
        alone = Count(reads=25600, pulses=int(pulses[chip]), writes=int(writes[chip]))
        expected = cost(SHEETS, [alone, counts[1]], UpdateBeforePass(), 1)
        assert (took[chip], joules[chip]) == (expected[0][0], expected[1][0])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_rule_that_did_nothing_costs_nothing(schedule):
    took, joules = cost(SHEETS, [Count(), Count()], schedule, 3)
    assert took.tolist() == [0, 0, 0] and joules.tolist() == [0, 0, 0]


def test_weights_programmed_once_cost_their_write():
    """A deployed network reads nothing in training and writes every layer once, side by side."""
    counts = [Count(pulses=392_000, writes=1), Count(pulses=5000, writes=1)]
    took, _ = cost(SHEETS, counts, UpdateAfterPass(), 1)
    assert took == pytest.approx([max(392_000 * 1e-7 / 500, 5000 * 100e-9)])


def test_busy_time_is_kept_when_there_are_fewer_reads_than_steps():
    counts = [Count(reads=10, writes=40), Count()]
    took, _ = cost(SHEETS, counts, UpdateBeforePass(), 1)
    assert took == pytest.approx([10 * (10e-9 + 100e-9 + 8 * 77e-9)])


def test_fewer_reads_than_steps_pass_the_layers_one_by_one():
    counts = [Count(reads=10, writes=40), Count(reads=10, writes=40)]
    took, _ = cost(SHEETS, counts, UpdateBeforePass(), 1)
    assert took == pytest.approx([10 * (10e-9 + 100e-9 + 8 * 77e-9 + 50e-9)])


def test_a_bank_of_64_chips_is_costed_within_a_tenth_of_a_second():
    pulses = torch.arange(1, 65) * 1000
    counts = [Count(reads=60000, pulses=pulses, writes=470)] * 3
    start = time.process_time()
    took, _ = cost([SHEETS[0]] * 3, counts, LocalUpdates(), 64)
    assert time.process_time() - start < 0.1
    assert (np.diff(took) > 0).all()


def test_refusals():
    with pytest.raises(ValueError, match=r"Expected no writes under Inference. Got 2 of them. Give the rule"):
        cost(SHEETS, [Count(writes=1), Count(writes=1)], Inference(), 1)
    with pytest.raises(ValueError, match="at least one stage, one step and one read"):
        simulate([], Inference(), steps=1, reads_per_step=1)
    with pytest.raises(ValueError, match="finite times from 0"):
        simulate([Stage(float("nan"))], Inference(), steps=1, reads_per_step=1)


class TwoPasses(Schedule):
    """As a rule may supply it: two passes, then a write."""

    overlap = False

    def step(self, pipeline):
        yield pipeline.read()
        yield pipeline.read()
        yield pipeline.write()


@given(stages=some_stages, steps=st.integers(1, 50), vectors=st.integers(1, 100))
@settings(max_examples=30, deadline=None)
def test_a_rule_may_bring_a_schedule_of_its_own(stages, steps, vectors):
    reads = [stage.read_seconds for stage in stages]
    a_pass = sum(reads) + (vectors - 1) * max(reads)
    expected = steps * (2 * a_pass + max(stage.write_seconds for stage in stages))
    assert simulate(stages, TwoPasses(), steps=steps, reads_per_step=vectors) == pytest.approx(expected)
