"""Measured data as a device, against the truth that the data were made from."""

import numpy as np
import pytest
import torch
from scipy.interpolate import PchipInterpolator

from analogff.device import ContractError
from hardware_models.measured_data.measured import Measured
from hardware_models.memory_cells.reram import ReRAM

BARE = dict(adc_bits=0, dac_bits=0)


@pytest.fixture
def csv(tmp_path):
    """Write a CSV of a header and rows."""

    def write(header, rows, name="my.csv"):
        path = tmp_path / name
        path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
        return path

    return write


def answers(device, sums):
    """Return what every neuron answers to weighted sums, ``(chips, sums, n_out)``."""
    bias = torch.as_tensor(sums, dtype=torch.float32).reshape(1, -1, 1)
    with torch.no_grad():
        return device(torch.zeros(len(device.weights), bias.shape[1], device.datasheet.n_in), bias)


@pytest.mark.parametrize("falling", [1, -1])
def test_it_is_exact_at_the_points_and_between_them_it_is_pchip(csv, falling):
    x = np.array([-2.0, -1.1, -0.3, 0.0, 0.2, 1.7, 3.0])
    y = np.array([0.0, 0.1, 0.1, 0.4, 0.9, 1.0, 1.0])[::falling].copy()
    device = Measured(3, 2, seed=[0, 1], file=csv("input,output", zip(x, y, strict=True)), **BARE)
    expected = torch.tensor(y, dtype=torch.float32)[None, :, None].expand(2, -1, 2)
    assert torch.allclose(answers(device, x), expected, atol=1e-6)
    between = np.linspace(-2, 3, 501)
    oracle = torch.tensor(PchipInterpolator(x, y)(between), dtype=torch.float32)[None, :, None]
    assert torch.allclose(answers(device, between), oracle.expand(2, -1, 2), atol=2e-6)
    assert (falling * answers(device, between).diff(dim=1) >= -1e-6).all()
    assert torch.allclose(device.datasheet.neuron(torch.tensor(between)).float(), oracle[0, :, 0], atol=2e-6)


def test_the_error_between_points_falls_with_the_cube_of_their_distance(csv):
    steps, errors = 2.0 ** -np.arange(1, 5), []
    for h in steps:
        x = np.arange(-3, 3 + h / 2, h)
        file = csv("input,output", zip(x, 1 / (1 + np.exp(-2 * x)), strict=True), f"{h}.csv")
        between = np.linspace(-3, 3, 2001)
        y = answers(Measured(1, 1, seed=0, file=file, **BARE), between)[0, :, 0].numpy()
        errors.append(np.abs(y - 1 / (1 + np.exp(-2 * between))).max())
    order = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 2.7 < order < 4.3 and errors[-1] < 1e-4


def test_noise_is_recovered_by_level(csv):
    random, n = np.random.default_rng(0), 400
    x = np.repeat(np.linspace(-2, 2, 25), n)
    truth = lambda y: 0.01 + 0.05 * y  # noqa: E731
    mean = (1 + np.tanh(x)) / 2
    file = csv("input,output", zip(x, mean + truth(mean) * random.standard_normal(len(x)), strict=True))
    device = Measured(1, 50, seed=0, file=file, output_full_scale=1.5, **BARE)
    for at in (-0.6, 0.0, 0.5, 1.2):
        y = 1.5 * answers(device, np.full(400, at))
        level = (1 + np.tanh(at)) / 2
        # 20,000 reads are off by 0.5 %, 400 samples at two inputs by some 3 %; half a level aside is 0.002
        assert y.std().item() == pytest.approx(truth(level), rel=0.08)
        assert y.mean().item() == pytest.approx(level, abs=0.01)
    silent = Measured(1, 50, seed=0, file=file, measured_noise=0.0, **BARE)
    assert answers(silent, np.full(5, 0.3)).std() < 1e-6


def test_each_neuron_is_one_of_the_measured_copies(csv):
    random, x = np.random.default_rng(1), np.linspace(-1, 1, 9)
    gains = np.exp(0.2 * random.standard_normal(20))
    rows = [(n, v, 1e-6 * g * (1 + v)) for n, g in enumerate(gains) for v in x]
    device = Measured(1, 2000, seed=5, file=csv("device,gate_volts,drain_amperes", rows), **BARE)
    y = answers(device, [2.0])[0, 0].double().numpy()  # half of the full scale of 1 V
    copies = gains * 1.5 / (2 * gains.max())
    nearest = np.abs(y[:, None] - copies).argmin(1)
    assert np.abs(y - copies[nearest]).max() < 1e-6
    counts = np.bincount(nearest, minlength=20)
    assert np.abs(counts - 100).max() < 4 * 100**0.5  # each as likely as the others
    assert y.std() == pytest.approx(copies.std(), rel=4 / (2 * 2000) ** 0.5)
    other = answers(Measured(1, 2000, seed=6, file=csv("device,gate_volts,drain_amperes", rows), **BARE), [2.0])
    assert not np.allclose(other[0, 0].double().numpy(), y)


