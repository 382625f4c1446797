"""What is printed, told and allowed, against what acts: ranges, bounds, means, and numbers that are none."""

import inspect
import math
import typing

import numpy as np
import pytest
import torch
from annotated_types import Le

from analogff.device import ContractError, fabricate
from analogff.study.read.spec import read_study
from analogff.support.mistakes import StudyError
from hardware_models.array.pulsed_cells import PulsedArray
from hardware_models.effects import nodal, wires
from hardware_models.generic.coupled import Coupled
from hardware_models.generic.faulty import faulty
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.reservoir import Reservoir
from hardware_models.generic.unknown import Unknown
from hardware_models.kernels import normal
from hardware_models.measured_data.measured import Measured
from hardware_models.memory_cells.capacitor import Capacitor
from hardware_models.memory_cells.ecram import ECRAM
from hardware_models.memory_cells.floating_gate import FloatingGate
from hardware_models.memory_cells.mram import MRAM
from hardware_models.memory_cells.pcm import PCM
from hardware_models.memory_cells.reram import ReRAM
from hardware_models.neuron_circuits.p_bit import PBit
from hardware_models.photonics.mzi_mesh import MZIMesh
from tests.helpers.devices import EXPORTED, FLAWLESS, MEASURED_CELLS, inputs

STEPPED = {ReRAM: "step", ECRAM: "step", Capacitor: "step", FloatingGate: "step_volts", PCM: "step"}
STATES = [(MRAM, {}), (MZIMesh, {}), (Unknown, {"weight_bits": 4})]
COUPLED = (Coupled, Reservoir)
"""Devices of whose neurons each hears of others."""
ARRAYS = [model for model in EXPORTED if "wire_ohm" in inspect.signature(model.__init__).parameters]


def _silent(chips, sums):
    return torch.zeros(chips, sums, 3)


# --- the printed range is the range that acts


@pytest.mark.parametrize("model", [model for model in FLAWLESS if model is not Ideal])
def test_outputs_end_where_the_printed_range_ends_and_not_before(model):
    device = fabricate(model, 3, 2, seeds=[0, 1], parameters=FLAWLESS[model])
    sheet, sums = device.datasheet, torch.linspace(-300, 300, 6001)[None, :, None]
    y = device(_silent(2, 6001), sums)
    printed = sheet.neuron(sums.double()).clamp(sheet.output_min, sheet.output_max)
    span = sheet.output_max - sheet.output_min
    for found, wanted in ((y.min(), printed.min()), (y.max(), printed.max())):
        assert found.item() == pytest.approx(wanted.item(), abs=1e-3 * span)


@pytest.mark.parametrize("model", EXPORTED)
def test_inputs_act_up_to_the_ends_of_the_printed_range_and_no_further(model):
    sheet = fabricate(model, 5, 4, seeds=[0], parameters={}).datasheet
    if sheet.input_max is None:
        return
    values = [sheet.input_min - 1, sheet.input_min, 0.9 * sheet.input_max, sheet.input_max, 2 * sheet.input_max]
    below, least, inside, most, above = (
        fabricate(model, 64, 20, seeds=[0], parameters={})(torch.eye(64)[None, :1] * v) for v in values
    )
    assert torch.equal(below, least) and torch.equal(most, above) and not torch.equal(inside, most)


@pytest.mark.parametrize("curve", [np.tanh, lambda x: np.tanh(x) - 2, lambda x: -np.cosh(x)])
def test_measured_curves_are_read_where_they_are_negative(tmp_path, curve):
    x = np.linspace(-3, 3, 61)
    rows = [f"{a},{b}" for a, b in zip(x, curve(x), strict=True)]
    (tmp_path / "my.csv").write_text("\n".join(["input,output", *rows]))
    device = Measured(3, 2, seed=0, file=tmp_path / "my.csv", adc_bits=12, read_noise=0.0)
    y = device(_silent(1, 61), torch.tensor(x, dtype=torch.float32)[None, :, None]).detach().double().numpy()
    sheet = device.datasheet
    step = (sheet.output_max - sheet.output_min) / (2**12 - 1)
    assert np.abs(y - curve(x)[None, :, None].clip(max=sheet.output_max)).max() < 0.5 * step + 1e-5
    assert sheet.output_min == pytest.approx(curve(x).min())
    most = curve(x).max() - step if curve(x).max() > 0 else 0.0  # two's complement; no code for what never comes
    assert sheet.output_max == pytest.approx(most)


