"""What stands around every array: its parameters, its read path, and that nobody pays for what is off."""

import inspect
import math
import typing

import pytest
import torch

from analogff.device import ContractError, SharedInputs, check_device, fabricate, product
from hardware_models.array.crossbar import Crossbar
from hardware_models.array.periphery import Periphery, with_periphery
from hardware_models.array.stages.path import EFFECTS, OwnStages, path
from hardware_models.effects import converters
from hardware_models.effects.converters import AdcKind
from hardware_models.generic.unknown import Unknown
from hardware_models.kernels import reference
from hardware_models.memory_cells.pcm import PCM
from hardware_models.photonics.mzi_mesh import MZIMesh
from tests.helpers.devices import EXPORTED, inputs, trace

ARRAYS = [model for model in EXPORTED if issubclass(model, Crossbar) and not model.own_neurons]
FIELDS = list(inspect.signature(Periphery).parameters)
QUIET = dict(mismatch=0.0, read_noise=0.0, curve_spread=0.0, family="relu", adc_bits=0, dac_bits=0)
ADC = dict(adc_gain_error=0.02, adc_offset_lsb=0.5, adc_inl_lsb=0.5, adc_noise_lsb=0.5)
DAC = dict(dac_gain_error=0.02, dac_inl_lsb=0.5)
LINES = dict(wire_ohm=2.0, crosstalk=0.05, dead_rows=0.1, dead_columns=0.1, stuck_low=0.1, stuck_high=0.05)
VARIANTS = {
    "everything": ADC | DAC | LINES,
    "tiles": ADC | DAC | LINES | dict(rows_per_tile=6, sum_max=6.0),
    "bits": ADC | LINES | dict(bit_serial=True, dac_bits=4, rows_per_tile=6, sum_max=30.0),
    "signed": ADC | DAC | LINES | dict(signed_inputs=True),
    "flicker": dict(neuron_flicker=0.1),
}
SIZES = dict(wire_ohm=2.0, neuron_seconds=5e-8, hysteresis=0.05, **ADC)
"""Of effects for which 0.1 is little or much."""
VARIANTS |= {kind.value: dict(adc_kind=kind.value, adc_inl_lsb=0.5) for kind in AdcKind}


class Sheet(Crossbar):
    """One line.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed a chip.
        stiffness: Of nothing.

    Reference:
        None.
    """

    def __init__(self, n_in, n_out, *, seed, periphery: Periphery, stiffness: float = 1.0):
        sheet = periphery.datasheet(n_in, n_out, siemens=1e-6)
        super().__init__(n_in, n_out, seed=seed, datasheet=sheet, periphery=periphery, stiffness=stiffness)


def test_a_device_takes_every_field_beside_its_own_arguments():
    model = with_periphery(read_noise=0.25, adc_bits=3)(type("Sheet", (Sheet,), {"__doc__": Sheet.__doc__}))
    takes = inspect.signature(model.__init__).parameters
    assert list(takes) == ["self", "n_in", "n_out", "seed", "stiffness", *FIELDS]
    assert (takes["read_noise"].default, takes["adc_bits"].default, takes["dac_bits"].default) == (0.25, 3, 8)
    hints = typing.get_type_hints(model.__init__, include_extras=True)
    assert hints["read_noise"] == typing.get_type_hints(Periphery, include_extras=True)["read_noise"]
    assert "periphery" not in hints and hints["stiffness"] is float
    chip = model(4, 3, seed=0, stiffness=2.0, adc_bits=5)
    assert (chip.read_noise.item(), chip.adc_bits.item(), chip.stiffness.item()) == (0.25, 5, 2)
    with pytest.raises(TypeError, match="adc_bit"):
        model(4, 3, seed=0, adc_bit=5)


def test_the_docstring_names_every_field_under_args():
    model = with_periphery()(type("Sheet", (Sheet,), {"__doc__": Sheet.__doc__}))
    args = inspect.cleandoc(model.__doc__).split("Args:\n")[1].split("\n\n")[0].splitlines()
    assert [line.split(":")[0].strip() for line in args] == ["n_in", "n_out", "seed", "stiffness", *FIELDS]
    assert all(line.endswith(".") or "." in line for line in args)
    assert "Reference:\n    None." in model.__doc__


