"""The read in one pass against the read step by step, and what may be shared against what is written out."""

import itertools

import pytest
import torch

from analogff.device import SharedInputs
from hardware_models.effects.nonlinearity import FAMILIES
from hardware_models.effects.states import planes_of, whole_states
from hardware_models.generic.unknown import Unknown
from hardware_models.kernels import reference
from hardware_models.kernels.cpu import crossbar
from hardware_models.memory_cells.pcm import PCM

SEEDS = [3, 1, 4]
NOISY = dict(
    read_noise=torch.tensor([0.0, 0.05, 0.1]),
    weight_noise=torch.tensor([0.1, 0.0, 0.02]),
    dac_bits=torch.tensor([8, 0, 5]),
    curve_spread=0.3,
)
SIZES = [(5, 13, 7), (33, 70, 41)]


def inputs(batch, n_in, chips=3):
    return torch.rand(chips, batch, n_in, generator=torch.Generator().manual_seed(1)) * 4


def marked(batch, n_in, lines=4, variants=2):
    generator = torch.Generator().manual_seed(2)
    shared = torch.rand(3, batch, n_in, generator=generator) * 2
    shared[..., :lines] = 0
    return SharedInputs(shared, torch.rand(3, variants, batch, lines, generator=generator) * 2)


def both(device, x, biases=(None,)):
    """Read by the fast path and by the reference, from the same state."""
    circuit = device.circuit()
    return crossbar.read(circuit, x, biases), reference.read(circuit, x, biases)