def test_a_full_scale_is_a_sum_of_four_and_an_output_of_one(csv):
    x = np.linspace(0, 0.8, 9)
    file = csv("input_volts,output_amperes", zip(x, 1e-9 * x**2, strict=True))
    device = Measured(1, 1, seed=0, file=file, **BARE)
    assert answers(device, [4.0, 2.0, -1.0, 9.0]).flatten().tolist() == pytest.approx([1, 0.25, 0, 1], abs=1e-6)
    assert (device.datasheet.output_min, device.datasheet.output_max) == (0.0, 1.0)
    assert "a weighted sum of 1 is 0.2 volts" in device.datasheet.source
    half = Measured(1, 1, seed=0, file=file, input_full_scale=0.4, output_full_scale=1e-9, **BARE)
    assert answers(half, [4.0, 2.0, 9.0]).flatten().tolist() == pytest.approx([0.16, 0.04, 0.16], abs=1e-6)
    biased = Measured(1, 1, seed=0, file=file, input_zero=0.4, **BARE)
    assert answers(biased, [0.0, 4.0, -4.0]).flatten().tolist() == pytest.approx([0.25, 1, 0], abs=1e-6)


def test_drivers_that_leave_the_data_are_refused_or_held(csv):
    file = csv("input_volts,output_amperes", [(-0.1, 0), (0, 1e-9), (0.2, 2e-9)])
    with pytest.raises(ContractError) as refused:
        Measured(1, 1, seed=0, file=file, input_full_scale=0.2)
    assert str(refused.value) == (
        "Expected curves as far as the drivers reach, -0.2 to 0.2 volts. Got my.csv, measured from -0.1 to 0.2 volts. "
        "Lower input_full_scale, measure further, or take outside = 'hold', which stays at the last measured value."
    )
    held = Measured(1, 1, seed=0, file=file, input_full_scale=0.2, outside="hold", **BARE)
    assert answers(held, [-9.0, -3.0, -2.0]).flatten().tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    slope = held.oracle(torch.zeros(1, 3, 1), torch.tensor([-3.0, -1.0, 1.0]).view(1, 3, 1)).slope.flatten()
    assert slope[0] == 0 and (slope[1:] > 0).all()


def record(csv, n, cells=8, **parameters):
    """Record what pulses do to cells of a published array: n up, then n down; in siemens, G = 50 uS + w 10 uS."""
    chip = ReRAM(1, cells, seed=3, preset="soft-bounds", mismatch=0.0, weight_max=1.0, **parameters)
    chip.program(torch.full((1, cells, 1), -9.0))
    rows, curve = [], []
    for sign, way in ((1, "up"), (-1, "down")):
        for k in range(n + 1):
            if k:
                chip.pulse(torch.full((1, cells, 1), sign * (1 + 1e-4) * chip.step.item()))
            w = chip.weights.flatten().double().numpy()
            rows += [(c, k, way, 5e-5 + 1e-5 * w[c]) for c in range(cells)]
            curve.append(w)
    return csv("cell,pulse,direction,conductance_siemens", rows), np.array(curve)


EVEN = dict(device_spread=0.0, cycle_spread=0.0, bounds_spread=0.0, asymmetry_spread=0.0, program_noise=0.0)


@pytest.mark.parametrize("pulses", [1, 7, 31])
def test_cells_recorded_from_soft_bounds_follow_the_same_pulse_curve(csv, pulses):
    n = 217
    file, curve = record(csv, n, cells=1, step=0.02, **EVEN)
    device = Measured(1, 1, seed=0, file=file, weight_max=1.0, program_noise=0.0, measured_noise=0.0)
    middle, half = (curve.max() + curve.min()) / 2, (curve.max() - curve.min()) / 2
    device.program(torch.full((1, 1, 1), -9.0))
    for sign, expected in ((1, curve[: n + 1]), (-1, curve[n + 1 :])):
        for k in range(pulses, n + 1, pulses):
            device.pulse(torch.full((1, 1, 1), sign * (pulses + 1e-3) * device.chip.step.item()))
            assert middle + half * device.weights.item() == pytest.approx(expected[k, 0], abs=2e-3)