def test_a_default_for_what_is_no_field_is_refused():
    with pytest.raises(TypeError, match="Expected fields of Periphery. Got adc_bit. Correct the names."):
        with_periphery(adc_bit=3)(Sheet)


@pytest.mark.parametrize("model", ARRAYS)
def test_every_array_takes_every_field(model):
    missing = set(FIELDS) - set(inspect.signature(model.__init__).parameters)
    cells = {"wire_ohm", "stuck_low", "stuck_high", "telegraph_noise", "trap_reads"}
    assert missing == (cells if model is MZIMesh else set())  # light has none


@pytest.mark.parametrize("model", ARRAYS)
def test_without_errors_there_is_no_path_but_the_plain_one(model):
    device = model(13, 7, seed=[0, 1])
    assert not device._paths and device._path_without_effects is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "name"),
    [
        *((Unknown, name) for name in VARIANTS),
        (PCM, "everything"),
        *(pytest.param(PCM, name, marks=pytest.mark.slow) for name in VARIANTS if name != "everything"),
    ],
)
def test_every_parameter_is_alive_where_it_is_on(model, name):
    report = check_device(model, **VARIANTS[name])
    assert report.passed, "\n".join(report.lines())
    tried = " ".join(report.lines())
    for parameter in set(VARIANTS[name]) - {"adc_kind"}:
        assert f"Changing {parameter} from" in tried


def test_kinds_of_converters_are_alive():
    reads = [Unknown(13, 7, seed=0, adc_inl_lsb=1.0, adc_kind=kind)(inputs(1, 20, 13)) for kind in AdcKind]
    assert all(not torch.equal(reads[n], reads[n - 1]) for n in range(3))


