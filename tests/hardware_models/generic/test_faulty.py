"""Chips to which something happens: the plain chip before, the fault after, and a chip all the same."""

import io

import pytest
import torch
from scipy.stats import binomtest

from analogff.catalog import CatalogError, fingerprint, resolve_device
from analogff.catalog.parameters import parameters_of
from analogff.device import ContractError, Digital, SharedInputs, check_device, derive_seed, fabricate, local_fields
from hardware_models.effects.temperature import arrhenius
from hardware_models.generic.faulty import Faulty, faulty
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.pcm import PCM
from hardware_models.memory_cells.reram import ReRAM
from tests.helpers.devices import inputs, trace
from tests.helpers.fakes import Leaky, Tanh

SEEDS = [3, 1, 4]
SIZE = (13, 7)
FAULTS = {"dead_columns": 0.3, "warming_kelvin": 20.0, "supply_sag": 0.2, "swapped": "fabricated"}
EACH = [{name: value} for name, value in FAULTS.items()] + [{"swapped": "copied"}, FAULTS]


def make(model=Ideal, seeds=SEEDS, size=SIZE, **parameters):
    return faulty(model)(*size, seed=seeds, **parameters)


def plain(model=Ideal, seeds=SEEDS, size=SIZE, **parameters):
    return fabricate(model, *size, seeds=seeds, parameters=parameters)


def nudge(device, times=1):
    for _ in range(times):
        device.pulse(torch.full((len(SEEDS), *SIZE[::-1]), 0.01))


@pytest.mark.parametrize("faults", [{"dead_columns": 0.0}, FAULTS, {"swapped": "copied"}])
@pytest.mark.parametrize("model", [Ideal, Unknown, ReRAM, PCM])
def test_before_the_fault_it_is_bitwise_the_plain_chip(model, faults):
    x = inputs(3, 5, 13)
    for seen, expected in zip(trace(make(model, at_write=2, **faults), x), trace(plain(model), x), strict=True):
        assert torch.equal(seen, expected)


@pytest.mark.parametrize("model", [Unknown, ReRAM])
def test_without_a_fault_nothing_happens(model):
    x = inputs(3, 5, 13)
    for seen, expected in zip(trace(make(model), x), trace(plain(model), x), strict=True):
        assert torch.equal(seen, expected)


@pytest.mark.parametrize("faults", EACH)
def test_it_happens_after_so_many_pulses_and_stays(faults):
    device, twin, x = make(Unknown, at_write=3, **faults), plain(Unknown), inputs(3, 20, 13)
    for pulses in range(6):
        assert torch.equal(device(x), twin(x)) is (pulses < 3)
        device.program(torch.zeros(3, 7, 13)), twin.program(torch.zeros(3, 7, 13))  # counts for nothing
        device.wait(10.0)
        nudge(device), nudge(twin)


def test_dead_columns_are_as_many_as_asked_and_the_others_go_on():
    size, shares = (13, 4000), torch.tensor([0.0, 0.05, 0.3])
    device, twin, x = make(Unknown, size=size, dead_columns=shares), plain(Unknown, size=size), inputs(3, 5, 13)
    y, expected = device(x), twin(x)
    silent = (y == 0).all(1)
    for chip, share in enumerate(shares.tolist()):
        assert binomtest(int(device.dead[chip].sum()), size[1], share).pvalue > 1e-3
        alive = ~device.dead[chip, 0]
        assert silent[chip][~alive].all()
        assert torch.equal(y[chip][:, alive], expected[chip][:, alive])


def test_columns_that_die_early_die_late_too():
    few, many = (make(size=(4, 500), dead_columns=share).dead for share in (0.1, 0.2))
    assert (few & ~many).sum() == 0 < (many & ~few).sum()


def test_a_dead_column_rests_inside_the_printed_range():
    class Lifted(Digital):
        def __init__(self, n_in, n_out, *, seed):
            super().__init__(n_in, n_out, seed=seed)
            object.__setattr__(self.datasheet, "output_min", 0.5)
            object.__setattr__(self.datasheet, "output_max", 2.0)

        def measure(self, x, bias=None):
            return super().measure(x, bias).clamp(0.5, 2)

    y = make(Lifted, dead_columns=0.9, supply_sag=0.5)(inputs(3, 50, 13))
    assert y.min() == 0.5 and y.max() <= 1.0


def test_warmth_scales_the_sums_by_arrhenius_and_leaves_the_bias():
    warming, energy = torch.tensor([0.0, 10.0, -20.0]), torch.tensor([0.2, 0.1, 0.1])
    device = make(neuron="linear", warming_kelvin=warming, activation_electronvolts=energy)
    x, bias = inputs(3, 5, 13), torch.randn(3, 1, 7, generator=torch.Generator().manual_seed(0))
    gain = arrhenius(300 + warming, energy).reshape(3, 1, 1)
    sums = plain(neuron="linear")(x)
    torch.testing.assert_close(device(x, bias), gain * sums + bias)
    assert gain[0] == 1 and gain[1].item() == pytest.approx(1.133, abs=1e-3)
    assert (gain < make(warming_kelvin=warming, activation_electronvolts=2 * energy).gain)[1].item()


