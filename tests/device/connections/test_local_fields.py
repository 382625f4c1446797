import math

import pytest
import torch

from analogff.catalog import CatalogError, fingerprint, resolve_device
from analogff.catalog.parameters import parameters_of
from analogff.device import (
    ContractError,
    Datasheet,
    Device,
    Digital,
    Observable,
    Sealed,
    SharedInputs,
    check_device,
    derive_seed,
    local_fields,
)
from analogff.device.connections.squares import fields_of
from analogff.network import LayerSpec, fabricate_chips
from hardware_models.generic.faulty import faulty
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown
from tests.helpers.fakes import Curved, Leaky, Tanh

N_IN, N_OUT = 26, 14  # a square of 6 x 6 that is not full, and outputs that 9 fields do not share evenly
FIELD = {"field": 2, "stride": 2}


def slow_fields(n_in, field, stride, before=0, over=0, channels=1):
    """Return the lines of each field, one by one; None where there is none."""
    side = math.ceil(math.ceil((n_in - before) / channels) ** 0.5)
    starts = sorted({*range(0, side - field + 1, stride), side - field})
    return [
        [*range(before + over)]
        + [
            line if before + over <= line < n_in else None
            for r in range(top, top + field)
            for c in range(left, left + field)
            for line in range(before + (r * side + c) * channels, before + (r * side + c + 1) * channels)
        ]
        for top in starts
        for left in starts
    ]


def dense_of(device, before=0, over=0, channels=1):
    """Return the block-scattered weight matrix, written entry by entry."""
    fields = slow_fields(N_IN, 2, 2, before, over, channels)
    neurons = -(-N_OUT // len(fields))
    small = device.bank.weights.view(-1, len(fields), neurons, len(fields[0]))
    dense = torch.zeros(len(small), N_OUT, N_IN)
    for chip in range(len(small)):
        for out in range(N_OUT):
            p, neuron = divmod(out, neurons)
            for place, line in enumerate(fields[p]):
                if line is not None:
                    dense[chip, out, line] = small[chip, p, neuron, place]
    return dense


def make(model=Curved, chips=(0, 1), **more):
    return local_fields(model)(N_IN, N_OUT, seed=list(chips), **(FIELD | more))


@pytest.mark.parametrize(("n_in", "field", "stride"), [(784, 10, 3), (784, 11, 3), (26, 2, 2), (9, 9, 1), (4, 1, 1)])
def test_fields_are_squares_of_the_image_and_hear_every_line(n_in, field, stride):
    lines = fields_of(n_in, field, stride)
    slow = slow_fields(n_in, min(field, math.ceil(n_in**0.5)), stride)
    assert lines.tolist() == [[n_in if line is None else line for line in of_field] for of_field in slow]
    assert set(range(n_in)) <= set(lines.flatten().tolist())


@pytest.mark.parametrize(
    "common",
    [
        {},
        {"over": 3},
        {"before": 10},
        {"before": 8, "over": 2},
        {"channels": 2},
        {"channels": 3, "before": 4, "over": 4},
    ],
)
@pytest.mark.parametrize("bias", [None, (), (N_OUT,), (2, 1, N_OUT), (2, 5, N_OUT)])
def test_it_is_the_dense_layer_of_the_scattered_weights(common, bias):
    device = make(**common)
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, 5, N_IN, generator=generator)
    bias = None if bias is None else torch.randn(bias, generator=generator)
    a = x @ dense_of(device, **common).mT
    a = a if bias is None else a + bias
    torch.testing.assert_close(device(x, bias), a.relu())
    slope, weights = device.oracle(x, bias)
    assert torch.equal(weights, dense_of(device, **common))
    assert torch.equal(slope, (a > 0).float())


def test_fields_of_one_are_the_points_of_the_next():
    """Hinton's three layers without labels: 4 x 4 points of 128 channels, 3 x 3 of 220, and 2 x 2 of 512."""
    first, second, third = fields_of(784, 10, 6), fields_of(16 * 128, 2, 1, 128), fields_of(9 * 220, 2, 1, 220)
    assert [len(fields) for fields in (first, second, third)] == [16, 9, 4]
    assert [fields.shape[1] for fields in (first, second, third)] == [100, 4 * 128, 4 * 220]
    neighbors = torch.tensor([point * 220 for point in (4, 5, 7, 8)])[:, None] + torch.arange(220)
    assert torch.equal(third[3], neighbors.flatten())


