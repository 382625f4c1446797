"""Devices whose neurons are circuits: each law by hand, what heat does to it, and how copies differ."""

import inspect

import numpy as np
import pytest
import torch
from scipy.special import lambertw

from analogff.device import ContractError, SharedInputs, fabricate
from hardware_models.array.neuron_array import NOT_OF_CIRCUITS, NeuronArray
from hardware_models.neuron_circuits.differential_pair import DifferentialPair
from hardware_models.neuron_circuits.diode import Diode
from hardware_models.neuron_circuits.inverter import Inverter
from hardware_models.neuron_circuits.p_bit import PBit
from hardware_models.neuron_circuits.rectifier import Rectifier
from hardware_models.neuron_circuits.subthreshold import Subthreshold
from tests.helpers.devices import inputs
from tests.helpers.neurons import PER_KELVIN, VOLTS, balance, curve, curves, has_spread

SUMS = np.linspace(-6, 12, 91)
NEURONS = [Rectifier, Subthreshold, DifferentialPair, Diode, Inverter, PBit]
ALIKE = {
    Rectifier: dict(offset_volts=0.0),
    Subthreshold: dict(pelgrom_volt_metres=0.0),
    DifferentialPair: dict(offset_volts=0.0),
    Diode: dict(saturation_spread=0.0),
    Inverter: dict(pelgrom_volt_metres=0.0),
    PBit: dict(offset_volts=0.0, samples=0),
}


# --- all of them


@pytest.mark.parametrize("model", NEURONS)
def test_the_printed_curve_is_that_of_a_copy_without_flaws_at_300_kelvin(model):
    device = model(3, 2, seed=0, **ALIKE[model])
    printed = device.datasheet.neuron(torch.tensor(SUMS, dtype=torch.float32)).clamp(0, device.datasheet.output_max)
    assert np.allclose(curve(model, SUMS, **ALIKE[model]), printed, atol=2e-6 * device.datasheet.output_max)
    double = device.datasheet.neuron(torch.tensor(SUMS))
    assert double.dtype == torch.float64 and (double.diff() > -1e-12).all()  # and it rises


@pytest.mark.parametrize("model", NEURONS)
@pytest.mark.parametrize("extra", [{}, {"crosstalk": 0.1, "mismatch": 0.2}, {"dac_inl_lsb": 0.5, "hysteresis": 0.02}])
def test_chips_with_numbers_of_their_own_are_the_same_alone(model, extra):
    takes, chips, x = model.__init__.__kwdefaults__, 3, inputs(3, 9, 13)
    own = {"temperature_kelvin": [280.0, 300.0, 350.0], "offset_volts": [0.0, 0.01, 0.02]}
    own = {name: torch.tensor(values) for name, values in own.items() if name in takes}
    bank = fabricate(model, 13, 7, seeds=range(chips), parameters=own | extra)
    seen, truth = [bank(x), bank(x, torch.tensor(0.5))], bank.oracle(x)
    for c in range(chips):
        told = {name: values[c].item() for name, values in own.items()} | extra
        alone, here = fabricate(model, 13, 7, seeds=[c], parameters=told), x[c : c + 1]
        for now, then in zip([alone(here), alone(here, torch.tensor(0.5))], seen, strict=True):
            assert torch.equal(now[0], then[c])
        assert all(torch.equal(now[0], then[c]) for now, then in zip(alone.oracle(here), truth, strict=True))


