"""A sum in parts: tiles and bits that add up to it, each with converters, noise and price of their own."""

import math

import pytest
import torch
from scipy.stats import chi2

from analogff.device import ContractError, product
from hardware_models.effects.tiles import serial, signed_range, tiles
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.pcm import PCM
from tests.helpers.devices import inputs

QUIET = dict(mismatch=0.0, read_noise=0.0, curve_spread=0.0, family="relu", adc_bits=0)
PARTS = [dict(rows_per_tile=5), dict(bit_serial=True), dict(bit_serial=True, rows_per_tile=5)]


@pytest.mark.parametrize("lines, most", [(784, 512), (784, 100), (5, 7), (13, 1), (512, 512), (10, 0)])
def test_tiles_hold_every_line_once_and_no_more_than_fit(lines, most):
    parts = tiles(lines, most)
    assert [line for part in parts for line in range(lines)[part]] == list(range(lines))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) <= (most or lines) and max(sizes) - min(sizes) <= 1
    assert len(parts) == (math.ceil(lines / most) if most else 1)


def test_bits_make_up_the_number():
    step = torch.tensor(8.0 / 255)
    q = torch.arange(256.0) * step
    bits = torch.stack([serial(q, step, bit) for bit in range(8)])
    assert set(bits.unique().tolist()) == {0.0, 1.0}
    assert torch.equal((bits * 2.0 ** torch.arange(8.0)[:, None]).sum(0), torch.arange(256.0))


def test_a_converter_of_both_signs_has_a_code_for_zero():
    for bits in (1, 4, 8):
        low, high = signed_range(torch.tensor(3.0), torch.tensor(float(bits)))
        step = (high - low) / (2**bits - 1)
        assert (-low / step).item() == pytest.approx(2 ** (bits - 1))
    low, high = signed_range(torch.tensor(3.0), torch.tensor(0.0))
    assert (low, high) == (-3.0, 3.0)


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("dac_bits", [1, 6, 8])
def test_with_continuous_converters_the_parts_are_the_whole(parts, dac_bits):
    """Up to the rounding of single precision: sums of 13 in another order, and of at most 8 bits more."""
    numbers = dict(QUIET, dac_bits=dac_bits)
    whole, split = Unknown(13, 7, seed=[3, 1], **numbers), Unknown(13, 7, seed=[3, 1], **numbers, **parts)
    x, bias = inputs(2, 20, 13), torch.linspace(-1, 1, 7)
    torch.testing.assert_close(split(x, bias), whole(x, bias), atol=5e-6, rtol=2e-6)


def test_bits_one_after_another_sum_exactly_to_the_parallel_read():
    """Weights and full scale that single precision holds exactly, so that the order of additions cannot matter."""
    numbers = dict(QUIET, dac_bits=8, input_max=255.0, program_noise=0.0)
    whole, split = (Unknown(13, 7, seed=0, **numbers, bit_serial=on) for on in (False, True))
    states = torch.randint(-8, 9, (1, 7, 13), generator=torch.Generator().manual_seed(0)).float() / 1024
    for device in (whole, split):
        device.program(states)
    x = torch.randint(0, 256, (1, 50, 13), generator=torch.Generator().manual_seed(1)).float()
    assert torch.allclose(whole(x), torch.relu(x @ states.mT).clamp(max=8.0), atol=1e-6)
    # 255 = 2^8 - 1 is divided and multiplied again: one rounding for each bit
    torch.testing.assert_close(split(x), whole(x), atol=2e-6, rtol=2e-6)


def test_each_partial_sum_is_converted_by_itself():
    """Against an obvious loop over tiles, with four bits over -6 to 6 for two tiles."""
    device = Unknown(10, 6, seed=5, **QUIET | dict(adc_bits=4), rows_per_tile=5, sum_max=6.0, dac_bits=0)
    x = inputs(1, 30, 10)
    full = 6.0 / math.sqrt(2)
    step, total = 2 * full / 16, torch.zeros(1, 30, 6)
    for lines in (slice(0, 5), slice(5, 10)):
        part = product(x[..., lines].contiguous(), device.weights[..., lines].contiguous())
        total += (part / step).round().clamp(-8, 7) * step
    torch.testing.assert_close(device(x), torch.relu(total), atol=1e-5, rtol=0)


def test_an_error_of_partial_sums_halves_with_each_bit():
    x = inputs(1, 200, 32)
    bits, errors = [5, 6, 7, 8, 9], []
    whole = Unknown(32, 20, seed=0, **QUIET)(x, torch.tensor(3.0))
    for b in bits:
        split = Unknown(32, 20, seed=0, **QUIET | dict(adc_bits=b), rows_per_tile=8)
        errors.append((split(x, torch.tensor(3.0)) - whole).std().log2().item())
    slope = torch.linalg.lstsq(torch.tensor([[b, 1.0] for b in bits]), torch.tensor(errors)[:, None]).solution[0]
    assert abs(slope.item() + 1) < 0.05