@pytest.mark.parametrize("model", [Unknown, PCM])
@pytest.mark.parametrize("name", ["everything", "tiles", "bits", "signed", "flicker"])
def test_a_chip_with_errors_is_the_same_alone_and_among_chips_without(model, name):
    """Bit by bit, in a bank of which the first chip has none, or others, and converters of another resolution."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    serial = "bit_serial" in VARIANTS[name]
    swept = {
        k: torch.tensor([0.0, v, 2 * v]) for k, v in VARIANTS[name].items() if isinstance(v, float) and k != "sum_max"
    }
    swept["adc_bits"] = torch.tensor([9, 5, 7])
    common = {k: v for k, v in VARIANTS[name].items() if not isinstance(v, float)}
    common |= {} if serial else dict(dac_bits=torch.tensor([0, 8, 6]))
    seeds, x = [3, 1, 4], inputs(3, 5, 13)
    together = trace(fabricate(model, 13, 7, seeds=seeds, parameters=swept | common), x)
    for c, seed in enumerate(seeds):
        own = {k: v[c].item() if isinstance(v, torch.Tensor) else v for k, v in (swept | common).items()}
        alone = trace(fabricate(model, 13, 7, seeds=[seed], parameters=own), x[c : c + 1])
        assert all(torch.equal(a, t[c : c + 1]) for a, t in zip(alone, together, strict=True))
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.parametrize("model", ARRAYS)
def test_no_effect_of_one_chip_changes_the_numbers_of_its_neighbors(model):
    """Bit by bit, in a bank of which each chip has one effect, and one has all that go together."""
    threads, takes = torch.get_num_threads(), inspect.signature(model.__init__).parameters
    torch.set_num_threads(1)
    sizes = {name: SIZES.get(name, 0.1) for name in EFFECTS if name in takes}
    swept = {name: [size * (n == c) for c in range(len(sizes))] for n, (name, size) in enumerate(sizes.items())}
    swept = {name: torch.tensor([*values, sizes[name]]) for name, values in swept.items()}
    swept["adc_bits"] = torch.tensor([8 * name.startswith("adc") for name in sizes] + [8])  # steps hide a rounding
    further = dict(weight_noise=0.05) if "weight_noise" in takes else {}  # of which there are two formulas
    seeds = list(range(len(sizes) + 1))
    x = inputs(len(seeds), 5, 13)
    together = trace(fabricate(model, 13, 7, seeds=seeds, parameters=swept | further), x)
    for c, seed in enumerate(seeds):
        own = {name: values[c].item() for name, values in swept.items()}
        alone = trace(fabricate(model, 13, 7, seeds=[seed], parameters=own | further), x[c : c + 1])
        same = [torch.equal(a, t[c : c + 1]) for a, t in zip(alone, together, strict=True)]
        assert all(same), [name for name, size in own.items() if size]
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", ["everything", "tiles", "bits", "signed", "flicker"])
def test_a_batch_is_its_halves_marked_or_written_out(name):
    quiet = {k: v for k, v in VARIANTS[name].items() if k not in ADC and k != "dac_inl_lsb"}
    whole, halves, marked, biased = (Unknown(13, 7, seed=[3, 1], adc_bits=0, **quiet) for _ in range(4))
    variants = SharedInputs(inputs(2, 5, 13), inputs(2, 10, 3).unflatten(1, (2, 5)))
    variants.shared[..., :3] = 0
    x = variants.whole()
    y = whole(x, torch.tensor(0.1))
    torch.testing.assert_close(
        torch.cat([halves(h, torch.tensor(0.1)) for h in x.chunk(2, 1)], 1), y, atol=1e-5, rtol=0
    )
    torch.testing.assert_close(marked(variants, torch.tensor(0.1)), y, atol=1e-5, rtol=0)
    biases = [torch.tensor(0.1), torch.linspace(-1, 1, 14).reshape(2, 1, 7)]
    first, second = biased.measure_biased(x, biases)
    torch.testing.assert_close(first, y, atol=1e-5, rtol=0)
    torch.testing.assert_close(second, whole(x, biases[1]), atol=1e-5, rtol=0)


WIDE = dict(rows_per_tile=5, sum_max=100.0)  # no partial sum is clipped, which the truth knows nothing of


@pytest.mark.parametrize("parts", [{}, dict(signed_inputs=True), WIDE, WIDE | dict(bit_serial=True)])
def test_the_true_slope_and_weights_are_those_of_the_device_without_noise(parts):
    errors = LINES | dict(adc_gain_error=0.05, mismatch=0.2)
    errors |= dict(dac_bits=16) if "bit_serial" in parts else dict(dac_gain_error=0.05, dac_bits=0)
    quiet = dict(read_noise=0.0, adc_bits=0, curve_spread=0.2, family="sigmoid")
    device, x = Unknown(13, 7, seed=[3, 1], **quiet, **errors, **parts), inputs(2, 50, 13)
    slope, weights = device.oracle(x, torch.tensor(0.1))
    h = 1e-2
    up, down = (device(x, torch.tensor(0.1 + s * h)) for s in (1, -1))
    torch.testing.assert_close((up - down) / (2 * h), slope, atol=2e-4, rtol=0)
    line, step = 4, 0.05
    stepped = [x.clone(), x.clone()]
    stepped[0][..., line] += step
    stepped[1][..., line] = (stepped[1][..., line] - step).clamp(min=0)
    moved = device(stepped[0], torch.tensor(0.1)) - device(stepped[1], torch.tensor(0.1))
    by = (stepped[0] - stepped[1])[..., line : line + 1]
    torch.testing.assert_close(moved, slope * weights[:, None, :, line] * by, atol=1e-3, rtol=0)


def test_gain_and_offset_errors_have_their_size_and_sit_before_the_steps():
    """Against an obvious conversion, column by column."""
    chip = Unknown(4, 2000, seed=0, **QUIET | dict(adc_bits=6), adc_gain_error=0.03, adc_offset_lsb=1.5)
    for drawn, wanted in ((chip.adc_gain - 1, 0.03), (chip.adc_offset, 1.5)):
        assert abs(drawn.std() - wanted) < 4 * wanted / math.sqrt(2 * 2000)
    y = chip(torch.zeros(1, 1, 4), torch.tensor(5.0))[0, 0]
    step = 8 / 63
    wanted = ((5 * chip.adc_gain + chip.adc_offset * step) / step)[0, 0].round().clamp(0, 63)
    assert torch.equal((y / step).round(), wanted)


def test_noise_of_a_conversion_is_in_steps():
    n = 20_000
    chip = Unknown(4, 1, seed=0, **QUIET | dict(adc_bits=12), adc_noise_lsb=20.0)
    y = chip(torch.zeros(1, n, 4), torch.tensor(5.0)).double()
    assert abs(y.std() / (20 * 8 / 4095) - 1) < 4 / math.sqrt(2 * n) + 1 / (2 * 12 * 400)


@pytest.mark.parametrize("kind", AdcKind)
def test_codes_of_a_device_change_at_its_thresholds(kind):
    """A fine ramp at the bias port, and the nonlinearity measured from where each code begins."""
    chip = Unknown(2, 3, seed=0, **QUIET | dict(adc_bits=5), adc_inl_lsb=0.15, adc_kind=kind)
    step = 8 / 31
    ramp = torch.arange(0, 31.5, 1e-3)
    seen = (chip(torch.zeros(1, len(ramp), 2), (ramp * step)[None, :, None].expand(-1, -1, 3)) / step).round()[0]
    table = torch.stack([(seen < code).sum(0) * 1e-3 for code in range(1, 32)], 1)
    torch.testing.assert_close(table, chip.adc_thresholds[0], atol=2e-3, rtol=0)
    inl = converters.integral_nonlinearity(table)
    torch.testing.assert_close(inl, converters.integral_nonlinearity(chip.adc_thresholds[0]), atol=4e-3, rtol=0)


def test_each_column_has_a_converter_and_their_nonlinearity_the_size_asked_for():
    chip = Unknown(2, 500, seed=[0, 1], adc_inl_lsb=torch.tensor([0.5, 0.2]), adc_bits=torch.tensor([8, 5]))
    assert chip.adc_thresholds.shape == (2, 500, 255)
    for c, (bits, wanted) in enumerate([(8, 0.5), (5, 0.2)]):
        table = chip.adc_thresholds[c, :, : 2**bits - 1]
        assert chip.adc_thresholds[c, :, 2**bits - 1 :].isinf().all()
        squares = (table - torch.arange(1, 2**bits) + 0.5).square().mean(1).double()
        assert abs(squares.mean() - wanted**2) < 4 * squares.std() / math.sqrt(500)


def test_levels_of_the_dacs_are_looked_up_line_by_line():
    chip = Unknown(6, 4, seed=0, **QUIET | dict(dac_bits=4), dac_inl_lsb=0.4, dac_gain_error=0.05)
    x, step = torch.rand(1, 30, 6, generator=torch.Generator().manual_seed(0)) * 10 - 1, 8 / 15
    levels = torch.stack([chip.dac_levels[0, i, (x[0, :, i].clamp(0, 8) / step).round().long()] for i in range(6)], 1)
    q = levels * step * chip.dac_gain[0]
    torch.testing.assert_close(chip(x, torch.tensor(3.0))[0], torch.relu(q @ chip.weights[0].T + 3).clamp(max=8.0))
    assert torch.equal(chip(torch.zeros(1, 1, 6)), torch.zeros(1, 1, 4))  # silence stays silent
    undefined = torch.full((1, 1, 6), math.nan)
    assert chip(undefined).isnan().all()


def test_dead_rows_and_columns_carry_nothing():
    chip = Unknown(300, 200, seed=0, **QUIET, dead_rows=0.2, dead_columns=0.1, weight_noise=0.1)
    rows, columns = chip.row_is_dead[0, 0], chip.column_is_dead[0, 0]
    for dead, share in ((rows, 0.2), (columns, 0.1)):
        assert abs(dead.float().mean() - share) < 4 * math.sqrt(share * (1 - share) / len(dead))
    only_dead = torch.rand(1, 5, 300, generator=torch.Generator().manual_seed(0)) * rows
    assert torch.equal(chip(only_dead, torch.tensor(2.0)), torch.full((1, 5, 200), 2.0))
    y = chip(inputs(1, 5, 300), torch.tensor(2.0))
    assert (y[..., columns] == 2).all()  # not even noise of the cells
    assert (y[..., ~columns] != 2).float().mean() > 0.95
    assert (chip.oracle(inputs(1, 5, 300)).weights[0][columns] == 0).all()


def test_stuck_cells_are_as_many_as_asked_at_the_ends_of_the_range_whatever_is_written():
    n_in, n_out, shares = 200, 300, (0.1, 0.02)
    chip = Unknown(n_in, n_out, seed=0, **QUIET, stuck_low=shares[0], stuck_high=shares[1])
    low, high, end, x = chip.cell_is_low[0], chip.cell_is_high[0], 4 / n_in**0.5, inputs(1, 5, n_in)
    assert not (low & high).any()
    for stuck, share in zip((low, high), shares, strict=True):
        assert abs(stuck.float().mean() - share) < 4 * math.sqrt(share * (1 - share) / (n_in * n_out))
    for _ in range(2):
        wanted = torch.where(low, -end, torch.where(high, end, chip.weights[0]))
        torch.testing.assert_close(chip.oracle(x).weights[0], wanted)
        y = torch.relu(x[0].double() @ wanted.double().T + 4).clamp(max=8.0).float()
        torch.testing.assert_close(chip(x, torch.tensor(4.0))[0], y, atol=1e-5, rtol=0)
        chip.pulse(torch.full((1, n_out, n_in), 0.01))
        chip.program(chip.weights / 2)


def test_stuck_cells_of_an_array_with_bounds_are_at_the_greatest_weight_it_prints():
    chip = PCM(100, 50, seed=0, stuck_low=torch.tensor([0.3]), stuck_high=0.3)
    weights, end = chip.oracle(inputs(1, 1, 100)).weights, chip.datasheet.weight_max
    assert torch.equal(weights[chip.cell_is_high], torch.full_like(weights[chip.cell_is_high], end))
    assert torch.equal(weights[chip.cell_is_low], torch.full_like(weights[chip.cell_is_low], -end))


def test_one_over_f_noise_of_neurons_has_its_size_and_its_spectrum():
    """Power falls with frequency as its inverse; neurons do not correlate; a bias shows how large the noise is."""
    reads, n_out, size = 2**13, 64, 0.1
    chip = Unknown(2, n_out, seed=[0, 1], **QUIET, neuron_flicker=size)
    y = chip(torch.zeros(2, reads, 2), torch.tensor(4.0)).double() - 4
    power = (torch.fft.rfft(y, dim=1).abs().square() * 2 / reads).mean((0, 2))
    f = torch.fft.rfftfreq(reads)
    bands = [(f >= low) & (f < 2 * low) for low in 2.0 ** torch.arange(-9, -4)]
    center = torch.stack([1 / (1 / f[band]).mean() for band in bands])
    level = torch.stack([power[band].mean() for band in bands])
    wanted = size**2 / (12 * math.log(2) * center)  # 12 octaves, one of them a share 1 / 12 of the power
    torch.testing.assert_close(level.float(), wanted, rtol=0.12, atol=0)
    first = y[:, 0].flatten()  # one read of many neurons
    assert abs(first.square().mean().sqrt() / size - 1) < 4 / math.sqrt(2 * len(first))


def test_columns_that_couple_mix_their_sums():
    plain, mixed = (Unknown(13, 7, seed=0, **QUIET, crosstalk=c) for c in (0.0, 0.1))
    x = inputs(1, 5, 13)
    a = product(x, plain.weights)
    padded = torch.nn.functional.pad(a, (1, 1))
    wanted = torch.relu(a + 0.1 * (padded[..., :-2] + padded[..., 2:]) + 3).clamp(max=8.0)
    torch.testing.assert_close(mixed(x, torch.tensor(3.0)), wanted, atol=1e-5, rtol=0)


def test_wires_take_their_part_of_every_sum_in_proportion_to_their_resistance():
    """To first order the loss is proportional to the resistance, so its slope on double logarithmic paper is 1."""
    x, losses, ohms = inputs(1, 20, 64), [], [0.01, 0.1, 1.0]
    whole = product(x, Unknown(64, 32, seed=0, **QUIET).oracle(x).weights)
    for ohm in ohms:
        weights = Unknown(64, 32, seed=0, **QUIET, wire_ohm=ohm).oracle(x).weights
        losses.append((product(x, weights) - whole).norm().log10().item())
    assert all(abs(b - a - 1) < 0.03 for a, b in zip(losses, losses[1:], strict=False))
    tiled = Unknown(64, 32, seed=0, **QUIET, wire_ohm=1.0, rows_per_tile=16).oracle(x).weights
    assert (product(x, tiled) - whole).norm().log10().item() < losses[-1] - 0.2  # shorter wires lose less


def test_the_conductance_of_a_weight_is_that_of_the_energy_of_a_read():
    """PCM: 25 uS at a weight of 4 typical ones; 5 uS is the printed mean, over half a normal's mean magnitude."""
    chip = PCM(64, 32, seed=0)
    assert chip.siemens.item() * chip.unit.item() == pytest.approx(25e-6, rel=0.01)
    assert PCM(64, 32, seed=0, bit_serial=True).siemens.item() == pytest.approx(chip.siemens.item())