def test_the_spread_of_cells_and_of_pulses_is_recovered(csv):
    cycle = 0.5
    even = dict(EVEN, device_spread=0.3, cycle_spread=cycle)
    file, _ = record(csv, 400, cells=30, step=0.02, **even)
    device = Measured(50, 400, seed=1, file=file, weight_max=1.0, program_noise=0.0)
    truth = ReRAM(50, 400, seed=2, preset="soft-bounds", weight_max=1.0, step=0.02, **even)
    unit = 50**-0.5
    moved = {}
    for name, chip, step in (("measured", device, device.chip.step), ("truth", truth, truth.step)):
        for at in (-0.5, 0.5):
            chip.program(torch.full((1, 400, 50), at * unit))
            before = chip.weights.clone()
            chip.pulse(torch.full((1, 400, 50), 1.001 * step.item() * unit))
            moved[name, at] = (chip.weights - before)[0] / unit
    for at in (-0.5, 0.5):
        got, true = moved["measured", at], moved["truth", at]
        # lognormal steps of 30 cells are off by 0.3 / sqrt(30) = 5 % in the mean, and by some 15 % in the spread
        assert got.mean().item() == pytest.approx(true.mean().item(), rel=0.2)
        assert got.std().item() == pytest.approx(true.std().item(), rel=0.3)


def test_rows_may_come_in_any_order(csv):
    file, _ = record(csv, 20, cells=3, step=0.05, cycle_spread=0.3)
    header, *rows = file.read_text().splitlines()
    np.random.default_rng(0).shuffle(rows)
    mixed = csv(header, [row.split(",") for row in rows], "mixed.csv")
    signed = [(c, k if way == "up" else f"-{k}", g) for c, k, way, g in (row.split(",") for row in rows) if k != "0"]
    signed += [(c, k, g) for c, k, way, g in (row.split(",") for row in rows) if (k, way) == ("0", "up")]
    signs = csv("cell,pulse,conductance_siemens", signed, "signed.csv")
    first, *others = (Measured(5, 4, seed=0, file=f).state_dict() for f in (file, mixed, signs))
    for other in others:
        assert all(torch.allclose(first[name], other[name], rtol=1e-6) for name in first)


