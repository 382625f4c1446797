"""Writes on arrays: what lands, what it costs, and that neither depends on the bank."""

import pytest
import torch
from pydantic import ValidationError

from analogff.device import ContractError, Observable, outer
from analogff.learning.rule_options import RuleOptions
from analogff.network import LayerSpec, fabricate_wired
from analogff.rules.forward_forward import ForwardForward
from analogff.system import Prices, Work, work
from analogff.training.spent import spent
from analogff.writes.make import make_writes
from analogff.writes.tiki_taka import TikiTaka2
from hardware_models.generic.ideal import Ideal
from hardware_models.memory_cells.reram import ReRAM
from tests.helpers import fakes

N_IN, N_OUT, VECTORS = 12, 8, 6
WRITES = {
    "sign": {},
    "pulse-trains": {},
    "tiki-taka": {"reference": "none"},
    "tiki-taka-2": {"chop_probability": 0.2},
    "agad": {"chop_period": 2},
    "multi-tile": {"tiles": 2},
    "verify": {"verify_rounds": 2},
}
EXACT = dict(preset="constant-step", device_spread=0.0, cycle_spread=0.0, bounds_spread=0.0, weight_noise=0.0)
SILENT = dict(read_noise=0.0, adc_bits=0, dac_bits=0, weight_noise=0.0)


def written(write, seeds=(0,), device=None, **told):
    """Make one array with its write; returns the write, the chips and the array as a test may look into it."""
    options = RuleOptions(write=write, **WRITES.get(write, {}) | told)
    chips = fabricate_wired(
        [LayerSpec(ReRAM, device or {})], [(N_IN, N_OUT), (N_OUT, 3)], seeds=seeds, writes=options.write_hardware
    )
    network = chips.seal(Observable.ACTIVITY)
    return make_writes(network, options, seed=0)[0], chips, chips.devices[0]