def test_small_errors_tend_to_none():
    """The ideal limit, as a slope: what errors change in a read falls in proportion to them."""
    x, sizes, changes = inputs(1, 50, 13), [1e-2, 1e-3], []
    plain = Unknown(13, 7, seed=0, **QUIET)(x, torch.tensor(3.0))
    for size in sizes:
        errors = dict(adc_gain_error=size, dac_gain_error=size, wire_ohm=size, crosstalk=size)
        device = Unknown(13, 7, seed=0, **QUIET, **errors)
        changes.append((device(x, torch.tensor(3.0)) - plain).norm().log10().item())
    assert abs(changes[0] - changes[1] - 1) < 0.05


def test_the_stages_without_an_effect_read_as_the_plain_path_does():
    """Up to rounding, which a converter may lift to a step."""
    plain, staged, x = Unknown(13, 7, seed=0), Unknown(13, 7, seed=0), inputs(1, 5, 13)
    staged._paths = {0: path(staged.periphery, frozenset(), 13, OwnStages())}
    biases = [None, torch.tensor(0.1)]
    expected = torch.stack(reference.read(plain.circuit(), x, biases))
    for device in (plain, staged):
        off = (torch.stack(device.measure_biased(x, biases)) - expected).abs()
        assert off.max() < 1 / 63 + 1e-5 and (off > 1e-5).float().mean() < 0.1
    assert all(torch.equal(a, b) for a, b in zip(plain.oracle(x), staged.oracle(x), strict=True))