@pytest.mark.parametrize("parts, conversions", [(dict(rows_per_tile=5), 3), (dict(bit_serial=True, dac_bits=4), 4)])
def test_each_conversion_has_noise_of_its_own(parts, conversions):
    """Noise of size s / sqrt(tiles) in each tile adds to s; of bits it is weighted with what they count for."""
    n = 4000
    device = Unknown(15, 3, seed=0, **QUIET | dict(read_noise=0.1), **parts)
    y = device(torch.zeros(1, n, 15), torch.tensor(4.0))[0].double()
    shares = [2.0**b / 15 for b in range(4)] if "bit_serial" in parts else [3**-0.5] * 3
    assert len(shares) == conversions
    wanted = 0.01 * sum(share**2 for share in shares)
    low, high = chi2.ppf([1e-4, 1 - 1e-4], 3 * n)
    assert low < ((y - 4) ** 2).sum().item() / wanted < high
    again = device(torch.zeros(1, n, 15), torch.tensor(4.0))[0].double()
    assert abs(((y - 4) * (again - 4)).mean()) < 4 * wanted / math.sqrt(3 * n)


@pytest.mark.parametrize("model", [Unknown, PCM])
def test_noise_of_the_weights_adds_up_over_tiles(model):
    """Each cell fluctuates by itself, so the variance of the whole is the sum of that of the tiles."""
    n, chips = 3000, []
    for tiled in (0, 4):
        quiet = dict(mismatch=0.0, read_noise=0.0, family="relu", adc_bits=0, dac_bits=0, rows_per_tile=tiled)
        own = dict(curve_spread=0.0, weight_noise=0.3) if model is Unknown else dict(drift=0.0, flicker_noise=5.0)
        device = model(16, 2, seed=0, **quiet, **own)
        device.wait(100.0)
        chips.append(device(torch.ones(1, n, 16), torch.tensor(4.0))[0].double().var(0))
    ratio = chips[1] / chips[0]
    assert (ratio.log().abs() < 4.5 * math.sqrt(4 / n)).all()


def test_amplifiers_of_tiles_differ_and_the_neuron_does_not():
    device = Unknown(16, 500, seed=0, **QUIET | dict(mismatch=0.2), rows_per_tile=4)
    assert device.gain.shape == (1, 4, 500)
    spread = device.gain.log().double()
    assert abs(spread.std() - 0.2) < 4 * 0.2 / math.sqrt(2 * 2000)
    of_tiles = torch.corrcoef(spread[0]) - torch.eye(4)
    assert of_tiles.abs().max() < 4.5 / math.sqrt(500)
    assert abs(device.offset.sum(1).std() - 0.1) < 4 * 0.1 / math.sqrt(2 * 500)  # as that of one array
    silent = torch.zeros(1, 1, 16)
    up = device(silent, torch.tensor(5.0)) - device(silent, torch.tensor(4.0))
    assert (up - 1).abs().max() < 1e-5  # a bias is a number: no gain of a column


def test_a_datasheet_counts_conversions_and_rounds():
    whole = Unknown(784, 10, seed=0).datasheet
    split = Unknown(784, 10, seed=0, rows_per_tile=300).datasheet
    assert whole.conversions == (784, 10) and split.conversions == (784, 30)
    assert split.adc_joules == whole.adc_joules and split.read_joules == whole.read_joules == 0
    assert split.signal_joules == whole.signal_joules
    assert (split.settle_seconds, split.adc_seconds) == (whole.settle_seconds, whole.adc_seconds)
    assert split.adc_bits is None  # outputs are numbers
    serially = Unknown(784, 10, seed=0, bit_serial=True, rows_per_tile=300, dac_bits=6).datasheet
    assert serially.conversions == (0, 6 * 30)
    assert serially.dac_seconds == 0
    for name in ("settle_seconds", "adc_seconds"):
        assert getattr(serially, name) == pytest.approx(6 * getattr(whole, name))
    assert serially.read_joules == pytest.approx(
        6 * 784 * 10 / 2 * 0.2**2 * 10e-6 * 100e-9, rel=1e-6, abs=0
    )  # half of all bits
    assert serially.signal_joules == 0


def test_wires_see_the_same_cells_however_inputs_are_sent():
    for told in ({}, dict(input_max=3.0), dict(bit_serial=True), dict(rows_per_tile=4)):
        assert Unknown(16, 10, seed=0, **told).siemens.item() == pytest.approx(
            10e-6 * math.sqrt(16 * math.pi / 2), rel=1e-6, abs=0
        )


@pytest.mark.parametrize(
    "numbers, said",
    [
        (dict(sum_max=3.0), "beside sum_max"),
        (dict(bit_serial=True, dac_bits=0), "dac_bits from 1 to 16"),
        (dict(bit_serial=True, dac_bits=torch.tensor([4, 6])), "the same for all chips"),
        (dict(bit_serial=True, dac_inl_lsb=0.5), "no errors of a DAC"),
    ],
)
def test_what_would_do_nothing_is_refused(numbers, said):
    with pytest.raises(ContractError, match=said):
        Unknown(13, 7, seed=[0, 1], **numbers)