@pytest.mark.parametrize("batch, n_in, n_out", SIZES)
@pytest.mark.parametrize("family", FAMILIES)
def test_one_pass_equals_step_by_step(family, batch, n_in, n_out):
    device = Unknown(n_in, n_out, seed=SEEDS, family=family, adc_bits=0, **NOISY)
    biases = [None, torch.tensor(0.3), torch.randn(3, batch, n_out), torch.randn(1, 1, n_out)]
    for fast, clear in zip(*both(device, inputs(batch, n_in), biases), strict=True):
        torch.testing.assert_close(fast, clear, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("bits", [2, 6, 12, 24])
def test_the_converter_differs_by_a_step_where_rounding_lifts_a_sample(bits):
    device = Unknown(70, 41, seed=SEEDS, adc_bits=bits, **NOISY)
    ((fast,), (clear,)) = both(device, inputs(33, 70))
    off, step = (fast - clear).abs(), 1 / (2**bits - 1)
    assert off.max() < step + 1e-5
    assert (off > 1e-5).float().mean() < max(0.002, 2e-5 / step)


@pytest.mark.parametrize("wait", [0.0, 1000.0])
def test_a_noise_for_each_weight(wait):
    device = PCM(70, 41, seed=SEEDS, adc_bits=0, read_noise=0.0)
    device.wait(wait)
    ((fast,), (clear,)) = both(device, inputs(33, 70))
    torch.testing.assert_close(fast, clear, atol=2e-5, rtol=1e-5)


def test_variants_share_the_noise_of_their_weights_to_single_precision():
    device = PCM(70, 41, seed=SEEDS, adc_bits=0, read_noise=0.0)
    device.wait(1000.0)
    x = marked(11, 70)
    (shared,), (written,) = (crossbar.read(device.circuit(), v, [None]) for v in (x, x.whole()))
    torch.testing.assert_close(shared, written, atol=2e-5, rtol=1e-5)


def test_a_read_knows_one_precision_whatever_the_processor_has(monkeypatch):
    """Products of half the precision would be found here: nobody asks for them."""
    device, x = PCM(70, 41, seed=SEEDS), inputs(33, 70)
    device.wait(1000.0)
    monkeypatch.setattr(torch.Tensor, "bfloat16", None)
    monkeypatch.setattr(torch.Tensor, "half", None)
    (y,) = crossbar.read(device.circuit(), x, [None])
    assert y.dtype == torch.float32


@pytest.mark.parametrize("bits", [0, 2, 8, 9, 15])
def test_variants_of_an_input_are_the_inputs_written_out(bits):
    device = Unknown(70, 41, seed=SEEDS, adc_bits=0, weight_bits=bits, **NOISY)
    x, biases = marked(11, 70), [None, torch.tensor(0.2)]
    circuit = device.circuit()
    for shared, written in zip(
        crossbar.read(circuit, x, biases), reference.read(circuit, x.whole(), biases), strict=True
    ):
        torch.testing.assert_close(shared, written, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("weight_bits, dac_bits", itertools.product([2, 8, 9, 15], [1, 7, 8]))
def test_whole_numbers_are_summed_exactly(weight_bits, dac_bits):
    """Linear neurons, no noise: the sum is right to one rounding, which a sum of 70 floats is not."""
    quiet = dict(mismatch=0.0, read_noise=0.0, adc_bits=0, curve_spread=0.0, input_max=3.0)
    device = Unknown(70, 41, seed=SEEDS, family="relu", weight_bits=weight_bits, dac_bits=dac_bits, **quiet)
    x = inputs(33, 70)
    steps = 2.0**dac_bits - 1
    codes = (x.clamp(max=3.0) / 3.0 * steps).round().double()
    states = (device.weights / device.unit).double().round()
    exact = torch.relu(codes @ states.mT) * (device.unit.double() * 3.0 / steps)
    torch.testing.assert_close(device(x).double(), exact.clamp(max=8.0), rtol=2.5e-7, atol=0)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    assert torch.equal(device(x)[:, :5], device(x[:, :5]))
    torch.set_num_threads(threads)


@pytest.mark.parametrize("weight_bits", [0, 8])
def test_what_is_undefined_stays_undefined(weight_bits):
    device = Unknown(13, 7, seed=[0], weight_bits=weight_bits)
    x = inputs(5, 13, chips=1)
    x[0, 2, 3] = torch.nan
    assert device(x).isnan().all(2)[0].tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("family", FAMILIES)
def test_curves_of_what_is_undefined_and_of_what_is_huge(family):
    device = Unknown(2, 3, seed=[0], family=family, read_noise=0.0, adc_bits=0, mismatch=0.0)
    device.weights.copy_(torch.tensor([[torch.nan, 0.0], [1e4, 0.0], [-1e4, 0.0]]))
    ((fast,), (clear,)) = both(device, torch.ones(1, 1, 2))
    assert fast[0, 0, 0].isnan()
    # sin^2 of 10,000 is right to the spacing of floats up there, 1e-3
    torch.testing.assert_close(fast[..., 1:], clear[..., 1:], atol=2e-3, rtol=1e-6)


def test_a_read_leaves_the_one_before_it_alone():
    device = Unknown(70, 41, seed=SEEDS)
    first = device(inputs(33, 70))
    kept = first.clone()
    device(inputs(33, 70) / 2)
    assert torch.equal(first, kept)


def test_states_are_right_on_average():
    w, unit, most = torch.linspace(-1, 1, 41)[:, None], torch.tensor(0.3), torch.tensor(3.0)
    draws = whole_states(w, unit, torch.rand(41, 40_000, generator=torch.Generator().manual_seed(0)), most) * unit
    error = 0.15 / 40_000**0.5  # of the mean of a number that is one of two, 0.3 apart
    assert ((draws.mean(1) - w[:, 0].clamp(-0.9, 0.9)).abs() < 4.5 * error).all()


def test_bytes_put_together_are_the_states():
    states = torch.tensor([[-16383.0, -129.0, -128.0, 0.0], [127.0, 128.0, 255.0, 16383.0]])
    planes = planes_of(states, 2).double()
    assert torch.equal((planes[0] + 256 * planes[1]).mT.float(), states)


def test_cells_with_states_hold_nothing_else():
    device = Unknown(13, 7, seed=SEEDS, weight_bits=torch.tensor([3, 0, 9]))
    for change in (0.1, -0.05, 3.0):
        device.pulse(torch.full((3, 7, 13), change))
        of_cells = (device.weights / device.unit)[[0, 2]]
        assert torch.allclose(of_cells, of_cells.round(), atol=1e-4)
    assert device.weights[0].max() == pytest.approx(4 / 13**0.5)
    assert device.weights[1].max() > 2  # continuous cells have no limit


@pytest.mark.parametrize("weight_bits", [0, 8])
def test_variants_and_biases_do_not_know_the_bank_bit_by_bit(weight_bits):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    own = dict(weight_noise=0.1, weight_bits=weight_bits, adc_bits=0)
    x, biases = marked(11, 70), [torch.tensor(0.2), torch.tensor(-0.2)]
    together = Unknown(70, 41, seed=SEEDS, **own).measure_biased(x, biases)
    for c, seed in enumerate(SEEDS):
        one = SharedInputs(x.shared[c : c + 1].clone(), x.marks[c : c + 1].clone())
        alone = Unknown(70, 41, seed=[seed], **own).measure_biased(one, biases)
        assert all(torch.equal(a[0], t[c]) for a, t in zip(alone, together, strict=True))
    torch.set_num_threads(threads)
