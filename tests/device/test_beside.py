"""Parameters that act only beside others: refused alone, and accepted where nothing is on yet."""

from typing import Annotated

import pytest
import torch

from analogff.device import Beside, ContractError
from analogff.device.beside import idle
from hardware_models.array.periphery import with_periphery
from hardware_models.generic.faulty import faulty
from hardware_models.generic.unknown import Unknown
from tests.hardware_models.array.test_periphery import Sheet

HINTS = {"reads": Annotated[int | None, Beside("noise", "jump")], "noise": float}


@pytest.mark.parametrize(
    "told, defaults, refused",
    [
        (dict(reads=8), dict(reads=None, noise=0.0), True),
        (dict(reads=None), dict(reads=None, noise=0.0), False),
        (dict(reads=torch.tensor([8.0])), dict(reads=None, noise=0.0), True),
        (dict(reads=8, noise=0.0), dict(reads=None, noise=0.0), False),
        (dict(reads=8, jump="no"), dict(reads=None, jump="no"), False),
        (dict(reads=8), dict(reads=None, noise=0.1), False),
        (dict(reads=8), dict(reads=8, noise=0.0), False),
    ],
)
def test_only_what_is_told_alone_is_idle(told, defaults, refused):
    assert idle(told, HINTS, defaults) == ({"reads": ("noise", "jump")} if refused else {})


def test_a_device_made_by_hand_refuses_it_in_three_clauses():
    said = "Expected telegraph_noise beside trap_reads, which does nothing alone. Got trap_reads = 16 alone. "
    with pytest.raises(ContractError) as refused:
        Unknown(4, 3, seed=0, trap_reads=16)
    assert str(refused.value) == said + "Add telegraph_noise, or leave trap_reads out."
    with pytest.raises(ContractError, match="dead_columns or warming_kelvin or supply_sag or swapped beside at_write"):
        faulty(Unknown)(4, 3, seed=[0], at_write=5)
    with pytest.raises(ContractError, match="Got adc_kind = ramp alone"):
        faulty(Unknown)(4, 3, seed=[0], dead_columns=0.1, adc_kind="ramp")
    Unknown(4, 3, seed=0, trap_reads=16, telegraph_noise=0.0)
    noisy = with_periphery(telegraph_noise=0.1)(type("Sheet", (Sheet,), {"__doc__": Sheet.__doc__}))
    noisy(4, 3, seed=0, trap_reads=16)  # on by default
