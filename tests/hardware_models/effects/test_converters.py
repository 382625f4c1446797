"""Tables of thresholds and levels: their standard figures, their shapes and sizes, and conversion by them."""

import math

import pytest
import torch
from scipy.stats import chi2

from hardware_models.effects import converters
from hardware_models.effects.converters import (
    AdcKind,
    adc_normals,
    adc_thresholds,
    codes,
    dac_levels,
    differential_nonlinearity,
    integral_nonlinearity,
)
from hardware_models.effects.quantize import quantize

KINDS = list(AdcKind)
CHIPS = 4000


def drawn(kind, bits, inl=0.3, chips=CHIPS):
    normals = torch.randn(chips, adc_normals(kind, bits), generator=torch.Generator().manual_seed(0))
    return adc_thresholds(kind, bits, torch.tensor([[inl]]), normals).double()


def test_figures_of_a_table_are_those_of_the_standard():
    """Written again from IEEE 1241: gain and offset that put the first and last threshold right, then deviations."""
    table = torch.tensor([0.4, 1.7, 2.1, 3.9, 4.6, 5.5, 6.6], dtype=torch.float64)
    gain = 6 / (6.6 - 0.4)
    inl = [gain * (t - 0.4) - k for k, t in enumerate(table.tolist())]
    dnl = [gain * (b - a) - 1 for a, b in zip(table.tolist(), table[1:].tolist(), strict=False)]
    torch.testing.assert_close(integral_nonlinearity(table), torch.tensor(inl, dtype=torch.float64))
    torch.testing.assert_close(differential_nonlinearity(table), torch.tensor(dnl, dtype=torch.float64))
    scaled = 3 * table - 2  # gain and offset are no nonlinearity
    torch.testing.assert_close(integral_nonlinearity(scaled), integral_nonlinearity(table))


