"""Electrochemical cells against what was published of them; laws and spreads are tested in test_pulsed."""

import pytest
import torch

from hardware_models.memory_cells.ecram import ECRAM

EVEN = dict(
    device_spread=0.0, cycle_spread=0.0, bounds_spread=0.0, asymmetry_spread=0.0, slope_spread=0.0, program_noise=0.0
)


@pytest.mark.slow
@pytest.mark.parametrize("preset, upper, lower", [("lithium", 1.1724, -0.8276), ("metal-oxide", 1.1714, -0.8286)])
def test_the_range_is_two_and_steps_meet_at_zero(preset, upper, lower):
    chip = ECRAM(13, 7, seed=0, preset=preset, **EVEN)
    ends = (chip.upper / chip.unit, chip.lower / chip.unit)
    assert all(torch.allclose(e, torch.full_like(e, v)) for e, v in zip(ends, (upper, lower), strict=True))
    chip.program(torch.zeros_like(chip.weights))
    step = chip.step * chip.unit
    chip.pulse(step.expand_as(chip.weights))
    up = chip.weights.clone()
    chip.program(torch.zeros_like(chip.weights))
    chip.pulse(-step.expand_as(chip.weights))
    assert torch.allclose(up, -chip.weights) and torch.allclose(up, step)


def test_metal_oxide_is_the_less_even_of_the_two():
    """A full swing up and down from zero: the published slopes take more of the steps."""
    left = {}
    for preset in ("lithium", "metal-oxide"):
        chip = ECRAM(13, 7, seed=0, preset=preset, **EVEN, step=0.01)
        chip.program(torch.zeros_like(chip.weights))
        for _ in range(3):
            chip.pulse((30 * chip.step * chip.unit).expand_as(chip.weights))
        left[preset] = (chip.weights / chip.unit).mean().item()
    assert 0.9 > left["lithium"] > left["metal-oxide"]


def test_a_preset_can_be_overridden_number_by_number():
    chip = ECRAM(13, 7, seed=[0, 1], slope_down=torch.tensor([0.0, 0.3]), slope_spread=0.0, step=0.1)
    assert (chip.step == 0.1).all()
    assert (chip.fall_down[0] == 0).all()
    assert torch.allclose(chip.fall_down[1] * chip.unit[1] * 0.8276, torch.tensor(0.3))


def test_time_changes_nothing():
    chip = ECRAM(13, 7, seed=0)
    before = chip.weights.clone()
    chip.wait(1e9)
    assert torch.equal(chip.weights, before)