def test_changes_land_on_the_cells_that_there_are():
    device = make(over=3)
    before, change = dense_of(device, over=3), torch.randn(2, N_OUT, N_IN, generator=torch.Generator().manual_seed(1))
    there = dense_of(device, over=3) != 0
    steps = device.pulse(change)
    torch.testing.assert_close(dense_of(device, over=3), before + change * there)
    assert steps.tolist() == there.sum((1, 2)).tolist()
    device.program(change)
    torch.testing.assert_close(dense_of(device, over=3), change * there)


def test_a_field_is_a_chip_of_its_own():
    device, fields = make(Ideal), len(slow_fields(N_IN, 2, 2))
    small = Ideal(4, 2, seed=[derive_seed(1, "field", 5)])
    assert torch.equal(device.bank.weights[fields + 5], small.weights[0])


def test_marked_lines_that_are_common_are_shared_by_every_field():
    device = make(before=3, over=1)
    shared = torch.rand(2, 5, N_IN, generator=torch.Generator().manual_seed(2))
    for lines in (3, 4, 6):  # the last is written out
        x = SharedInputs(shared.clone(), torch.rand(2, 2, 5, lines, generator=torch.Generator().manual_seed(3)))
        x.shared[..., :lines] = 0
        torch.testing.assert_close(device(x), device(x.whole()))


def test_numbers_of_one_chip_reach_all_its_fields():
    """Local fields in a bank of two with numbers of their own are those alone, noise and drift included."""
    x = torch.rand(2, 5, N_IN, generator=torch.Generator().manual_seed(4))
    numbers = {"read_noise": [0.01, 0.3], "adc_bits": [3, 8], "mismatch": [0.1, 0.4]}
    kinds = {"read_noise": torch.float32, "adc_bits": torch.int64, "mismatch": torch.float32}
    both = make(Unknown, **{k: torch.tensor(v, dtype=kinds[k]) for k, v in numbers.items()})
    alone = make(Unknown, (1,), **{k: torch.tensor(v[1:], dtype=kinds[k]) for k, v in numbers.items()})
    for device, chips in ((both, slice(None)), (alone, slice(1, None))):
        device.wait(torch.tensor([1.0, 2.0])[chips])
    assert torch.equal(both(x)[1:], alone(x[1:]))
    assert torch.as_tensor(both.datasheet.adc_bits).tolist() == [3, 8]


def test_its_sheet_adds_what_the_arrays_cost():
    ideal, digital = make(Ideal, over=3).datasheet, make(Digital).datasheet
    connected = sum(line is not None for of_field in slow_fields(N_IN, 2, 2, over=3) for line in of_field)
    assert ideal.conversions == (connected, N_OUT)
    assert ideal.parallel_pulses == 9 * 2
    assert digital.conversions == (0, 0)
    assert digital.read_joules == pytest.approx(9 * 4 * 2 * 0.2e-12)


@pytest.mark.slow
@pytest.mark.parametrize("model", [Curved, Ideal, Unknown])
def test_it_keeps_the_contract(model):
    noisy = {"read_noise": 0.02, "adc_bits": 8} if model is Unknown else {}
    report = check_device(local_fields(model), n_in=25, n_out=8, field=3, stride=2, **noisy)
    assert report.passed, report.lines()


@pytest.mark.parametrize("model", [Leaky, Tanh])
def test_classes_of_single_chips_and_fixed_boxes_are_patched_too(model):
    device = make(model)
    assert device(torch.rand(2, 5, N_IN)).shape == (2, 5, N_OUT)
    sealed = Sealed(device, chips=2)
    sealed.pulse(torch.ones(2, N_OUT, N_IN))
    assert (sealed.ledger["layer 1"].pulses < N_OUT * N_IN).all()


def test_a_bank_too_small_for_what_it_is_told_can_be_tried_all_the_same():
    """As a study does with every device, on 8 lines and 6 outputs, before it runs."""
    for common in ({"over": 10}, {"before": 500}, {"before": 7, "over": 10}, {"channels": 128}):
        device = local_fields(Ideal)(8, 6, seed=[0, 1], field=10, stride=3, **common)
        assert device(torch.rand(2, 3, 8)).shape == (2, 3, 6)