@pytest.mark.parametrize("bits", [1, 3, 8])
@pytest.mark.parametrize("errors", [{}, dict(adc_gain_error=1e-9), dict(adc_inl_lsb=1e-6)])
@pytest.mark.parametrize("full_scale", [None, 0.7])
def test_silence_of_neurons_of_both_signs_is_read_as_0(tmp_path, bits, errors, full_scale):
    """A grid from end to end of -A to A has an even number of codes, and none for 0: silence would be half a step."""
    (tmp_path / "my.csv").write_text("input,output\n-2,-3\n0,0\n2,3\n")
    told = dict(file=tmp_path / "my.csv", adc_bits=max(2, bits) if "adc_inl_lsb" in errors else bits, **errors)
    device = Measured(3, 2, seed=[0, 1], output_full_scale=full_scale, **told)
    assert device(_silent(2, 4)).abs().max() < 1e-6
    among = Measured(3, 2, seed=[0, 1], **told | dict(adc_bits=torch.tensor([told["adc_bits"], 12])))
    assert among(_silent(2, 4)).abs().max() < 1e-6


@pytest.mark.parametrize("bits", [1, 4])
def test_codes_of_both_signs_are_as_many_as_the_resolution_allows(tmp_path, bits):
    (tmp_path / "my.csv").write_text("input,output\n-2,-3\n0,0\n2,3\n")
    y = Measured(3, 1, seed=0, file=tmp_path / "my.csv", adc_bits=bits)(
        _silent(1, 401), torch.linspace(-2, 2, 401)[:, None]
    )
    steps = 2.0**bits * y.unique() / 6  # the full scale is 3
    assert torch.allclose(steps, torch.arange(-(2.0 ** (bits - 1)), 2.0 ** (bits - 1)), atol=1e-5)


# --- every write ends inside a cell's own bounds


def _outside(chip):
    """Return by how much the worst cell is out of its bounds, over a cell's range."""
    if isinstance(chip, PCM):
        cells = [chip.drifted - chip.bounds, chip.programmed - chip.bounds, -chip.drifted]
    else:
        cells = [(chip.weights - chip.upper) / chip.unit, (chip.lower - chip.weights) / chip.unit]
    return max(part.max().item() for part in cells)


@pytest.mark.parametrize("model", [*STEPPED, MEASURED_CELLS])
def test_no_way_to_change_a_cell_leaves_its_bounds(model):
    """The programming error of full cells is large, and a refreshed PCM pair is nearly full again at once."""
    loud = dict(program_noise=20.0) | ({"endurance_cycles": 100.0} if model is ReRAM else {})
    device = fabricate(model, 13, 7, seeds=[0, 1], parameters=loud)
    chip = getattr(device, "chip", device)
    assert isinstance(chip, (PCM, PulsedArray)) and _outside(chip) <= 1e-6
    full = torch.full_like(chip.weights, 1e3)
    for write in (chip.pulse, chip.program):
        for sign in (1, 1, 1, -1):
            write(sign * full)
            assert _outside(chip) <= 1e-6
            chip.wait(1e3)
            assert _outside(chip) <= 1e-6
            chip.pulse(sign * 0.01 * full)
            assert _outside(chip) <= 1e-6


def test_phase_change_cells_that_are_pulsed_for_ever_do_not_grow_beyond_their_own_maximum():
    chip = PCM(20, 20, seed=0)
    for _ in range(300):
        chip.pulse(torch.full_like(chip.weights, 31 * 0.01 * chip.unit.item()))
    assert _outside(chip) <= 0
    assert (chip.weights / chip.unit).max() <= chip.bounds.max() < 1.5


# --- a mean is a mean