def test_warmth_does_not_lift_an_input_over_what_drives_it():
    device = make(Unknown, warming_kelvin=30.0, read_noise=0.0, input_max=1.0)
    most = device(torch.full((3, 1, 13), 1.0))
    assert torch.equal(device(torch.full((3, 1, 13), 9.0)), most)


def test_a_sagging_supply_lowers_gain_and_ceiling():
    sag = torch.tensor([0.0, 0.19, 0.36])
    x = inputs(3, 50, 13)
    assert torch.allclose(make(supply_sag=sag)(x), (1 - sag).sqrt().reshape(3, 1, 1) * plain()(x))
    y, full = (m(Unknown, adc_bits=0)(10 * x) for m in (lambda *a, **k: make(*a, supply_sag=sag, **k), plain))
    assert y.amax((1, 2)).tolist() == pytest.approx((1 - sag).tolist())  # clipped there: the curve's full scale is 1
    assert torch.allclose(y, torch.minimum((1 - sag).sqrt().reshape(3, 1, 1) * full, (1 - sag).reshape(3, 1, 1)))


def test_a_swapped_chip_is_that_of_its_own_seed_and_fresh():
    device, x = make(Unknown, at_write=2, swapped="fabricated"), inputs(3, 5, 13)
    spare = plain(Unknown, seeds=[derive_seed(s, "spare") for s in SEEDS])
    device(x), device.wait(1e5), nudge(device, 2)
    assert torch.equal(device(x), spare(x))
    nudge(device), nudge(spare)
    assert torch.equal(device(x), spare(x))


@pytest.mark.parametrize("at_write", [0, 2])
def test_a_copied_chip_has_the_weights_of_the_old_one(at_write):
    device, twin, x = make(at_write=at_write, swapped="copied"), plain(), inputs(3, 5, 13)
    nudge(device, at_write), nudge(twin, at_write)
    assert torch.equal(device(x), twin(x))


def test_a_copy_lands_as_programming_does():
    device, x = make(ReRAM, at_write=2, swapped="copied"), inputs(3, 5, 13)
    nudge(device, 2)
    before, after = device.chip.weights, device.oracle(x).weights
    assert not torch.equal(before, after)
    assert torch.corrcoef(torch.stack([before.flatten(), after.flatten()]))[0, 1] > 0.8


def test_what_cannot_be_copied_is_refused_before_it_is_used():
    with pytest.raises(ContractError, match="Expected chips whose weights can be copied. Got Leaky.*Take swapped = 'f"):
        make(Leaky, at_write=1000, swapped="copied")
    with pytest.raises(ValueError, match="Expected supply_sag"):
        make(supply_sag=torch.tensor([0.1, 0.2]))


@pytest.mark.parametrize("faults", EACH)
def test_a_chip_alone_equals_itself_in_a_bank(faults):
    x = inputs(3, 5, 13)
    faults = {k: v if k == "swapped" else v * torch.tensor([1.0, 0.5, 0.0]) for k, v in faults.items()}
    bank = trace(make(Unknown, at_write=1, **faults), x)
    for c, seed in enumerate(SEEDS):
        own = {k: v if k == "swapped" else v[c].item() for k, v in faults.items()}
        alone = trace(make(Unknown, [seed], at_write=1, **own), x[c : c + 1])
        assert all(torch.equal(a, b[c : c + 1]) for a, b in zip(alone, bank, strict=True))


@pytest.mark.parametrize("faults", EACH)
@pytest.mark.parametrize("model", [Unknown, ReRAM, Tanh])
def test_each_chip_counts_its_own_writes(model, faults):
    asked = [[1, 1, 1, 1], [1, 0, 1, 1], [0, 0, 1, 0]]  # of each chip, write after write: three ages at the fault
    if faults.get("swapped") == "copied" and model is Tanh:
        pytest.skip("nobody knows its weights")

    def live(chips):
        device, x, seen = make(model, [SEEDS[c] for c in chips], at_write=2, **faults), inputs(3, 5, 13)[chips], []
        bias = torch.linspace(-1, 1, 3).view(3, 1, 1)[chips]
        for write in zip(*(asked[c] for c in chips), strict=True):
            seen += [device(x), *device.measure_biased(x, [bias, torch.tensor(0.2)])]
            seen.append(device.pulse(0.3 * torch.tensor(write).view(-1, 1, 1) * torch.ones(len(chips), *SIZE[::-1])))
            device.wait(torch.tensor([1.0, 10.0, 100.0])[chips])
            seen += device.oracle(x) if device.knows_truth() else []
        device.program(torch.full((len(chips), *SIZE[::-1]), 0.2))
        return [part for part in [*seen, device(x)] if part is not None]

    bank = live([0, 1, 2])
    for c in range(3):
        assert all(torch.equal(a, b[c : c + 1]) for a, b in zip(live([c]), bank, strict=True))


