"""The read of a crossbar against a slow, obvious one; the size of its noise; one parameter a chip."""

import math

import pytest
import torch
from scipy.stats import chi2

from analogff.device import Observable, Sealed, SharedInputs
from analogff.timing import Inference, cost
from hardware_models.array.neuron_array import NeuronArray
from hardware_models.effects.nonlinearity import FAMILIES
from hardware_models.generic.unknown import Unknown
from hardware_models.kernels import reference
from hardware_models.kernels.streams import Stream
from tests.helpers.devices import EXPORTED, MEASURED_NEURONS, inputs

NEURON_ARRAYS = [model for model in EXPORTED if issubclass(model, NeuronArray) or model is MEASURED_NEURONS]
CURVES = {  # written again, for one number
    "relu": lambda a, s: s * max(a, 0.0),
    "saturating": lambda a, s: math.tanh(s * max(a, 0.0)),
    "softplus": lambda a, s: math.log1p(math.exp(2 * s * a)) / (2 * s),
    "exponential": lambda a, s: min(math.exp(s * (a - 1)), 4.0),
    "sigmoid": lambda a, s: 1 / (1 + math.exp(-2 * s * (a - 1))),
    "non-monotone": lambda a, s: math.sin(s * a) ** 2,
}


def _converted(value, high, bits):
    step = high / (2**bits - 1)
    return min(max(round(value / step) * step, 0.0), high)


def _slow_read(chip, x, bias, read_number, *, family, weight_noise, read_noise, adc_bits):
    """Read one vector, number by number, in double precision."""
    n_out, n_in = chip.weights.shape[1:]
    x = [_converted(v, 8.0, 8) for v in x.tolist()]
    own, noise = (
        reference.normal(chip.seeds, read_number, 1, n_out, stream)[0, 0].tolist()
        for stream in (Stream.WEIGHT_READ, Stream.READ)
    )
    length = math.sqrt(sum(v * v for v in x))
    y = []
    for j in range(n_out):
        a = sum(chip.weights[0, j, i].item() * x[i] for i in range(n_in)) + bias
        a = chip.gain[0, 0, j].item() * (a + weight_noise / math.sqrt(n_in) * length * own[j])
        z = CURVES[family](a + chip.offset[0, 0, j].item(), chip.steepness.item()) + read_noise * noise[j]
        high = FAMILIES[family].high
        y.append(_converted(z, high, adc_bits) if adc_bits else min(max(z, 0.0), high))
    return y


@pytest.mark.parametrize("adc_bits", [0, 5])
@pytest.mark.parametrize("family", CURVES)
def test_a_read_equals_a_slow_obvious_one(family, adc_bits):
    numbers = dict(family=family, weight_noise=0.1, read_noise=0.05, adc_bits=adc_bits)
    chip = Unknown(13, 7, seed=11, **numbers)
    x = inputs(1, 6, 13)
    y = torch.cat([chip(x[:, :2], torch.tensor(0.2)), chip(x[:, 2:], torch.tensor(0.2))], 1)[0]
    slow = torch.tensor([_slow_read(chip, x[0, b], 0.2, b, **numbers) for b in range(6)])
    assert torch.allclose(y, slow, atol=2e-5)


@pytest.mark.parametrize("what, wanted", [("read_noise", 0.05), ("weight_noise", 0.05 * 1.5)])
def test_noise_has_its_size(what, wanted):
    n = 20_000
    quiet = dict(mismatch=0.0, read_noise=0.0, adc_bits=0, dac_bits=0, curve_spread=0.0, family="relu")
    chip = Unknown(16, 1, seed=0, **{**quiet, what: 0.05})
    # a bias lifts all samples into the straight part; inputs have the root mean square 1.5
    y = chip(torch.full((1, n, 16), 1.5), torch.tensor(4.0)).double()
    low, high = chi2.ppf([1e-4, 1 - 1e-4], n - 1)
    assert low < y.var() * (n - 1) / wanted**2 < high