@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize("model", STEPPED)
def test_the_mean_step_is_the_one_that_was_told(model, spread):
    chip = model(100, 200, seed=0, device_spread=spread, **{STEPPED[model]: 0.004})
    steps = chip.steps if model is PCM else (chip.step_up + chip.step_down) / 2 / chip.unit
    share = steps.double() / 0.004
    deviation = math.sqrt(math.expm1(spread**2) / share.numel())  # of a mean of lognormals of mean 1
    assert abs(share.mean().item() - 1) < 4 * deviation + 1e-3
    logs = share.log()
    assert logs.median().item() == pytest.approx(-(spread**2) / 2, abs=5 * spread / share.numel() ** 0.5 + 1e-3)


# --- numbers that are none


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("model, parameters", STATES)
def test_cells_that_have_states_refuse_what_has_none_and_stay_as_they_are(model, parameters, wrong):
    chip = model(13, 7, seed=[0, 1], **parameters)
    before = {name: value.clone() for name, value in chip.state_dict().items()}
    asked = torch.zeros_like(chip.weights)
    asked[1, 2, 3] = wrong
    for write, what in ((chip.pulse, "changes"), (chip.program, "weights")):
        with pytest.raises(ContractError, match=f"Expected finite {what}, .* Got 1 of 182 that are NaN .* Lower the"):
            write(asked)
    assert all(torch.equal(value, before[name]) for name, value in chip.state_dict().items())


@pytest.mark.parametrize("model", [model for model in EXPORTED if model not in (MRAM, MZIMesh)])
def test_undefined_inputs_and_weights_are_not_taken_for_silence(model):
    device, x = fabricate(model, 13, 7, seeds=[0], parameters={}), inputs(1, 5, 13)
    x[0, 2, 3] = math.nan
    assert device(x)[0].isnan().any(1).tolist() == [False, False, True, False, False]
    change = torch.zeros(1, 7, 13)
    change[0, 4, 5] = math.nan
    device.pulse(change)
    lost = device(inputs(1, 2, 13)).isnan().any(1)[0]
    assert lost[4] and (model in COUPLED or lost.sum() == 1)


def test_bits_of_an_undefined_probability_are_undefined():
    chip = PBit(4, 3, seed=[0])
    assert chip(torch.ones(1, 2, 4), torch.tensor([0.0, math.nan, 0.0])).isnan()[0, 0].tolist() == [False, True, False]


def _numbers(model):
    """Yield each parameter that is a number, and its greatest value; None without one."""
    for name, hint in typing.get_type_hints(model.__init__, include_extras=True).items():
        if not set(inspect.signature(model.__init__).parameters) >= {name} or name in ("n_in", "n_out", "seed"):
            continue
        parts = [hint, *typing.get_args(hint), *(p for part in typing.get_args(hint) for p in typing.get_args(part))]
        if any(part is float for part in parts):
            yield name, next((part.le for part in parts if isinstance(part, Le)), None)


@pytest.mark.parametrize("model", [*EXPORTED, faulty(ReRAM)])
def test_no_parameter_is_undefined_infinite_or_beyond_its_limit(model):
    for name, most in _numbers(model):
        beyond = [] if most is None else [1.01 * most]
        for wrong in (math.nan, math.inf, torch.tensor([0.1, math.nan]), *beyond):
            with pytest.raises(
                ContractError, match=rf"^Expected {name} (as a finite number|of at most|below)\b.*\. Got"
            ):
                fabricate(model, 5, 4, seeds=[0, 1], parameters={name: wrong})


@pytest.mark.parametrize("model", [*EXPORTED, faulty(ReRAM)])
def test_every_default_may_be_told(model):
    told = inspect.signature(model.__init__).parameters.values()
    parameters = {p.name: p.default for p in told if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}
    fabricate(model, 5, 4, seeds=[0, 1], parameters=parameters)


