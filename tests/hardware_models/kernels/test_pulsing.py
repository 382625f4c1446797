"""Compiled pulses against the equations of the cells, carried out one after another, bit by bit."""

import pytest
import torch

from hardware_models.array.presets import ECRAM, RERAM
from hardware_models.memory_cells.capacitor import Capacitor
from hardware_models.memory_cells.ecram import ECRAM as Electrochemical
from hardware_models.memory_cells.floating_gate import FloatingGate
from hardware_models.memory_cells.pcm import PCM
from hardware_models.memory_cells.reram import ReRAM

ARRAYS = {
    **{name: (ReRAM, dict(preset=name)) for name in RERAM},
    **{name: (Electrochemical, dict(preset=name)) for name in ECRAM},
    "no slopes": (Electrochemical, dict(slope_up=0.0, slope_down=0.0, slope_spread=0.0)),
    "quiet": (ReRAM, dict(cycle_spread=0.0)),
    "capacitor": (Capacitor, {}),
    "floating gate": (FloatingGate, {}),
}
SIZES = [(13, 7), (97, 41), (1, 5), (5, 1)]
SEEDS = [3, 2**40 + 1]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def asked(chip, writes=12):
    """Yield changes of every size: much less than a step, some trains at once, none for rows and for whole chips."""
    generator = torch.Generator().manual_seed(0)
    most = chip.datasheet.change_max
    for number in range(writes):
        change = torch.randn(chip.weights.shape, generator=generator) * most * 4.0 ** (-(number % 6)) * 2
        if number % 3 == 1:
            change[:, ::2] = 0
        if number % 4 == 2:
            change[1] = 0
        yield -0.0 * change if number == 7 else change


def plainly(chip, change):
    """Pulse a bank chip by chip, by the equations as they are carried out without a compiler."""
    spent = [chip._pulse(slice(c, c + 1), change[c : c + 1]) for c in range(len(change))]
    chip.writes += (change != 0).flatten(1).any(1)
    return torch.cat(spent)


def assert_same(fast, slow):
    for (name, one), (_, other) in zip(fast.named_buffers(), slow.named_buffers(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ARRAYS)
def test_cells_land_where_their_equations_say(name, size):
    model, parameters = ARRAYS[name]
    fast, slow = (model(*size, seed=SEEDS, **parameters) for _ in range(2))
    for change in asked(fast):
        assert torch.equal(fast.pulse(change), plainly(slow, change))
        assert_same(fast, slow)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        dict(restart="program"),
        dict(compensation="column", step=0.03),
        dict(temperature_kelvin=torch.tensor([300.0, 320.0])),
        dict(bounds_spread=0.4, program_noise=3.0, cycle_spread=2.0),
    ],
)
def test_pairs_grow_and_are_refreshed_as_their_equations_say(parameters, size):
    fast, slow = (PCM(*size, seed=SEEDS, **parameters) for _ in range(2))
    refreshed = 0
    for number, change in enumerate(asked(fast, writes=24)):
        if number % 5 == 4:
            for chip in (fast, slow):
                chip.wait(100.0 * number)
        spent = fast.pulse(change)
        assert torch.equal(spent, plainly(slow, change))
        refreshed += int((spent > 31 * change[0].numel() / 2).any())
        assert_same(fast, slow)
    assert refreshed or size in SIZES[2:]