def vectors(chips=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shared = torch.rand(VECTORS, N_IN, generator=generator), torch.randn(VECTORS, N_OUT, generator=generator)
    x, errors = (values.expand(chips, -1, -1) for values in shared)
    return errors, x


def test_a_sign_is_one_pulse_at_most_and_as_long_as_the_rate_on_average():
    write, _, device = written("sign", device=EXACT)
    step, before = (
        float(write.pulse_size if hasattr(write, "pulse_size") else device.datasheet.change_step),
        device.weights.clone(),
    )
    change = torch.ones(1, N_OUT, N_IN).where(torch.rand(N_OUT, N_IN) < 0.5, -1.0)
    for _ in range(200):
        write.write(change, rate=0.25 * step)
    moved = (device.weights - before) / (200 * step) * change
    inside = (device.weights.abs() < 0.95 * device.upper).all()
    assert inside and abs(float(moved.mean()) - 0.25) < 4 * (0.25 * 0.75 / (200 * N_OUT * N_IN)) ** 0.5


def test_pulse_trains_descend_the_outer_product_on_average():
    write, _, device = written("pulse-trains", device=EXACT)
    errors, x = vectors()
    before, rate, total = device.weights.clone(), 1e-4, 0
    for _ in range(200):
        total = total + write.told(errors, x, rate)
    landed = device.weights - before
    assert torch.allclose(total, -200 * outer(errors, x) * (total / outer(errors, x)).mean().abs() / 200)
    # each pulse is a coin: the variance of a sum is below its mean number of pulses times the step squared
    pulses = 200 * outer(errors.abs(), x) * (total / outer(errors, x)).abs().mean() / 200 / write.pulse_size
    assert ((landed - total).abs() < 5 * write.pulse_size * pulses.sqrt()).all()
    typical = total.square().mean().sqrt() / 200
    assert 0.3 * rate < typical < 3 * rate  # vectors that agree by chance take steps of the rate


def test_readings_of_the_fast_array_move_to_the_layer():
    told = dict(reference="none", transfer_every=0.5, fast_rate=0.5)
    write, chips, device = written("tiki-taka", device=EXACT | SILENT, **told)
    fast, (errors, x), before = chips.beside[0][0], vectors(), device.weights.clone()
    fast.weights.zero_()
    for _ in range(20):
        write.descend(errors, x, rate=0.0003)
    gradient, moved = outer(errors, x), device.weights - before
    for change in (fast.weights, moved):
        assert torch.cosine_similarity(change.flatten(), -gradient.flatten(), dim=0) > 0.9


def test_a_buffer_asks_for_one_pulse_and_forgets():
    write, _, _ = written("tiki-taka-2", device=EXACT | SILENT, reference="none", chop_probability=0.0)
    assert isinstance(write, TikiTaka2)
    lines, pulse = torch.tensor([2, 5]), float(write.pulse_size)
    readings = torch.tensor([0.4, 3.0]).mul(pulse).expand(1, N_OUT, 2)
    first, second, third = (write.asked(readings, lines, 1.0) for _ in range(3))
    assert not first[..., 0].any() and torch.allclose(first[..., 1], torch.tensor(pulse))
    assert not second[..., 0].any() and torch.allclose(third[..., 0], torch.tensor(pulse))
    assert torch.allclose(write.buffer[..., 2], torch.tensor(0.12 * pulse))  # a tenth of 1.2


def test_a_dynamic_reference_cancels_a_constant_reading():
    """Each period leaves nothing of a constant but what the one before it differed by."""
    write, _, _ = written("agad", device=EXACT | SILENT, chop_period=2)
    lines, pulse = torch.arange(N_IN), float(write.pulse_size)
    for n in range(40):
        asked = write.asked(torch.full((1, N_OUT, N_IN), 0.6 * pulse), lines, 1.0)
        assert n < 2 or not asked.any()
    assert (write.buffer.abs() < 0.7 * pulse).all()
    write.asked(torch.full((1, N_OUT, N_IN), 5.6 * pulse), lines, 1.0)
    assert (write.buffer > 0).all()  # and a change since then is seen


def test_a_measured_reference_is_the_symmetry_point():
    device = dict(preset="soft-bounds", step=0.02, asymmetry=0.2, asymmetry_spread=0.1, cycle_spread=0.0) | SILENT
    write, chips, _ = written(
        "tiki-taka",
        device=device | dict(bounds_spread=0.0, device_spread=0.0),
        reference="measured",
        transfer_reads="perfect",
    )
    write.reference.find()
    fast = chips.beside[0][0]
    point = (fast.step_up - fast.step_down) / (fast.step_up / fast.upper - fast.step_down / fast.lower)
    assert ((write.reference.weights - point).abs() < 2 * write.pulse_size).all()


def test_weights_of_tiles_are_a_sum_and_finer_ones_learn_later():
    told = dict(tiles=2, tile_significance=0.1)
    write, chips, device = written("multi-tile", device=EXACT | SILENT | dict(step=0.05), **told)
    coarse, fine = device.first, chips.beside[0][0]
    errors, x = vectors()
    weights = coarse.weights + 0.1 * fine.weights
    torch.testing.assert_close(device.measure(x), (x @ weights.mT).relu().clamp(max=float(device.datasheet.output_max)))
    torch.testing.assert_close(device.oracle(x).weights, weights)
    left, step = {}, float(write.pulse_size)
    for now, progress in enumerate((0.4, 0.6)):
        before = coarse.weights.clone(), fine.weights.clone()
        write.advance(progress)
        wanted = sum(write.told(errors, x, rate=0.002) for _ in range(50))
        moved = [after - b for after, b in zip((coarse.weights, fine.weights), before, strict=True)]
        assert moved[now].any() and not moved[1 - now].any()
        left[now] = float((moved[now] * 0.1**now - wanted).square().mean().sqrt())
    assert left[1] < 0.5 * left[0] and left[0] > 0.1 * step


def test_verified_writes_land_closer():
    far = {}
    for name, told in (("digital", {}), ("verify", {"verify_rounds": 3})):
        write, _, device = written(name, device=dict(cycle_spread=1.0, step=0.01) | SILENT, **told)
        target = device.weights.clone()
        for n in range(5):
            change = 0.01 * torch.randn(1, N_OUT, N_IN, generator=torch.Generator().manual_seed(n))
            target += write.write(change, 0.01)
        far[name] = float((device.weights - target).square().mean().sqrt())
    assert far["verify"] < 0.5 * far["digital"]


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        ("pulse-trains", Work(4 * VECTORS * (N_IN + N_OUT), 4 * 3 * VECTORS * (N_IN + N_OUT))),
        (
            "tiki-taka",
            Work(
                2 * VECTORS * (N_IN + N_OUT) + (8 + 2) * 6 * N_OUT,
                4 * (2 * VECTORS * (N_IN + N_OUT) + (6 + 2) * 6 * N_OUT),
            ),
        ),
        (
            "tiki-taka-2",
            Work(
                2 * VECTORS * (N_IN + N_OUT) + (8 + 4) * 6 * N_OUT,
                4 * (2 * VECTORS * (N_IN + N_OUT) + (6 + 4) * 6 * N_OUT),
            ),
        ),
        (
            "agad",
            Work(
                2 * VECTORS * (N_IN + N_OUT) + (8 + 7) * 6 * N_OUT,
                4 * (2 * VECTORS * (N_IN + N_OUT) + (6 + 8) * 6 * N_OUT),
            ),
        ),
    ],
)
def test_the_ledger_counts_the_work_of_a_step_as_by_hand(write, expected):
    """By the words of each operation: 4 of a reading's inversion, and one column read twice for each vector."""
    told = {"reference": "none"} if write == "tiki-taka-2" else {}
    made, chips, _ = written(write, **told)
    made.descend(*vectors(), rate=0.003)
    own = [chips.ledger.of(name) for name in ("layer 1", *chips.ledger.layers[2:])]
    assert tuple(work.total(Work(c.macs, c.moved_bytes) for c in own)) == pytest.approx(tuple(expected))
    first = own[-1]
    assert first.train_slots == 31 * VECTORS and (first.train_pulses == first.pulses).all() and first.pulses > 0
    if write != "pulse-trains":
        assert first.reads == 2 * VECTORS and own[0].reads == 0