def test_mistakes_in_parameters_are_told_in_three_clauses():
    told = {
        "mismatch": (50.0, "Expected mismatch of at most 3. Got 50.0. Give one that the model allows."),
        "read_noise": (-1, "Expected read_noise of at least 0. Got -1. Give one that the model allows."),
        "input_max": ("8", "Expected input_max as a finite number. Got '8'. Give a number, or leave it out."),
        "family": ("rectifier", "Expected family to be one of saturating, softplus, exponential, sigmoid, "),
    }
    for name, (value, said) in told.items():
        with pytest.raises(ContractError) as refused:
            Unknown(4, 3, seed=0, **{name: value})
        assert str(refused.value).startswith(said)


@pytest.mark.parametrize("model", EXPORTED)
def test_the_widest_spreads_leave_numbers(model):
    for name, most in _numbers(model):
        if most == 3 and ("spread" in name or name == "mismatch"):
            device = fabricate(model, 30, 40, seeds=[0], parameters={name: most})
            assert device(inputs(1, 5, 30)).isfinite().all(), name
            assert all(value.isfinite().all() for key, value in device.named_buffers() if key in ("gain", "copy"))


# --- wires, where their model holds


def _off(n_in, n_out, ohm, siemens):
    """Return by how much signed sums through wires are off, over their spread."""
    conductance = normal(torch.tensor([0]), 0, n_out, n_in, 1).double() * siemens * math.sqrt(math.pi / 2)
    cells = torch.stack([conductance.clamp(min=0), (-conductance).clamp(min=0)], 2).flatten(1, 2)
    volts = torch.rand(4, n_in, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    exact = torch.from_numpy(nodal.currents(cells[0].numpy(), volts.numpy(), ohm))
    off = wires.currents(cells, volts[None], torch.tensor(ohm, dtype=torch.float64))[0] - exact
    return (off[:, ::2] - off[:, 1::2]).square().mean().sqrt() / (volts @ conductance[0].T).square().mean().sqrt()


@pytest.mark.parametrize("n_in, n_out", [(64, 32), (100, 12)])
def test_the_limit_of_wires_is_where_sums_are_off_by_a_few_percent(n_in, n_out):
    at_most = wires.MOST_DROP / wires.farthest_drop(n_in, n_out, 1.0, 1e-5)
    assert _off(n_in, n_out, at_most, 1e-5) < 0.03
    assert _off(n_in, n_out, 4 * at_most, 1e-5) > 0.04


def test_the_farthest_drop_is_that_of_an_array_of_typical_cells():
    cells = torch.full((1, 2 * 6, 9), 0.5e-5, dtype=torch.float64)
    greatest = wires.relative_drop(cells, torch.tensor(3.0)).max().item()
    assert wires.farthest_drop(9, 6, 3.0, 1e-5) == pytest.approx(greatest, rel=1e-12)


@pytest.mark.parametrize("model", [*ARRAYS, faulty(ReRAM)])
def test_wires_that_are_too_long_are_refused_before_a_study_runs(model):
    model.check_size(784, 128)
    with pytest.raises(
        ContractError, match=r"Expected wires that lose little, .* 784 rows and 128 outputs. Lower wire"
    ):
        model.check_size(784, 128, wire_ohm=10.0)
    with pytest.raises(ContractError, match="Expected wires that lose little"):
        model(784, 128, seed=0, wire_ohm=10.0)


def test_chips_of_a_bank_may_differ_in_their_wires_and_short_tiles_lose_little():
    ohms = torch.tensor([0.0, 10.0])
    ReRAM.check_size(784, 16, wire_ohm=ohms, rows_per_tile=64)
    with pytest.raises(ContractError, match="Got 12 with wire_ohm=10 in an array of 784 rows and 16 outputs"):
        ReRAM.check_size(784, 16, wire_ohm=ohms)


def test_a_study_with_wires_that_are_too_long_says_what_would_do(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        'name = "w"\ndataset = "digits"\nlayers = [64, 64]\nepochs = 1\nchips = 1\ntrain_images = 500\n'
        'validation_images = 200\n[device]\nmodel = "reram"\nwire_ohm = 30.0\n[[rule]]\nname = "forward-forward"\n'
    )
    with pytest.raises(StudyError, match="wires that lose little.*Lower wire_ohm to [0-9.]+, split rows"):
        read_study(file)
    assert read_study(file, ["device.wire_ohm=10"])
