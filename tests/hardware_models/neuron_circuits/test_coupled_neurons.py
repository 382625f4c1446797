"""Neurons that couple and remember: against laws written out, and the slope that a probe of all of them at once finds."""

import math

import pytest
import torch

from analogff.device import ContractError, Observable, Sealed, SharedInputs, check_device, fabricate, product
from analogff.slopes.probe_size import ProbeSize
from analogff.slopes.slopes import Probed
from hardware_models.effects import coupling, memory
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.pcm import PCM
from hardware_models.memory_cells.reram import ReRAM
from tests.helpers.devices import inputs, trace

EXACT = dict(read_noise=0.0, mismatch=0.0, curve_spread=0.0, adc_bits=0, dac_bits=0, input_max=100.0)
TAU = 100e-9 / math.log(2)  # half of the way in a read
MEMORY = dict(neuron_seconds=TAU, hysteresis=0.05)
COUPLED = dict(inhibition=0.5, supply_droop=0.3)
VARIANTS = {"memory": MEMORY, "coupled": COUPLED, "all": MEMORY | COUPLED}
CUTS = (1, 7, 16, 30)


def activities(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def t64(y):
    return y.double()


@pytest.mark.parametrize("lines", [1, 5, 256])
@pytest.mark.parametrize("law, number", [(memory.settled, 0.3), (memory.settled, 0.8), (memory.played, 0.1)])
def test_what_is_remembered_does_not_depend_on_the_cut_of_a_batch(law, number, lines):
    f, number = activities(1, 37, lines), torch.full((1, 1, 1), number)
    whole = law(f, torch.zeros(1, 1, lines), number)
    for cut in CUTS:
        first = law(f[:, :cut], torch.zeros(1, 1, lines), number)
        assert torch.equal(torch.cat([first, law(f[:, cut:], first[:, -1:], number)], 1), whole)


def test_outputs_settle_as_a_weighted_sum_of_what_came_before():
    f, r = activities(2, 40, 5), torch.tensor([0.3, 0.9]).view(2, 1, 1)
    y = memory.settled(f, torch.ones(2, 1, 5), r)
    for t in (0, 1, 17, 39):
        shares = t64(1 - r) ** torch.arange(t + 1).flip(0)[:, None]
        wanted = t64(r) * (shares * f[:, : t + 1]).sum(1, keepdim=True) + t64(1 - r) ** (t + 1)
        torch.testing.assert_close(t64(y[:, t : t + 1]), wanted, atol=1e-6, rtol=0)
    assert torch.equal(memory.settled(f, f[:, :1], torch.ones(2, 1, 1)), f)
    assert memory.settling(100e-9, torch.tensor(TAU)).item() == pytest.approx(0.5, rel=1e-6)


def test_play_is_a_loop_of_its_width_and_knows_turning_points_only():
    h, up = 0.25, torch.linspace(0, 2, 41)
    sweep = torch.cat([up, up.flip(0), up]).view(1, -1, 1)
    p = memory.played(sweep, torch.zeros(1, 1, 1), torch.full((1, 1, 1), h))[0, :, 0]
    rising, falling = p[82:], p[41:82].flip(0)
    inside = (up > 2 * h) & (up < 2 - 2 * h)
    torch.testing.assert_close((falling - rising)[inside], torch.full_like(up[inside], 2 * h))
    corners = torch.tensor([0.0, 2.0, 0.0, 2.0]).view(1, -1, 1)
    assert memory.played(corners, torch.zeros(1, 1, 1), torch.full((1, 1, 1), h))[0, -1] == p[-1]
    slow, wanted = activities(1, 200, 3), []
    state = [0.0] * 3
    for row in slow[0].double().tolist():
        state = [min(max(s, f - h), f + h) for s, f in zip(state, row, strict=True)]
        wanted.append(state)
    found = memory.played(slow, torch.zeros(1, 1, 3), torch.full((1, 1, 1), h))[0]
    torch.testing.assert_close(found.double(), torch.tensor(wanted, dtype=torch.float64), atol=1e-6, rtol=0)


@pytest.mark.parametrize("beta", [0.1, 1.0, 30.0])
def test_inhibition_is_the_fixed_point_of_the_recurrent_circuit(beta):
    f = activities(2, 30, 50)
    f[:, 0] = 0
    y = coupling.inhibited(f, torch.full((2, 1, 1), beta)).double()
    low, high = torch.zeros(2, 30, 1, dtype=torch.float64), f.double().amax(-1, keepdim=True)
    for _ in range(60):  # the mean that inhibits, by halving
        middle = (low + high) / 2
        enough = (f - beta * middle).clamp(min=0).mean(-1, keepdim=True) < middle
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    torch.testing.assert_close(y, (f - beta * low).clamp(min=0), atol=1e-6, rtol=0)
    torch.testing.assert_close(y.mean(-1, keepdim=True), low, atol=1e-6, rtol=0)
    assert torch.equal(coupling.inhibited(f, torch.zeros(2, 1, 1)), f)


def test_where_all_fire_a_common_increase_is_divided_and_differences_stay():
    f, beta = 1 + 0.1 * activities(1, 20, 9), torch.full((1, 1, 1), 0.5)
    y, more = coupling.inhibited(f, beta), coupling.inhibited(f + 0.3, beta)
    torch.testing.assert_close(more - y, torch.full_like(y, 0.3 / 1.5), atol=1e-6, rtol=0)
    torch.testing.assert_close(y.diff(dim=-1), f.diff(dim=-1), atol=1e-6, rtol=0)


def test_a_supply_loses_its_share_at_full_load_and_in_proportion_below():
    full, rho = torch.full((1, 1, 1), 8.0), torch.full((1, 1, 1), 0.2)
    for load in (0.0, 0.25, 1.0):
        y = coupling.drooped(torch.full((1, 1, 6), 8.0 * load), rho, full)
        torch.testing.assert_close(y, torch.full_like(y, 8 * load * (1 - 0.2 * load)))


@pytest.mark.parametrize("law", [coupling.inhibited, lambda f, b: coupling.drooped(f, b / 2, torch.tensor(1.0))])
@pytest.mark.parametrize("lines", [3, 8, 257])
def test_coupling_acts_within_a_read(law, lines):
    f, strength = activities(1, 37, lines), torch.full((1, 1, 1), 0.7)
    whole = law(f, strength)
    for cut in CUTS:
        assert torch.equal(torch.cat([law(f[:, :cut], strength), law(f[:, cut:], strength)], 1), whole)


def _written_out(chip, x, biases):
    """All reads of one chip, one after another, in double precision."""
    y, p, answers = 0.0, 0.0, []
    for bias in biases:
        rows = []
        for a in product(x, chip.weights)[0].double() + bias:
            f = torch.relu(a).clamp(max=8.0)
            k = f.numel()
            mean = torch.zeros(())
            for _ in range(60):  # the circuit finds it as slowly
                mean = 0.7 * mean + 0.3 * (f - 0.5 * mean).clamp(min=0).mean()
            f = (f - 0.5 * mean).clamp(min=0)
            f = f * (1 - 0.3 * f.sum() / (8 * k))
            y = y + 0.5 * (f - y)
            p = torch.minimum(torch.maximum(torch.as_tensor(p), y - 0.05), y + 0.05)
            rows.append(p)
        answers.append(torch.stack(rows))
    return answers


def test_a_device_reads_as_written_out_in_the_order_of_its_reads():
    biases = [torch.tensor(0.3), torch.tensor(-0.3)]
    parts = dict(family="relu", **EXACT, **MEMORY, **COUPLED)
    apart, together, halves, marked = (Unknown(13, 7, seed=[3], **parts) for _ in range(4))
    variants = SharedInputs(inputs(1, 5, 13), inputs(1, 10, 3).unflatten(1, (2, 5)))
    variants.shared[..., :3] = 0
    x = variants.whole()
    wanted = _written_out(apart, x, biases)
    ways = {
        "apart": [apart(x, bias) for bias in biases],
        "together": together.measure_biased(x, biases),
        "halves": [torch.cat([halves(h, bias) for h in x.chunk(3, 1)], 1) for bias in biases],
        "marked": marked.measure_biased(variants, biases),
    }
    for way, seen in ways.items():
        for y, each in zip(seen, wanted, strict=True):
            torch.testing.assert_close(y[0].double(), each, atol=2e-6, rtol=0, msg=way)


@pytest.mark.parametrize("model", [Unknown, ReRAM, PCM])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_chip_that_couples_or_remembers_is_the_same_alone_and_in_a_bank(model, name):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    swept = {k: torch.tensor([v, 0.0, v / 2]) for k, v in VARIANTS[name].items()}
    seeds, x = [3, 1, 4], inputs(3, 9, 97)
    together = trace(fabricate(model, 97, 41, seeds=seeds, parameters=swept), x)
    for c, seed in enumerate(seeds):
        own = {k: v[c].item() for k, v in swept.items()}
        alone = trace(fabricate(model, 97, 41, seeds=[seed], parameters=own), x[c : c + 1])
        assert all(torch.equal(a, t[c : c + 1]) for a, t in zip(alone, together, strict=True))
    torch.set_num_threads(threads)


def test_what_neurons_remember_is_in_the_state_of_their_bank():
    device, other = (Unknown(13, 7, seed=[3, 1], **MEMORY) for _ in range(2))
    x = inputs(2, 5, 13)
    assert (device.neuron_state == 0).all() and (device.neuron_play == 0).all()
    device(x)
    assert (device.neuron_state != 0).any(2).all() and (device.neuron_play != 0).any(2).all()
    other.load_state_dict(device.state_dict())
    assert torch.equal(other(x), device(x))


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_they_honor_the_contract_and_every_number_is_alive(name):
    report = check_device(Unknown, family="relu", **VARIANTS[name])
    assert report.passed, "\n".join(report.lines())
    said = " ".join(report.lines())
    assert "One batch or two halves give the same samples" in said
    assert all(f"Changing {parameter} from" in said for parameter in VARIANTS[name])


@pytest.mark.parametrize("name", ["inhibition", "supply_droop", "neuron_seconds", "hysteresis"])
def test_digital_neurons_neither_couple_nor_remember(name):
    for digital in (dict(rows_per_tile=5), dict(bit_serial=True)):
        with pytest.raises(ContractError, match=f"Expected no {name} beside rows_per_tile or bit_serial"):
            Unknown(13, 7, seed=0, **{name: 0.5}, **digital)


def test_the_true_slope_of_a_neuron_that_settles_is_its_share_of_the_way():
    device, x = Unknown(13, 7, seed=[3, 1], family="sigmoid", **EXACT, neuron_seconds=TAU), inputs(2, 50, 13)
    slope = device.oracle(x, torch.tensor(0.1)).slope
    h, moved = 1e-2, []
    for sign in (1, -1):  # each read by itself, after the same rest
        rows = []
        for row in range(50):
            device.neuron_state.zero_()
            rows.append(device(x[:, row : row + 1], torch.tensor(0.1 + sign * h)))
        moved.append(torch.cat(rows, 1))
    torch.testing.assert_close((moved[0] - moved[1]) / (2 * h), slope, atol=2e-4, rtol=0)


def _probed(device, x, d):
    layer = Sealed(device, chips=1, level=Observable.PROBE)
    return Probed(ProbeSize(d)).read(layer, x).slope[0].double()


def _sigmoid(device, x):
    """Activities and slopes of the neurons by themselves."""
    a = product(x, device.weights)[0].double()
    f = torch.sigmoid(2 * (a - 1))
    return f, 2 * f * (1 - f)


def test_a_probe_of_all_neurons_at_once_adds_the_droop_that_the_others_cause():
    rho, n = 0.4, 7
    device, x = Unknown(13, n, seed=[3], family="sigmoid", **EXACT, supply_droop=rho), inputs(1, 40, 13)
    f, slope = _sigmoid(device, x)
    load = f.mean(-1, keepdim=True)
    truth = slope * (1 - rho * load) - rho * f * slope / n  # the derivative of one neuron by its own input
    bias = -rho * f * (slope.sum(-1, keepdim=True) - slope) / n
    found = _probed(device, x, 0.02)
    torch.testing.assert_close(found, truth + bias, atol=2e-4, rtol=0)
    assert bias.abs().max() > 0.05


def test_a_probe_of_all_neurons_at_once_adds_the_inhibition_by_the_others():
    beta, n = 0.5, 7
    device, x = Unknown(13, n, seed=[3], family="sigmoid", **EXACT, inhibition=beta), inputs(1, 40, 13)
    f, slope = _sigmoid(device, x)
    y = coupling.inhibited(f.unsqueeze(0), torch.tensor(beta))[0]
    fires = (y > 0).double()
    strength = beta / (n + beta * fires.sum(-1, keepdim=True))
    firing = fires * slope
    truth = firing * (1 - strength)
    bias = -fires * strength * (firing.sum(-1, keepdim=True) - firing)
    found = _probed(device, x, 0.01)
    off = (found - truth - bias).abs() > 1e-3
    assert off.any(-1).double().mean() < 0.05  # samples in which a neuron falls silent within the probe
    assert bias.abs().max() > 0.05 and (fires.sum(-1) < n).any()


def test_a_probe_of_a_slow_layer_is_a_mean_over_the_samples_before_and_an_echo_of_the_batch():
    d, rows, left = 0.02, 40, 0.5
    device, x = Unknown(13, 7, seed=[3], family="sigmoid", **EXACT, neuron_seconds=TAU), inputs(1, 40, 13)
    f, slope = _sigmoid(device, x)
    device(x.flip(1))
    before = device.neuron_state[0, 0].double()
    found = _probed(device, x, d)
    up = torch.sigmoid(2 * (product(x, device.weights)[0].double() + d / 2 - 1))
    last = sum((1 - left) * left ** (rows - 1 - s) * up[s] for s in range(rows)) + left**rows * before
    wanted = torch.stack(
        [
            sum((1 - left) * left ** (t - s) * slope[s] for s in range(t + 1)) + left ** (t + 1) * (before - last) / d
            for t in range(rows)
        ]
    )
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)
    truth = (1 - left) * slope
    later = found[20:] - truth[20:]  # where the echo of the batch's start has died away, the samples before are left
    assert later.abs().mean() > 0.2 * slope.mean() and (found - wanted)[20:].abs().max() < 2e-4


def test_a_probe_of_a_sticky_layer_finds_the_slope_of_the_sample_that_moved_it():
    d, h = 0.01, 0.1
    device, x = Unknown(13, 7, seed=[3], family="sigmoid", **EXACT, hysteresis=h), inputs(1, 60, 13)
    f, slope = _sigmoid(device, x)
    device(x)  # so that both reads of the probe begin after the same batch, up to the probe itself
    found = _probed(device, x, d)
    moved, wanted, p = torch.zeros(7), [], device.neuron_play[0, 0].double()
    for row in range(60):
        p, was = torch.minimum(torch.maximum(p, f[row] - h), f[row] + h), p
        moved = torch.where(p != was, slope[row], moved)
        wanted.append(moved)
    wanted = torch.stack(wanted)
    began = wanted != 0
    agree = (found - wanted).abs()[began] < 0.02
    assert agree.double().mean() > 0.97  # but where the probe itself tips a neuron over the edge of its play
    assert ((found - slope).abs()[began] > 0.05).double().mean() > 0.1  # and many of them are not of this sample