def test_verification_is_counted_by_reads_and_work():
    made, chips, _ = written("verify", verify_rounds=3)
    change = 0.01 * torch.ones(1, N_OUT, N_IN)
    made.write(change, 0.01)
    first = chips.ledger.of("layer 1").reads
    made.write(change, 0.01)
    count = chips.ledger.of("layer 1")
    assert first == 4 * 2 * N_IN and count.reads - first == 3 * 2 * N_IN  # the target begins with a reading
    assert made.kept_bytes == 4 * N_IN * N_OUT


def rule_of(write, seeds, **told):
    options = ForwardForward.Options(write=write, **WRITES.get(write, {}) | told)
    chips = fabricate_wired(
        [LayerSpec(ReRAM, dict(step=0.05))], [(20, N_OUT), (N_OUT, 10)], seeds=seeds, writes=options.write_hardware
    )
    return ForwardForward(chips.seal(ForwardForward.needs(options)), options, seed=0), chips


@pytest.mark.slow
@pytest.mark.parametrize("write", WRITES)
def test_a_chip_is_bitwise_the_same_alone_and_in_a_bank(write):
    (alone, chip), (bank, chips) = rule_of(write, (7,)), rule_of(write, (5, 7))
    for n in range(3):
        losses = [rule.step(*fakes.make_batch(10, n_in=20, seed=n)) for rule in (alone, bank)]
        assert torch.equal(losses[0][0], losses[1][1])
    for name, value in chip.state_dict().items():
        assert torch.equal(value[0].nan_to_num(), chips.state_dict()[name][1].nan_to_num()), name


def test_further_arrays_are_priced_and_age():
    rule, chips = rule_of("tiki-taka-2", (0,))
    rule.step(*fakes.make_batch(10, n_in=20))
    cost = spent(rule, chips, Prices())
    beside, name = chips.beside[0][0], "layer 1 array 2"
    counts = {layer: chips.ledger.of(layer) for layer in ("layer 1", name)}
    pulses = sum(float(count.pulses) for count in counts.values()) * beside.datasheet.pulse_joules
    assert float(cost.system.joules.writes[0]) == pytest.approx(pulses)
    busy = counts[name].reads * 187e-9 + counts[name].train_slots * 100e-9
    assert cost.seconds[0] > busy
    adam = 2 * 4 * 20 * N_OUT  # registers that it has not, in place of a buffer and a reference
    digital = rule.kept_bytes(rule.options, [(20, N_OUT), (N_OUT, 10)], 100)
    weights = 4 * N_OUT * 10  # of the digital head
    assert cost.system.kept_bytes[0] == digital - adam + adam + weights
    rule.network.wait(1e5)
    assert (beside.age_seconds > 0).any()


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"train_slots": 5}, 'write = "pulse-trains" or .* without which train_slots does nothing'),
        ({"write": "sign", "fast_rate": 0.5}, 'write = "tiki-taka" or .* without which fast_rate does nothing'),
        ({"write": "agad", "reference": "none"}, "without which reference does nothing"),
        ({"write": "agad", "chop_probability": 0.1}, "without which chop_probability does nothing"),
        ({"write": "tiki-taka-2", "chop_period": 3}, "without which chop_period does nothing"),
        ({"write": "agad", "verify_rounds": 1}, "without which verify_rounds does nothing"),
        ({"write": "pulse-trains", "update_decay": 0.1}, "without which update_decay does nothing"),
    ],
)
def test_an_option_that_a_write_does_not_use_is_refused(told, message):
    with pytest.raises(ValidationError, match=message):
        RuleOptions(**told)


def test_arrays_that_cannot_be_written_so_are_refused_in_a_sentence():
    options = RuleOptions(write="agad")
    shapes = [(N_IN, N_OUT), (N_OUT, 3)]
    without = fabricate_wired([LayerSpec(ReRAM)], shapes, seeds=(0,))
    with pytest.raises(ContractError, match="made without. Fabricate them with writes"):
        make_writes(without.seal(Observable.ACTIVITY), options, 0)
    exact = fabricate_wired([LayerSpec(Ideal)], shapes, seeds=(0,), writes=options.write_hardware)
    with pytest.raises(ContractError, match="prints no change of a write pulse. Take a device such as reram"):
        make_writes(exact.seal(Observable.ACTIVITY), options, 0)
    dark = LayerSpec(ReRAM, dict(family="non-monotone"))
    flat = fabricate_wired([dark], shapes, seeds=(0,), writes=options.write_hardware)
    try:
        make_writes(flat.seal(Observable.ACTIVITY), options, 0)
    except ContractError as error:
        assert "whose weights can be read" in str(error)
