"""Statistics of cells against aihwkit's, where it is installed; outside the default run."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from hardware_models.effects import drift, read_noise, write
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.pcm import PCM
from hardware_models.memory_cells.reram import ReRAM

pytestmark = pytest.mark.slow
CELLS = 40_000
CONDUCTANCES = [0.1, 0.3, 0.5, 0.7, 0.95]
SECONDS = [1.0, 60.0, 3600.0, 86400.0, 2.6e6]
UNLIKELY = 1e-4


@pytest.fixture
def phase_change():
    """Return aihwkit's phase-change cells, with conductances in units of the greatest one."""
    pytest.importorskip("aihwkit")
    from aihwkit.inference.noise.pcm import PCMLikeNoiseModel

    torch.manual_seed(0)
    return PCMLikeNoiseModel(g_max=1.0)


@pytest.fixture
def resistive():
    """Return aihwkit's fit to Wan et al., its conductances in microsiemens."""
    pytest.importorskip("aihwkit")
    from aihwkit.inference.noise.reram import ReRamWan2022NoiseModel

    torch.manual_seed(0)
    return ReRamWan2022NoiseModel(g_max=40.0)


@pytest.fixture
def torch_tile():
    """Return a layer of aihwkit's torch tile, with fixed ranges, noise of outputs, and no ADC."""
    configs, nn = (pytest.importorskip(f"aihwkit.{name}") for name in ("simulator.configs", "nn"))
    from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType

    torch.manual_seed(0)
    config = configs.TorchInferenceRPUConfig()
    forward = config.forward
    forward.inp_res, forward.out_res, forward.inp_bound, forward.out_bound = 1 / (2**7 - 2), -1, 8.0, 1e3
    forward.out_noise = 0.06
    forward.noise_management, forward.bound_management = NoiseManagementType.NONE, BoundManagementType.NONE
    return nn.AnalogLinear(32, 8, bias=False, rpu_config=config).eval()


def _programmed(g, **off):
    chip = PCM(200, CELLS // 200, seed=0, **off)
    chip.program(torch.full_like(chip.weights, g * chip.unit.item()))
    return chip


def _alike(ours, theirs):
    return ks_2samp(ours.double().flatten().numpy(), theirs.double().flatten().numpy()).pvalue > UNLIKELY


@pytest.mark.parametrize("g", CONDUCTANCES)
def test_programmed_phase_change_cells_are_distributed_as_theirs(phase_change, g):
    ours = _programmed(g).programmed[:, : CELLS // 200]
    theirs = phase_change.apply_programming_noise_to_conductance(torch.full((CELLS,), g))
    assert _alike(ours, theirs)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("g", CONDUCTANCES)
def test_drifted_phase_change_cells_are_distributed_as_theirs(phase_change, g, seconds):
    chip = _programmed(g, program_noise=0.0)
    chip.wait(seconds)
    nu, fresh = phase_change.generate_drift_coefficients(torch.full((CELLS,), g)), torch.full((CELLS,), g)
    phase_change.read_noise_scale = 0.0
    assert _alike(chip.drifted[:, : CELLS // 200], phase_change.apply_drift_noise_to_conductance(fresh, nu, seconds))


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("g", CONDUCTANCES)
def test_their_read_noise_is_ours_at_a_time_that_counts_from_the_write(phase_change, g, seconds):
    """Theirs adds the 20 s between the write and their first read to the time; after minutes that is nothing."""
    fresh = torch.full((CELLS,), g, dtype=torch.float64)
    theirs = phase_change.apply_drift_noise_to_conductance(fresh, torch.zeros_like(fresh), seconds)
    ours = g * read_noise.flicker(fresh[0], torch.tensor(seconds + drift.START_SECONDS)).item()
    assert abs(theirs.std().item() / ours - 1) < 4 / math.sqrt(2 * CELLS)
    shorter = read_noise.flicker(fresh[0], torch.tensor(seconds)) / read_noise.flicker(
        fresh[0], torch.tensor(seconds + 20.0)
    )
    assert 0.9 < shorter < 1 and (seconds < 3600 or shorter > 0.999)


@pytest.mark.parametrize("seconds", [1.0, write.DAY_SECONDS, 2 * write.DAY_SECONDS])
@pytest.mark.parametrize("g", CONDUCTANCES)
def test_the_errors_of_resistive_cells_are_as_large_as_theirs(resistive, g, seconds):
    """Ours clips at a cell's bounds and relaxes in a direction of its own; so bounds are out of the way."""
    target = torch.full((CELLS,), 40 * g, dtype=torch.float64)
    theirs = resistive.apply_drift_noise_to_conductance(target, target, seconds) / 40 - g
    chip = ReRAM(200, CELLS // 200, seed=0, bounds_spread=0.0)
    chip.upper, chip.lower = 2 * chip.upper, 2 * chip.lower
    chip.program(torch.full_like(chip.weights, g) * chip.unit)
    landed = (chip.weights / chip.unit - g).double()
    law = write.programming_error(torch.tensor(g), write.WAN_2022, write.WAN_GMAX).square()
    grown = write.relaxation(torch.tensor(g), torch.tensor(seconds)).square()
    middle = np.quantile(theirs.numpy(), [0.1587, 0.8413])  # by quantiles: theirs ends at zero
    deviation, slack = (middle[1] - middle[0]) / 2, 4 * 1.3 / math.sqrt(2 * CELLS)
    assert abs(deviation / math.sqrt(law + grown) - 1) < slack
    if seconds == 1.0:
        assert abs(landed.std().item() / deviation - 1) < 2 * slack


def test_a_read_of_their_torch_tile_has_the_distribution_of_ours(torch_tile):
    """Same weights and inputs; their 7 bits are for both signs, so that ours of one sign have 6, and the same steps."""
    n_in, reads = 32, 5000
    exact = dict(family="relu", mismatch=0.0, curve_spread=0.0, adc_bits=0)
    chip = Unknown(n_in, 8, seed=0, **exact, dac_bits=6, read_noise=0.06)
    weights = (chip.weights[0] / 4).clamp(-1, 1)
    chip.program(weights[None])
    torch_tile.set_weights(weights)
    x = 2 * torch.rand(n_in, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        theirs = torch_tile(x.expand(reads, -1)).double()
    middle = 4 - weights @ x  # so that our rectifiers and their range cut nothing off
    ours = (chip(x.expand(1, reads, -1), middle)[0] - middle).detach().double()
    for column in range(8):
        assert _alike(ours[:, column], theirs[:, column])
    sums = (weights @ (x / (8 / 63)).round() * (8 / 63)).double()
    for seen in (ours, theirs):
        assert abs((seen - sums).std().item() / 0.06 - 1) < 4 / math.sqrt(2 * 8 * reads)