CURVE, CELLS = "input,output", "pulse,conductance_siemens"
LINE = [(0, 0), (1, 1)]
BROKEN = {
    "unknown header": ("voltage,current", LINE, "a header of one of three kinds", "voltage, current", "Name the"),
    "one column": ("input_volts", [(1,)], "a header of one of three kinds", "input_volts", "Name the"),
    "no conductance": ("pulse,direction", [(1, "up")], "columns pulse and cond", "no column conductance_siemens", "Add"),
    "further column": ("input,output,kelvin", [(0, 0, 300)], "no columns but input, output", "kelvin", "Remove them"),
    "two copies": ("input,output,cell,device", [(0, 0, 1, 1)], "one column that tells", "cell and device", "Keep one"),
    "column twice": ("input,output,input", [(0, 0, 1)], "different names", "'input' more than once", "Remove or"),
    "no rows": (CURVE, [], "rows below the header", "the header alone", "Write one row"),
    "short row": (CURVE, [(0, 0), (1,)], "2 values in every row", "1 in line 3", "Separate them by commas"),
    "text": (CURVE, [(0, 0), (1, "much")], "a finite number in every row of output", "'much' in line 3", "Mend"),
    "NaN": (CURVE, [("nan", 0), (1, 1)], "a finite number in every row of input", "'nan' in line 2", "Mend"),
    "infinite": (CURVE, [(0, 0), (1, "inf")], "a finite number", "'inf' in line 3", "Mend"),
    "missing": (CURVE, [(0, 0), (1, "")], "a finite number", "nothing in line 3", "Mend"),
    "one point": (CURVE, [(0, 0), (0, 1)], "two different inputs or more", "one", "Measure more"),
    "flat": (CURVE, [(0, 2), (1, 2)], "outputs that differ", "2 everywhere", "Check its columns"),
    "no zero": (CURVE, [(1, 0), (2, 2)], "through the input at a sum of zero", "measured from 1 to 2", "input_zero"),
    "apart": ("neuron,input,output", [("a", 0, 0), ("a", 1, 1), ("b", 2, 0), ("b", 3, 1)], "a common range",
              "one starts at 2 and one ends at 1", "same range"),
    "negative": (CELLS, [(0, 1), (1, -2)], "conductances of 0 or more", "-2 in line 3", "sign"),
    "twice": (CELLS, [(0, 1), (1, 2), (1, 3)], "each pulse of a direction once", "pulse 1 in lines 3 and 4", "cell"),
    "left out": (CELLS, [(0, 1), (1, 2), (3, 3), (-1, 2)], "a row for every pulse", "2 of them from line 3 to line 4", "Record each"),
    "one way": (CELLS, [(0, 1), (1, 2), (2, 3)], "two pulses down or more", "none", "both directions"),
    "stuck": (CELLS, [(0, 1), (1, 1), (-1, 1)], "a conductance that changes", "1 S all along", "Check"),
    "turned round": (CELLS, [(0, 3), (1, 2), (2, 1), (-1, 2), (-2, 3)], "pulses up that on average move a cell up", "one that fell", "Swap"),
    "no direction": (f"direction,{CELLS}", [("upp", 1, 2)], "a direction of up or down", "'upp' in line 2", "Write up"),
    "both": (f"direction,{CELLS}", [("up", -1, 2)], "pulses without a sign", "-1 in line 2", "Remove the signs"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_in_three_clauses(csv, name):
    header, rows, expected, got, advice = BROKEN[name]
    with pytest.raises(ContractError) as refused:
        Measured(2, 2, seed=0, file=csv(header, rows))
    wanted, _, rest = str(refused.value).partition(". Got ")
    assert wanted.startswith("Expected ") and expected in wanted
    assert got in rest and advice in rest and "my.csv" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "got"), [(b"", "an empty file"), (b"# only a remark\n", "an empty"), (b"\xff\xfe1", "no text")]
)
def test_what_is_no_table_is_refused(tmp_path, text, got):
    (tmp_path / "my.csv").write_bytes(text)
    with pytest.raises(ContractError, match=got):
        Measured(2, 2, seed=0, file=tmp_path / "my.csv")
    with pytest.raises(ContractError, match="No such file or directory. Write its path as seen"):
        Measured(2, 2, seed=0, file=tmp_path / "yours.csv")


@pytest.mark.parametrize("told", [dict(weight_max=2.0), dict(family="relu"), dict(bit_serial=True)])
def test_curves_refuse_what_is_of_cells(csv, told):
    with pytest.raises(ContractError, match=f"Remove {next(iter(told))}"):
        Measured(2, 2, seed=0, file=csv(CURVE, LINE), **told)


@pytest.mark.parametrize(
    "told", [dict(input_zero=0.1), dict(output_full_scale=1.0), dict(outside="hold"), dict(verify_pulses=8)]
)
def test_cells_refuse_what_is_of_curves(csv, told):
    rows = [(0, 1), (1, 2), (2, 3), (-1, 2), (-2, 1)]
    with pytest.raises(ContractError, match=f"Remove {next(iter(told))}"):
        Measured(2, 2, seed=0, file=csv(CELLS, rows), **told)


@pytest.mark.parametrize(
    ("told", "got"), [(dict(outside="hold"), "nothing lies outside"), (dict(measured_noise=1.0), "one each")]
)
def test_a_setting_that_would_do_nothing_is_refused(csv, told, got):
    with pytest.raises(ContractError, match=got):
        Measured(2, 2, seed=0, file=csv(CURVE, LINE), **told)


def test_pulses_may_be_numbered_through_and_swept_again(csv):
    once = [(k, "down", 9.0 - k) for k in range(1, 6)] + [(k, "up", k - 1.0) for k in range(6, 11)]
    again = [(f"a,{k}", way, g) for k, way, g in once] + [(f"b,{k}", way, g) for k, way, g in once]
    one = Measured(2, 2, seed=0, file=csv("pulse,direction,conductance_siemens", once))
    two = Measured(2, 2, seed=0, file=csv("cycle,pulse,direction,conductance_siemens", again, "two.csv"))
    for device in (one, two):
        assert device.chip.pulses.steps == pytest.approx(0.2) and device.chip.pulses.noise == pytest.approx(0.0)