@pytest.mark.parametrize("pulses", [0, 1, 2])
def test_a_checkpoint_remembers_whether_it_happened(pulses):
    device, x = make(PCM, at_write=2, **FAULTS), inputs(3, 5, 13)
    nudge(device, pulses)
    file = io.BytesIO()
    torch.save(device.state_dict(), file)
    file.seek(0)
    other = make(PCM, [7, 8, 9], at_write=9, swapped="fabricated")
    other.load_state_dict(torch.load(file, weights_only=True))
    assert all(torch.equal(a, b) for a, b in zip(trace(device, x), trace(other, x), strict=True))


def test_the_truth_is_that_of_the_faulty_chip():
    quiet = dict(family="sigmoid", read_noise=0.0, adc_bits=0, dac_bits=0, input_max=100.0)
    device, x, h = make(Unknown, **FAULTS, **quiet), inputs(3, 50, 13), 1e-2
    slope, weights = device.oracle(x, torch.tensor(0.1))
    up, down = (device(x, torch.tensor(0.1 + d)) for d in (h, -h))
    inside = up < 1 - FAULTS["supply_sag"]  # clipping is left out
    assert 0.5 < inside.float().mean() < 1
    assert ((up - down) / (2 * h) - slope)[inside].abs().max() < 5e-4
    assert torch.allclose(weights, torch.cat([spare.weights for spare in device.spares]) * device.gain)
    linear, kicked = make(neuron="linear", **FAULTS), x.clone()
    kicked[..., 4] += 1
    change = linear(kicked) - linear(x)
    assert torch.allclose(change, linear.oracle(x).slope * linear.oracle(x).weights[:, None, :, 4], atol=1e-5)


def test_marked_inputs_and_several_biases_meet_the_same_fault():
    device, x = make(neuron="linear", **FAULTS), inputs(3, 4, 13)
    variants = SharedInputs(x.clone(), torch.stack([x[..., :3], x[..., :3].flip(1)], 1))
    variants.shared[..., :3] = 0
    torch.testing.assert_close(device(variants), device(variants.whole()))
    biases = [torch.tensor(0.1), torch.tensor(-0.2)]
    for together, bias in zip(device.measure_biased(x, biases), biases, strict=True):
        torch.testing.assert_close(together, device(x, bias))


LATER = [{"at_write": 2, **fault} for fault in EACH]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "faults"),
    [
        *((Unknown, fault) for fault in LATER),
        *((model, {}) for model in (Unknown, ReRAM)),
        *(pytest.param(ReRAM, fault, marks=pytest.mark.slow) for fault in LATER),
    ],
)
def test_it_keeps_the_contract(model, faults):
    report = check_device(faulty(model), **faults)
    assert report.passed, "\n".join(report.lines())


@pytest.mark.parametrize("model", [Tanh, Leaky])
def test_classes_of_single_chips_and_fixed_boxes_can_fail_too(model):
    device = make(model, at_write=1, dead_columns=0.5)
    x = inputs(3, 5, 13)
    expected = plain(model)
    assert torch.equal(device(x), expected(x))
    nudge(device), nudge(expected)
    assert torch.equal(device(x), torch.where(device.dead, 0, expected(x)))


def test_a_study_may_ask_for_one(tmp_path):
    assert resolve_device("faulty(ideal)", tmp_path) is faulty(Ideal)
    assert resolve_device("faulty(local-fields(ideal))", tmp_path) is faulty(local_fields(Ideal))
    assert issubclass(resolve_device("local-fields(faulty(unknown))", tmp_path).model, Faulty)
    assert fingerprint("faulty(local-fields(ideal))", "analogff.devices", tmp_path)
    known, open_ended = parameters_of(faulty(Unknown))
    assert set(parameters_of(Unknown)[0]) | set(FAULTS) | {"at_write", "activation_electronvolts"} == set(known)
    assert known["supply_sag"].per_chip and known["read_noise"].per_chip and not open_ended
    with pytest.raises(CatalogError, match="a registered wrapper.*Did you mean faulty"):
        resolve_device("fualty(ideal)", tmp_path)


def test_fields_of_an_image_fail_each_by_itself():
    device = local_fields(faulty(Ideal))(25, 18, seed=[0], field=2, stride=2, dead_columns=0.5, neuron="linear")
    dead = device.bank.dead.flatten()  # two neurons of nine fields
    assert torch.equal(device(inputs(1, 1, 25)).flatten() == 0, dead) and 0 < dead.sum() < 18
