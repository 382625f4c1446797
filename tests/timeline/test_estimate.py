"""Closed formulas of a training's time, energy and load, held to the events that they stand for."""

import dataclasses

import numpy as np
import pytest
import torch

from analogff.rules.mono_forward import MonoForward
from analogff.timeline import Architecture, Hardware, estimate, inference, step_seconds, summarize_training
from tests.timeline.test_timeline import FAST, RULES, SHAPES, chip, flows, sheets

CHIPS = [{}, {"tile_rows": 16, "adcs_per_tile": 4, "sample_and_hold": False}, {"transposed_reads": True, **FAST}]


@pytest.mark.parametrize("given", CHIPS, ids=["default", "tiles", "transposed"])
@pytest.mark.parametrize("name", RULES)
def test_energy_is_that_of_all_events_and_no_schedule_is_faster(name, given):
    """Energy to rounding; time within the millionth at which steps count as equal."""
    parts, hardware = flows(name), chip(**given)
    found, played = estimate(parts, hardware), summarize_training(parts, hardware)
    assert found.joules == pytest.approx(sum(played.joules.values()), rel=1e-9, abs=0)
    assert found.seconds * played.samples_per_second <= 1 + 1e-6
    used = [played.utilization.get(f"{stage.name} array") for stage in hardware.stages if stage.analog]
    busy = np.mean(used) / played.samples_per_second if used else np.nan
    np.testing.assert_allclose(found.array_utilization * found.seconds, busy, rtol=1e-6)


@pytest.mark.parametrize("name", ["inference", "mono", "weights"])
def test_time_is_exact_where_a_step_has_a_formula(name):
    hardware = chip(buffer_vectors=1000, **FAST)  # room for steps by which faster layers are ahead
    parts = [inference(SHAPES, 5)] if name == "inference" else flows(name)
    assert all(step_seconds(flow, hardware) is not None for flow in parts)
    played = summarize_training(parts, hardware)
    assert estimate(parts, hardware).seconds == pytest.approx(1 / played.samples_per_second, rel=1e-5)


def test_elsewhere_it_is_that_of_the_busiest_resource():
    hardware = chip()
    (flow,) = flows("ff")
    assert step_seconds(flow, hardware) is None
    played = summarize_training([flow], hardware)
    assert estimate([flow], hardware).seconds == pytest.approx(1 / played.bound_per_second, rel=1e-12)


def test_a_chip_of_a_bank_has_energies_and_pulses_of_its_own():
    printed = [dataclasses.replace(sheet, read_joules=torch.tensor([1e-12, 5e-12])) for sheet in sheets()]
    (flow,) = MonoForward.dataflows(MonoForward.Options(), SHAPES, 5)
    alone = [[dataclasses.replace(sheet, read_joules=float(sheet.read_joules[n])) for sheet in printed] for n in (0, 1)]
    for n, pulses in enumerate(([40.0, 30.0, 0.0], [800.0, 30.0, 0.0])):
        of_bank = estimate([flow], Hardware.of(printed, chip=n, pulses=pulses))
        assert of_bank == estimate([flow], Hardware.of(alone[n], pulses=pulses))
    assumed, counted = (
        estimate([flow], Hardware.of(alone[0], Architecture(pulses_per_cell=p), pulses=[1.0] * 3)) for p in (1.0, None)
    )
    assert assumed == estimate([flow], Hardware.of(alone[0])) and assumed.joules > counted.joules