def test_channels_must_make_a_square_image_of_the_layer_before():
    check = local_fields(faulty(Ideal)).check_size
    for fits in ({}, {"channels": 128}, {"before": 48, "channels": 500}, {"over": 10}, {"dead_columns": 0.5}):
        check(2048, 90, field=2, **fits)
    for wrong, said in (
        ({"channels": 64}, "which make 32 points"),
        ({"channels": 100}, "which make 20.48 points"),
        ({"before": 1000, "over": 1048}, "beside 1000 before it and 1048 over it. Got 2048 lines"),
        ({"before": 2048}, "beside 2048 before it"),
    ):
        with pytest.raises(ContractError, match=said):
            faulty(local_fields(Ideal)).check_size(2048, 90, field=2, **wrong)


def test_fields_of_a_wide_color_image_are_pieces_of_it():
    """4 x 16 pixels of three colors, in fields of 2 x 2: each hears four neighbors with all their colors."""
    lines = fields_of(4 * 16 * 3 + 5, 2, 2, channels=3, before=5, height=4)
    pixels = torch.arange(4 * 16).view(4, 16)
    expected = [pixels[2 * r : 2 * r + 2, 2 * c : 2 * c + 2] for r in range(2) for c in range(8)]
    colors = torch.stack(expected).flatten(1)[..., None] * 3 + torch.arange(3) + 5
    assert torch.equal(lines, torch.cat([torch.arange(5).expand(16, -1), colors.flatten(1)], 1))


def test_fields_are_no_higher_than_the_image():
    assert fields_of(3 * 20, 5, 5, height=3).shape == (4, 3 * 5)


def test_rows_must_be_of_one_length():
    local_fields(Ideal).check_size(4 * 16 * 3, 8, field=2, channels=3, height=4)
    with pytest.raises(ContractError, match="Got channels = 3 and height = 5, which make rows of 12.8. Give"):
        local_fields(Ideal).check_size(4 * 16 * 3, 8, field=2, channels=3, height=5)


@pytest.mark.parametrize("told", [{}, {"channels": 3}, {"height": 4}, {"channels": 3, "height": 4, "before": 1}])
def test_what_is_no_piece_of_the_image_is_refused(told):
    check = faulty(local_fields(Ideal)).check_image
    check(64, (1, 8, 8), field=2)
    check(74, (1, 8, 8), field=2, height=8, before=10)
    check(192, (3, 4, 16), field=2, channels=3, height=4)
    with pytest.raises(ContractError, match="Expected channels = 3, height = 4, before = 0, as 3 x 4 x 16 images"):
        check(192, (3, 4, 16), field=2, **told)
    with pytest.raises(ContractError, match="which fields are parts of. Got a table"):
        check(64, None, field=2)


def test_a_study_may_ask_for_one(tmp_path):
    model = resolve_device("local-fields(ideal)", tmp_path)
    assert model is local_fields(Ideal)
    known, others = parameters_of(model)
    assert {"field", "stride", "channels", "height", "before", "over", "neuron"} == set(known) and not others
    assert fingerprint("local-fields(ideal)", "analogff.devices", tmp_path)
    (tmp_path / "mine.py").write_text("from hardware_models.generic.ideal import Ideal\nclass Mine(Ideal): pass\n")
    assert resolve_device("local-fields(mine.py:Mine)", tmp_path).model.__name__ == "Mine"
    with pytest.raises(CatalogError, match="ideall"):
        resolve_device("local-fields(ideall)", tmp_path)


def test_numbers_that_a_bank_takes_per_chip_are_still_taken():
    known, _ = parameters_of(local_fields(Unknown))
    assert known["read_noise"].per_chip and not known["field"].per_chip
    specs = [LayerSpec(local_fields(Unknown), FIELD | {"read_noise": torch.tensor([0.0, 0.1])}), LayerSpec(Ideal)]
    assert fabricate_chips(specs, (N_IN, N_OUT, 5), 4, seeds=[0, 1]).seal(Observable.ACTIVITY).classes == 4


def test_a_device_that_prints_its_own_sheet_is_no_less_one():
    class Wide(Device):
        def __init__(self, n_in, n_out, *, seed):
            super().__init__(n_in, n_out, datasheet=Datasheet(n_in=n_in, n_out=n_out, dacs=1, adcs=2, read_joules=1.0))

        def measure(self, x):
            return x

    assert make(Wide).datasheet.conversions == (9, 18)