def test_each_effect_is_a_stage_or_changes_the_cells():
    """Every number that is off at 0 adds something to the path of a chip on which it is on, and to no other's."""
    for name in EFFECTS:
        device = Unknown(13, 7, seed=[0, 1], **{name: torch.tensor([0.0, 0.1])})
        assert list(device._paths) == [1]
        plain = path(device.periphery, frozenset(), 13, OwnStages())
        assert device._paths[1] != plain or kinds(device._paths[1]) != kinds(plain)


def kinds(path):
    return [type(stage) for stage in (*path.cells, *path.once, *path.each)]


def test_a_checkpoint_restores_errors():
    on = VARIANTS["tiles"]
    device, other = Unknown(13, 7, seed=[3, 1], **on), Unknown(13, 7, seed=[5, 6], **on)
    trace(device, inputs(2, 5, 13))
    other.load_state_dict(device.state_dict())
    pairs = zip(trace(device, inputs(2, 5, 13)), trace(other, inputs(2, 5, 13)), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    swept, turned = (Unknown(13, 7, seed=[3, 1], adc_gain_error=torch.tensor(e)) for e in ([0.0, 0.1], [0.1, 0.0]))
    turned.load_state_dict(swept.state_dict())  # which chip has errors is in the state too
    x = inputs(2, 5, 13)
    assert torch.equal(turned(x), swept(x))


@pytest.mark.parametrize(
    "numbers, said",
    [
        (dict(adc_bits=0, adc_offset_lsb=0.5), "Expected adc_bits above 0 beside errors in LSB. Got 0."),
        (dict(adc_bits=torch.tensor([6, 0]), adc_noise_lsb=0.5), "Expected adc_bits above 0"),
        (dict(adc_bits=16, adc_inl_lsb=0.5), "Expected adc_bits from 2 to 12 beside adc_inl_lsb. Got 16."),
        (dict(dac_bits=0, dac_inl_lsb=0.5), "Expected dac_bits from 2 to 12 beside dac_inl_lsb. Got 0."),
        (dict(stuck_low=0.6, stuck_high=0.5), "Expected stuck_low and stuck_high below 1 together. Got 1.1"),
        (dict(neuron_flicker=0.1, rows_per_tile=6), "Expected no neuron_flicker beside rows_per_tile or bit_serial"),
        (dict(adc_kind="sarr"), "Expected adc_kind to be one of sar, ramp, flash. Got 'sarr'."),
    ],
)
def test_what_cannot_be_is_refused(numbers, said):
    with pytest.raises(ContractError, match=said.replace(".", r"\.")):
        Unknown(13, 7, seed=[0, 1], **numbers)