def test_a_datasheet_says_where_its_numbers_come_from(csv):
    rows = [(0, 1e-6), (1, 2e-6), (2, 3e-6), (-1, 2e-6), (-2, 1e-6)]
    sheet = Measured(10, 2, seed=0, file=csv(CELLS, rows)).datasheet
    assert sheet.source == "my.csv: measured cells 1, 1e-06 to 3e-06 siemens on average"
    at_full_scale = 10 * 2 * 0.2**2 * 2e-6 * 100e-9
    assert sheet.signal_joules == pytest.approx(at_full_scale / 8**2, rel=1e-9, abs=0)  # 1 of a full scale of 8


def _noted(device):
    return device.datasheet.source.split("; ", 2)[2:]


def test_overload_marks_are_no_readings_and_said_to_be_left_out(csv):
    plain = [(-1, 0.0), (0, 0.25), (1, 1.0)]
    file = csv("input,output", [(-3, -9.9e37), (-2, 9.91e37), *plain, (2, 9.9e37), (9.9e37, 1.0)])
    device = Measured(1, 1, seed=0, file=file, **BARE)
    clean = Measured(1, 1, seed=0, file=csv("input,output", plain, "clean.csv"), **BARE)
    sums = np.linspace(-4, 4, 33)
    assert torch.equal(answers(device, sums), answers(clean, sums))
    assert (device.datasheet.output_max, clean.datasheet.output_max) == (1.0, 1.0)
    assert _noted(device) == ["overload readings left out 4"] and not _noted(clean)


@pytest.mark.parametrize(
    "header, rows, said",
    [
        (
            "input,output",
            [(-1, 0), (0, 9.9e37), (1, 1)],
            "Expected overloads at the ends of a sweep only in my.csv. Got an overload mark in line 3, between "
            "readings on both sides. Measure there in a wider range.",
        ),
        (
            "input,output",
            [(-1, 9.9e37), (0, -9.9e37)],
            "Expected readings in my.csv. Got overload marks alone, 2 of them. Measure in a wider range.",
        ),
        (
            "pulse,conductance_siemens",
            [(0, 1e-6), (1, 9.9e37), (2, 3e-6)],
            "Expected a reading after every pulse in my.csv. Got an overload mark in line 3. Measure in a wider range.",
        ),
    ],
)
def test_overloads_that_leave_a_hole_are_refused(csv, header, rows, said):
    with pytest.raises(ContractError) as refused:
        Measured(2, 2, seed=0, file=csv(header, rows))
    assert str(refused.value) == said


def test_set_points_read_back_with_jitter_are_one_input_each(csv):
    """Unmerged, noise over a step of microvolts is a wild slope, and no two samples tell what the noise is."""
    random, points, n = np.random.default_rng(3), np.linspace(-0.5, 0.5, 21), 40
    volts = np.repeat(points, n) + 2e-6 * random.standard_normal(21 * n)
    amperes = 0.5 + np.repeat(points, n) + 0.01 * random.standard_normal(21 * n)
    file = csv("input_volts,output_amperes", zip(volts, amperes, strict=True))
    device = Measured(1, 200, seed=0, file=file, output_full_scale=1.0, **BARE)
    still = Measured(1, 1, seed=0, file=file, output_full_scale=1.0, measured_noise=0.0, **BARE)
    assert len(device.chip.breaks) == 21
    between = np.linspace(-3.9, 3.9, 200)  # a sum of 4 is 0.5 V
    off = answers(still, between).flatten().double().numpy() - (0.5 + between / 8)
    assert np.abs(off).max() < 5 * 0.01 / n**0.5
    noise = answers(device, np.zeros(100)).std().item()
    assert noise == pytest.approx(0.01, rel=0.1)  # 20 points of the noise, each known to 16 % at worst
    (note,) = _noted(device)
    assert note.startswith("set points 21, read back within 1") and note.endswith("e-05 and merged")


@pytest.mark.parametrize(
    "inputs",
    [
        [0, 1e-6, 1e-3, 1.0],
        [-1.0, -1e-3, -1e-6, 0, 1e-6, 1e-3, 1.0],
        [-1.0, -0.99, 0, 0.01, 0.98, 1.0],
        list(np.logspace(-6, 0, 7)) + [0],
        list(np.linspace(-1, 1, 2001)),
    ],
)
def test_inputs_that_were_meant_to_be_near_are_kept_apart(csv, inputs):
    rows = [(x, (x + 1) / 2) for x in inputs]
    device = Measured(1, 1, seed=0, file=csv("input,output", rows), **BARE)
    assert len(device.chip.breaks) == len(inputs) and not _noted(device)