def test_reads_of_one_input_are_independent():
    n = 20_000
    chip = Unknown(16, 2, seed=0, family="relu", adc_bits=0)
    y = chip(torch.ones(1, n, 16), torch.tensor(4.0))[0].double()
    y = (y - y.mean(0)) / y.std(0)
    assert abs((y[1:] * y[:-1]).mean()) < 4 / math.sqrt(n)
    assert abs((y[:, 0] * y[:, 1]).mean()) < 4 / math.sqrt(n)


@pytest.mark.parametrize("noise", ["read_noise", "weight_noise"])
@pytest.mark.parametrize("marked", [False, True])
def test_every_read_of_a_probe_is_a_read_and_those_after_it_have_noise_of_their_own(noise, marked):
    """One probe with three biases, and a read, are four reads of plain chips, one after the other."""
    told = dict(family="relu", adc_bits=0, read_noise=0.0, weight_noise=0.0) | {noise: 0.1}
    probed, plain = (Unknown(16, 5, seed=[3, 4], **told) for _ in range(2))
    x, bias = torch.ones(2, 6, 16), torch.tensor(4.0)
    given = SharedInputs(x[:, :3] * (torch.arange(16) > 3), torch.ones(2, 2, 3, 4)) if marked else x
    together = [*probed.measure_biased(given, [bias] * 3), probed.measure(x, bias)]
    apart = [plain.measure(x, bias) for _ in range(4)]
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    assert len({y.sum().item() for y in together}) == 4
    assert probed.reads.tolist() == plain.reads.tolist() == [24, 24]


def test_outputs_take_the_steps_of_the_adc():
    y = Unknown(13, 500, seed=0, adc_bits=3)(inputs(1, 200, 13))
    assert torch.equal((y * 7).round() / 7, y) or torch.allclose((y * 7).round() / 7, y, atol=1e-6)
    assert len((y * 7).round().unique()) == 8


def test_neurons_and_cells_differ_by_the_mismatch_and_chips_by_the_curve():
    chips = Unknown(50, 2000, seed=range(40), mismatch=0.3, curve_spread=0.1)
    n = chips.gain.numel()
    for drawn, wanted in ((chips.gain.log(), 0.3), (chips.offset, 0.15), (chips.efficiency.log(), 0.3)):
        assert abs(drawn.std() - wanted) < 4 * wanted / math.sqrt(2 * n)
    low, high = chi2.ppf([1e-4, 1 - 1e-4], 39)
    assert low < chips.steepness.log().var() * 39 / 0.1**2 < high


def test_write_efficiency_and_write_noise_scale_a_pulse():
    n_in, n_out = 100, 200
    chip = Unknown(n_in, n_out, seed=0, mismatch=0.2, write_noise=0.1)
    before = chip.weights.clone()
    chip.pulse(torch.full((1, n_out, n_in), 0.01))
    landed = ((chip.weights - before) / 0.01 / chip.efficiency).double()
    n = landed.numel()
    assert abs(landed.mean() - 1) < 4 * 0.1 / math.sqrt(n)
    assert abs(landed.std() - 0.1) < 4 * 0.1 / math.sqrt(2 * n) + 1e-3  # 0.001: rounding of small changes


@pytest.mark.parametrize("model", [Unknown, *NEURON_ARRAYS])
def test_a_chip_is_not_programmed_exactly_and_not_for_nothing(model):
    """By default a tenth of the typical weight is left, by eight pulses a cell, whatever the weight."""
    n_in, n_out = 100, 200
    chip = model(n_in, n_out, seed=[0, 1])
    wanted = torch.linspace(-0.3, 0.3, n_in).expand(2, n_out, n_in)
    for _ in range(2):
        assert chip.program(wanted).tolist() == [8 * n_in * n_out] * 2
        off = ((chip.weights - wanted) * n_in**0.5).double()
        n = off[0].numel()
        assert (off.mean((1, 2)).abs() < 4 * 0.1 / math.sqrt(n)).all()
        assert (abs(off.std((1, 2)) - 0.1) < 4 * 0.1 / math.sqrt(2 * n)).all()
    again = chip.weights.clone()
    chip.program(wanted)
    assert abs(torch.corrcoef(torch.stack([again[0] - wanted[0], chip.weights[0] - wanted[0]]).flatten(1))[0, 1]) < 0.03


