"""Neurons at the end of a converter's range come back where the converter ends before the neuron bends."""

import dataclasses

import pytest
import torch
from pydantic import ValidationError

from analogff.network import LayerSpec, fabricate_wired
from analogff.rules.forward_forward import ForwardForward
from analogff.slopes.saturation_gradient import SaturationGradient
from analogff.slopes.slopes import Reading
from analogff.support.state import restore, state_of
from tests.helpers.fakes import Curved, capture_gradients, make_batch

END = 2.0
FALLING = slice(3, 6)


def read(curve, chips=2, end=END):
    """Return what a batch of six shows of a curve that a converter cuts off, and a gradient of both signs."""
    generator = torch.Generator().manual_seed(0)
    a = (4 * torch.rand(chips, 6, 50, generator=generator)).requires_grad_()
    y = curve(a).clamp(max=end)
    (slope,) = torch.autograd.grad(y.sum(), a)
    return Reading(y.detach(), slope), torch.randn(chips, 6, 50, generator=generator)


def released(reading, gradient, end, reads=100):
    """Return what comes after so many equal reads."""
    saturation_gradient = SaturationGradient(end)
    for _ in range(reads):
        found = saturation_gradient.of(reading, gradient, FALLING)
    return found


def test_the_slope_on_the_way_down_is_the_one_on_the_way_up():
    """A straight neuron: its slope is 1 wherever it can be seen."""
    reading, gradient = read(torch.relu)
    found = released(reading, gradient, END)
    back = (reading.y == END) & (gradient > 0)
    back[:, :3] = False
    assert back.any() and (reading.slope[back] == 0).all()
    torch.testing.assert_close(found.slope, torch.where(back, 1.0, reading.slope))
    assert torch.equal(found.y, reading.y)


def test_a_neuron_that_gets_steeper_is_cut_off_and_comes_back_steeply():
    reading, gradient = read(lambda a: torch.exp(a) - 1)
    found = released(reading, gradient, END)
    changed = found.slope != reading.slope
    assert changed.any()
    # near the end y is between 0.75 and 0.99 of it, where the slope is y + 1
    assert (found.slope[changed] > 0.75 * END + 1).all() and (found.slope[changed] < 0.99 * END + 1).all()


@pytest.mark.parametrize("curve", [torch.tanh, torch.sigmoid, lambda a: torch.sin(a / 2)])
def test_a_neuron_that_bends_before_its_end_is_left_as_it_is(curve):
    reading, gradient = read(curve, end=1.0)
    assert (reading.y >= 0.99).any() or curve is torch.sigmoid
    assert torch.equal(released(reading, gradient, 1.0).slope, reading.slope)


def test_nothing_is_changed_where_no_end_is_printed_or_no_slope_seen():
    reading, gradient = read(torch.relu)
    assert released(reading, gradient, None) is reading
    blind = Reading(reading.y, None)
    assert released(blind, gradient, END) is blind


def test_a_few_readings_at_the_end_are_left_there_and_so_are_those_of_the_first_reads():
    """Softplus chips, of whose readings 0.03 % are at the end, lost half a point by drawing those back."""
    reading, gradient = read(torch.relu)
    assert torch.equal(released(reading, gradient, END, reads=5).slope, reading.slope)
    rare = Reading(torch.where(reading.y < END, reading.y / 4, reading.y), reading.slope)
    rare.y[:, 1:] = 0.4 * END
    rare.y[:, 0, 2:] = 0.8 * END
    rare.y[:, 0, :2] = END
    assert torch.equal(released(rare, gradient, END).slope, rare.slope)


def test_what_was_seen_survives_a_file(tmp_path):
    reading, gradient = read(torch.relu)
    one, other = SaturationGradient(END), SaturationGradient(END)
    for _ in range(100):
        one.of(reading, gradient, FALLING)
    torch.save(state_of(one), tmp_path / "saturation_gradient.pt")
    restore(other, torch.load(tmp_path / "saturation_gradient.pt", weights_only=True))
    assert torch.equal(other.of(reading, gradient, FALLING).slope, one.of(reading, gradient, FALLING).slope)


def test_what_was_seen_stays_in_its_place_where_a_graph_may_hold_it():
    reading, gradient = read(torch.relu)
    one = SaturationGradient(END)
    assert not one.is_set and SaturationGradient(None).is_set
    one.of(reading, gradient, FALLING)
    place, before = one.seen.data_ptr(), one.seen.clone()
    one.of(reading, gradient, FALLING)
    assert one.is_set and one.seen.data_ptr() == place and not torch.equal(one.seen, before)


def test_a_chip_is_the_same_alone_and_in_a_bank():
    reading, gradient = read(torch.relu, chips=3)
    ends = torch.tensor([2.0, 1.5, 2.0])
    bank = released(reading, gradient, ends).slope
    one = Reading(*(part[1:2] for part in reading))
    assert torch.equal(bank[1:2], released(one, gradient[1:2], ends[1:2]).slope)


def errors_of(**options):
    """Return what the first layer is asked to change by one step, its neurons cut off at a printed end."""
    chosen = ForwardForward.Options(slope="oracle", negatives="random", **options)
    specs = [LayerSpec(Curved, {"curve": lambda a: a.relu().clamp(max=0.5)})]
    chips = fabricate_wired(specs, ForwardForward.layer_shapes(chosen, 20, (16,), 10), seeds=(0,))
    device = chips.devices[0]
    device.datasheet = dataclasses.replace(device.datasheet, output_max=0.5)
    rule = ForwardForward(chips.seal(ForwardForward.needs(chosen)), chosen, seed=0)
    gradients = capture_gradients(rule)
    for _ in range(100):
        rule.step(*make_batch())
    return gradients[0]


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_option_reaches_the_halves_whose_goodness_falls(direction):
    with_it, without = (errors_of(saturation_gradient=on, direction=direction) for on in (True, False))
    assert not torch.equal(with_it, without)


def test_it_needs_slopes_that_are_seen():
    with pytest.raises(ValidationError, match="without which saturation_gradient does nothing"):
        ForwardForward.Options(slope="assumed", saturation_gradient=True)