@pytest.mark.parametrize("model", NEURONS)
def test_marked_and_biased_reads_are_the_reads_written_out(model):
    one, other = (fabricate(model, 13, 7, seeds=[3, 4]) for _ in range(2))
    shared, marks = inputs(2, 5, 13), inputs(2, 15, 3).view(2, 3, 5, 3)
    marked = SharedInputs(shared, marks)
    step = np.array(one.datasheet.output_max) / 255 if one.datasheet.adc_bits else 1e-6
    assert (one(marked) - other(marked.whole())).abs().max() <= 1.01 * step
    biases = [torch.tensor(-0.5), torch.tensor(0.5)]
    for a, b in zip(one.measure_biased(shared, biases), [other(shared, bias) for bias in biases], strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("model", NEURONS)
def test_what_a_circuit_cannot_be_told_is_no_parameter(model):
    taken = inspect.signature(model.__init__).parameters
    assert not set(NOT_OF_CIRCUITS) & set(taken)
    assert issubclass(model, NeuronArray) and "Family" not in model.__doc__


def test_a_design_value_is_one_number_for_a_bank():
    with pytest.raises(
        ContractError, match=r"Expected unit_volts as one number, .* Got \[0.1\d*, 0.2\d*\]. Make a bank"
    ):
        Rectifier(3, 2, seed=[0, 1], unit_volts=torch.tensor([0.1, 0.2]))


# --- rectifier


def test_a_rectifier_by_hand():
    u = 1.3 * VOLTS
    v = 0.01 * np.maximum(0.4 + 0.1 * SUMS, 0) + 0.99 * u * np.logaddexp(0, 0.1 * SUMS / u)
    wanted = (0.8 - u * np.logaddexp(0, (0.8 - v) / u)) / 0.1  # the supply, by the other form of the logarithm
    assert np.allclose(curve(Rectifier, SUMS, **ALIKE[Rectifier]), wanted.clip(0, 8), atol=2e-5)


@pytest.mark.parametrize("kelvin", [250.0, 300.0, 400.0])
def test_a_knee_is_as_high_as_the_thermal_voltage_says(kelvin):
    (y,) = curve(Rectifier, [0.0], **ALIKE[Rectifier], leak=0.0, slope_factor=1.0, temperature_kelvin=kelvin)
    assert y == pytest.approx(kelvin * PER_KELVIN * np.log(2) / 0.1, rel=1e-4)


def test_a_rectifier_leaks_by_its_share_and_ends_at_its_supply():
    y = curve(Rectifier, [-3.0, -2.9, 200.0], **ALIKE[Rectifier], leak=0.05)
    assert (y[1] - y[0]) / 0.1 == pytest.approx(0.05, abs=2e-4) and y[2] == pytest.approx(8)
    assert curve(Rectifier, [-8.0], **ALIKE[Rectifier], leak=0.05) == pytest.approx(0, abs=1e-6)  # at the rail


def test_offsets_of_rectifiers_are_volts_at_the_input():
    y = curves(Rectifier, [4.0], seed=range(20), n_out=100, leak=0.0, supply_volts=2.0, offset_volts=0.01)
    assert has_spread(y, 0.01 / 0.1)


# --- subthreshold


def drain(v, threshold=0.4, n=1.3, kelvin=300.0):
    return 0.5e-6 * np.log1p(np.exp((v - threshold) / (2 * n * kelvin * PER_KELVIN))) ** 2 / 10e-9


@pytest.mark.parametrize("kelvin", [250.0, 300.0, 400.0])
def test_a_transistor_by_hand(kelvin):
    v = 0.24 + 0.035 * SUMS
    y = curve(Subthreshold, SUMS, **ALIKE[Subthreshold], supply_amperes=1e-4, temperature_kelvin=kelvin)
    assert np.allclose(y, drain(v, kelvin=kelvin), rtol=2e-5)
    assert np.allclose(curve(Subthreshold, SUMS, **ALIKE[Subthreshold]), drain(v).clip(max=4), rtol=2e-5)


def test_five_millivolts_are_14_percent_of_current():
    low, high = curve(Subthreshold, [0.0, 5 / 35], **ALIKE[Subthreshold], bias_volts=0.1, slope_factor=1.45)
    assert high / low - 1 == pytest.approx(0.14, abs=0.005)


def test_below_threshold_heat_raises_a_current_and_above_lowers_it():
    cold, hot = (
        curve(Subthreshold, [0.0, 20.0], **ALIKE[Subthreshold], supply_amperes=1.0, temperature_kelvin=kelvin)
        for kelvin in (300.0, 350.0)
    )
    assert hot[0] > cold[0] and hot[1] < cold[1]
    assert hot[1] / cold[1] == pytest.approx((300 / 350) ** 2, rel=0.02)  # (V / 2 n U_T)^2


@pytest.mark.parametrize("size", [0.5e-6, 2e-6])
def test_thresholds_differ_as_pelgrom_says(size):
    sigma = 3.5e-3 / (size * 1e6) / 2**0.5
    sizes = dict(width_metres=size, length_metres=size)
    y = curves(Subthreshold, [0.0], seed=range(20), n_out=100, bias_volts=0.05, **sizes)
    assert has_spread(np.log(y) * 1.3 * VOLTS, sigma)


# --- differential pair


@pytest.mark.parametrize("kelvin", [250.0, 300.0, 400.0])
def test_a_pair_by_hand(kelvin):
    y = curve(DifferentialPair, SUMS, **ALIKE[DifferentialPair], temperature_kelvin=kelvin)
    wanted = (1 + np.tanh((0.07 * SUMS - 0.07) / (2 * 1.3 * kelvin * PER_KELVIN))) / 2
    assert np.allclose(y, wanted, atol=1e-6)


def test_76_percent_of_the_tail_current_at_two_n_thermal_voltages():
    sums = np.array([-1, 1]) * 2 * 1.3 * VOLTS / 0.07 + 1
    y = curve(DifferentialPair, sums, **ALIKE[DifferentialPair])
    assert 2 * y - 1 == pytest.approx([-0.7616, 0.7616], abs=1e-4)
    assert y.sum() == pytest.approx(1, abs=1e-6)


def test_offsets_of_pairs_are_volts_between_the_gates():
    y = curves(DifferentialPair, [1.0], seed=range(20), n_out=100, offset_volts=0.002)
    assert has_spread(np.arctanh(2 * y - 1) * 2 * 1.3 * VOLTS, 0.002)


# --- diode


@pytest.mark.parametrize("kelvin", [280.0, 300.0, 320.0])
def test_a_diode_by_lambert_s_function(kelvin):
    scale = kelvin * PER_KELVIN
    saturation = 1e-14 * (kelvin / 300) ** 3 * np.exp(1.12 / PER_KELVIN * (1 / 300 - 1 / kelvin))
    k, v = saturation * 5e3 / scale, 0.45 + 0.03 * SUMS
    wanted = (scale / 5e3 * lambertw(k * np.exp(v / scale + k)).real - saturation) / 1e-6
    y = curve(Diode, SUMS, **ALIKE[Diode], temperature_kelvin=kelvin)
    assert np.allclose(y, wanted.clip(0, 8), rtol=1e-4, atol=1e-6)


def test_saturation_currents_of_diodes_are_lognormal():
    y = curves(Diode, [-3.0], seed=range(20), n_out=100, saturation_spread=0.2, series_ohm=0.0)
    assert has_spread(np.log(y), 0.2) and abs(np.median(np.log(y)) - np.log(1e-8 * np.expm1(0.36 / VOLTS))) < 0.02


# --- inverter


@pytest.mark.parametrize("kelvin", [260.0, 300.0, 350.0])
def test_an_inverter_by_a_root_finder(kelvin):
    v = 0.095 + 0.005 * SUMS
    wanted = np.array([1 - balance(x, 0.2, 0.3, 0.3, 1.3, 0.1, kelvin) / 0.2 for x in v])
    assert np.allclose(curve(Inverter, SUMS, **ALIKE[Inverter], temperature_kelvin=kelvin), wanted, atol=5e-6)


def test_channel_length_modulation_and_heat_take_gain():
    def gain(**numbers):
        low, high = curve(Inverter, [0.99, 1.01], **ALIKE[Inverter], **numbers)
        return (high - low) / 0.02 * 0.2 / 0.005

    below = dict(threshold_n_volts=1.0, threshold_p_volts=1.0)
    assert gain(**below, modulation_per_volt=0.0) == pytest.approx((np.exp(0.1 / VOLTS) - 1) / 1.3, rel=1e-2)
    gains = [gain(modulation_per_volt=m) for m in (0.0, 0.3, 1.0, 3.0)]
    assert gains == sorted(gains, reverse=True)
    assert gain(temperature_kelvin=350.0) < gain() < gain(temperature_kelvin=250.0)
    assert curve(Inverter, [1.0], **ALIKE[Inverter]) == pytest.approx(0.5, abs=1e-5)


def test_thresholds_move_the_step_of_an_inverter_by_half_their_difference():
    numbers = dict(supply_volts=0.1, bias_volts=0.05, threshold_n_volts=1.0, threshold_p_volts=1.0)
    y = curves(Inverter, [0.0], seed=range(20), n_out=100, **numbers, modulation_per_volt=0.0, width_metres=50e-6)
    sigma = 3.5e-3 / (2 * 50 * 2) ** 0.5  # of a threshold; the step moves by the root of two times half of it
    gain = (np.exp(0.05 / VOLTS) - 1) / 1.3
    assert has_spread((y - 0.5) * 0.1 / gain, sigma / 2**0.5)


# --- p-bit


@pytest.mark.parametrize("samples", [1, 5, 64])
def test_bits_have_the_mean_and_variance_of_their_probability(samples):
    reads, sums = 4000, np.array([-0.5, 0.5, 1.0, 2.0])
    y = curves(PBit, np.repeat(sums, reads), samples=samples, offset_volts=0.0)[0, :, 0].reshape(len(sums), reads)
    p = (1 + np.tanh(sums - 1)) / 2
    assert np.allclose(y * samples, np.round(y * samples), atol=1e-4)
    for of_sum, chance in zip(y, p, strict=True):
        variance = chance * (1 - chance) / samples
        assert abs(of_sum.mean() - chance) < 4 * (variance / reads) ** 0.5
        fourth = variance * (1 + 3 * (samples - 2) * chance * (1 - chance)) / samples**2  # central moment of a binomial
        error = ((fourth - variance**2) / reads) ** 0.5
        assert abs(((of_sum - chance) ** 2).mean() - variance) < 4 * error + 1e-6


def test_bits_of_neurons_reads_and_chips_are_independent():
    reads = 4000
    y = curves(PBit, np.ones(reads), samples=1, seed=[1, 2], n_out=2, offset_volts=0.0)
    series = [y[0, :, 0], y[0, :, 1], y[1, :, 0]]
    limit = 4 / reads**0.5
    assert np.abs(np.corrcoef(series) - np.eye(3)).max() < limit
    assert all(abs(np.corrcoef(s[1:], s[:-1])[0, 1]) < limit for s in series)


@pytest.mark.slow
def test_the_mean_of_all_bits_and_its_slope():
    device = PBit(5, 3, seed=0, samples=4, dac_bits=0, offset_volts=0.0)
    x = inputs(1, 6, 5)
    a = x @ device.weights.mT
    assert torch.allclose(device.oracle(x).slope, 1 / (2 * torch.cosh(a - 1) ** 2), atol=1e-5)
    mean = torch.stack([device(x) for _ in range(2000)]).mean(0)
    assert (mean - (1 + torch.tanh(a - 1)) / 2).abs().max() < 4.5 * 0.5 / (4 * 2000) ** 0.5


def test_time_and_energy_of_a_read_grow_with_its_bits():
    one, many, mean = (PBit(50, 20, seed=0, samples=s).datasheet for s in (1, 100, 0))
    assert many.adc_seconds == pytest.approx(100 * one.adc_seconds)
    assert many.adc_joules == pytest.approx(100 * one.adc_joules, abs=0)
    longer = (1 + 10) / (1 + 0.1)  # 10 ns each, after 100 ns
    assert many.signal_joules == pytest.approx(one.signal_joules * longer, rel=1e-9, abs=0)
    assert mean.adc_seconds == pytest.approx(256 * one.adc_seconds) and one.adc_bits is None