@pytest.mark.parametrize("model", [Unknown, *NEURON_ARRAYS])
def test_error_and_cost_of_programming_are_of_each_chip(model):
    noise, pulses = torch.tensor([0.0, 0.4]), torch.tensor([1.0, 2.5])
    chip = model(100, 200, seed=[0, 1], program_noise=noise, verify_pulses=pulses)
    wanted = torch.zeros(2, 200, 100)
    assert chip.program(wanted).tolist() == [20_000, 50_000]
    assert torch.equal(chip.weights[0], wanted[0])
    assert abs(chip.weights[1].std() * 10 - 0.4) < 4 * 0.4 / math.sqrt(2 * 20_000)


@pytest.mark.parametrize(("inputs", "volts"), [(1.0, 0.025), (8.0, 0.2), (20.0, 0.2), (-3.0, 0.0), (0.0, 0.0)], ids=str)
def test_a_read_is_charged_for_what_its_lines_carry(inputs, volts):
    """Amplitudes are voltages: 0.2 V at the full scale of 8, where an input is clipped; conductances of 10 uS."""
    box = Sealed(Unknown(30, 5, seed=[0, 1], dac_bits=0, adc_bits=0), chips=2, level=Observable.PROBE)
    box.measure(torch.full((2, 7, 30), inputs))
    box.probe(torch.full((2, 4, 30), inputs), (torch.tensor(0.1), torch.tensor(-0.1)))
    _, joules = cost([box.datasheet], [box.ledger.of("layer 1")], Inference(), 2)
    array = 30 * 5 * volts**2 * 10e-6 * 100e-9
    conversions = 30 * 0.5e-12 + 5 * 256 * 20e-15
    assert joules == pytest.approx([15 * (array + conversions)] * 2, rel=1e-6, abs=0)


def test_marked_inputs_are_charged_as_if_they_were_written_out():
    generator = torch.Generator().manual_seed(0)
    shared, marks = 5 * torch.rand(1, 6, 30, generator=generator).expand(2, -1, -1), torch.rand(2, 3, 6, 4) * 9
    shared[:1, :, :4] = 0
    boxes = [Sealed(Unknown(30, 5, seed=[0, 1]), chips=2) for _ in range(2)]
    boxes[0].measure(SharedInputs(shared, marks))
    boxes[1].measure(SharedInputs(shared, marks).whole())
    one, other = (box.ledger.of("layer 1").mean_squares for box in boxes)
    torch.testing.assert_close(one, other, rtol=1e-6, atol=0)
    expected = SharedInputs(shared, marks).whole().clamp(0, 8).double().square().mean(-1).sum(-1)
    torch.testing.assert_close(one, expected, rtol=1e-6, atol=0)


def test_a_datasheet_prints_what_differs_per_chip_and_never_a_flaw():
    bits = torch.tensor([4, 0, 6])
    sheet = Unknown(13, 7, seed=[0, 1, 2], adc_bits=bits, dac_bits=0).datasheet
    assert torch.equal(torch.as_tensor(sheet.adc_bits), bits) and sheet.dac_bits is None
    joules = torch.as_tensor(sheet.adc_joules)
    torch.testing.assert_close(joules, 20e-15 * torch.tensor([16.0, 256.0, 64.0]), rtol=1e-6, atol=0)
    assert sheet.neuron is not None
    assert torch.allclose(sheet.neuron(torch.tensor([-1.0, 0.5])), torch.tanh(torch.tensor([0.0, 0.5])))