@pytest.mark.parametrize("kind", KINDS)
def test_without_errors_a_table_is_even_and_converts_as_rounding_does(kind):
    table = drawn(kind, 5, inl=0.0, chips=3)
    assert torch.equal(table, (torch.arange(1, 32) - 0.5).expand(3, -1).double())
    x = torch.rand(1, 500, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 40 - 4
    low, high, bits = torch.tensor(0.0), torch.tensor(31.0), torch.tensor(5.0)
    assert torch.equal(codes(x, table[None]), quantize(x, low, high, bits))


@pytest.mark.parametrize("bits", [3, 6, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_the_nonlinearity_of_many_converters_has_the_size_asked_for(kind, bits):
    inl = integral_nonlinearity(drawn(kind, bits, 0.1))
    assert (inl[:, [0, -1]].abs() < 1e-9).all()  # gain and offset are not part of it
    squares = inl.square().mean(1)
    error = squares.std().item() / math.sqrt(CHIPS)
    # a flash converter's comparators are sorted, which swaps none at a tenth of a step; its steps are in its own gain
    assert abs(squares.mean().item() - 0.01) < 4 * error + 1e-5


def test_a_sar_jumps_where_large_capacitors_take_over():
    """Steps between codes k - 1 and k: variance of all capacitors that switch, less the mean step's small part."""
    bits, inl = 6, 0.05
    steps = drawn(AdcKind.SAR, bits, inl).diff(dim=1) - 1  # thresholds 1 to 63: step k is that of code k
    measured = steps.std(0)
    switched = torch.tensor([bin(k ^ (k + 1)).count("1") for k in range(1, 63)])
    for k in (31, 15, 47):  # the code before a carry
        assert measured[k - 1] == measured[max(0, k - 8) : k + 7].max()
    assert measured.argmax() == 30  # code 31 to 32, the major carry: all capacitors switch
    assert switched.argmax() == 30
    units = torch.tensor([(k ^ (k + 1)).bit_length() for k in range(1, 63)])
    expected = (2.0**units - 1).sqrt().double()  # 2^n - 1 equal units change over
    ratio = measured / expected
    assert (ratio / ratio[30] - 1).abs().max() < 0.08  # ends of the line: up to a few percent; n = 4000: 1.1 %, 4 sigma


def test_units_of_a_capacitor_array_walk_from_end_to_end():
    """A sum of equal independent units is a bridge: variance k (N - k) / N, largest in the middle."""
    bits = 8
    normals = torch.randn(CHIPS, bits, generator=torch.Generator().manual_seed(2))
    levels = dac_levels(bits, torch.tensor([[1.0]]), normals).double()
    k = torch.arange(256.0, dtype=torch.float64)
    bridge = k * (255 - k) / 255
    wanted = (bridge / bridge.mean()).sqrt()
    measured = integral_nonlinearity(levels).square().mean(0).sqrt()
    assert ((measured - wanted).abs() < 5 * wanted / math.sqrt(2 * CHIPS) + 0.02).all()
    assert torch.equal(levels[:, 0], torch.zeros(CHIPS).double())  # a silent line is silent


def test_a_ramp_bows_without_jumps():
    table = drawn(AdcKind.RAMP, 6, 0.3, chips=20)
    inl, t = integral_nonlinearity(table), torch.linspace(0, 1, 63, dtype=torch.float64)
    bow = inl[:, 31:32] * 4 * t * (1 - t)
    assert (inl - bow).abs().max() < 1e-4  # single precision
    assert differential_nonlinearity(table).diff(dim=1).abs().max() < 0.01


def test_thresholds_of_a_flash_are_independent():
    """Each threshold is in two steps, with opposite signs: neighboring steps correlate by -1/2, others not at all."""
    steps = drawn(AdcKind.FLASH, 6, 0.1).diff(dim=1)[:, 1:-1] - 1
    steps = steps - steps.mean(1, keepdim=True)  # the line between the ends, and the mean of 60 steps, which is tiny
    power, n = steps.square().mean(), CHIPS * 60
    for apart, wanted in ((1, -0.5), (2, 0.0), (5, 0.0)):
        found = (steps[:, apart:] * steps[:, :-apart]).mean() / power
        assert abs(found - wanted) < 4 * 2 / math.sqrt(n) + 2 / 60**2


@pytest.mark.parametrize("kind", KINDS)
def test_a_conversion_counts_the_thresholds_reached(kind):
    """By an obvious loop, for tables in order."""
    table = drawn(kind, 4, 0.1, chips=3)
    assert (table.diff(dim=1) > 0).all()
    x = torch.rand(1, 200, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 18 - 1
    slow = [[[sum(x[0, b, j] >= t for t in table[j]).item() for j in range(3)] for b in range(200)]]
    assert codes(x, table[None]).tolist() == slow


def test_successive_approximation_misses_codes_where_thresholds_are_out_of_order():
    table = torch.arange(1.0, 16) - 0.5
    table[7] -= 2  # the largest capacitor is two units small: threshold 8 is at 5.5
    ramp = torch.linspace(0, 15, 1501)[None, :, None]
    seen = codes(ramp, table[None, None]).unique().tolist()
    assert seen == [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15]
    found = codes(torch.tensor([[[5.4], [5.6], [7.6], [8.7]]]), table[None, None]).flatten().tolist()
    assert found == [5, 8, 8, 9]


def test_the_figures_are_measured_back_from_a_ramp_through_the_converter():
    """Histogram of codes, as a test engineer would: counts of a fine ramp give the steps, and so DNL and INL."""
    table = drawn(AdcKind.SAR, 5, 0.2, chips=1)
    fine = torch.arange(0, 31, 1e-4, dtype=torch.float64)[None, :, None]
    counts = torch.bincount(codes(fine, table[None]).flatten().long(), minlength=32)[1:-1].double()
    dnl = counts / counts.mean() - 1
    torch.testing.assert_close(dnl, differential_nonlinearity(table)[0], atol=3e-4, rtol=0)
    torch.testing.assert_close(dnl.cumsum(0), integral_nonlinearity(table)[0, 1:], atol=3e-3, rtol=0)


def test_what_is_undefined_stays_undefined():
    table = drawn(AdcKind.SAR, 3, 0.1, chips=1)
    assert codes(torch.tensor([[[math.nan]]]).double(), table[None]).isnan().all()


def test_a_table_may_be_longer_than_its_converter():
    table = drawn(AdcKind.SAR, 4, 0.2, chips=2)[None]
    longer = torch.cat([table, torch.full((1, 2, 240), math.inf)], 2)
    x = torch.rand(1, 100, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * 20
    assert torch.equal(codes(x, table), codes(x, longer))


def test_the_line_between_the_ends_is_taken_out():
    ramp = torch.linspace(2, 5, 7, dtype=torch.float64)
    assert converters.between_ends(ramp).abs().max() < 1e-6


def test_the_mean_square_over_converters_follows_chi_square_for_a_ramp():
    """One normal decides a ramp's bow, so the sum of its squares over chips is chi-square with a degree a chip."""
    inl = integral_nonlinearity(drawn(AdcKind.RAMP, 6, 0.2))
    total = inl.square().mean(1).sum().item() / 0.04
    low, high = chi2.ppf([1e-4, 1 - 1e-4], CHIPS)
    assert low < total < high
