"""The public conformance suite over everything exported, and each of its variants."""

import pytest

from analogff.device import check_device
from hardware_models.array.presets import RERAM
from hardware_models.effects.nonlinearity import FAMILIES
from hardware_models.generic.coupled import Coupled
from hardware_models.generic.random_curves import RandomCurves
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.ecram import ECRAM
from hardware_models.memory_cells.floating_gate import FloatingGate
from hardware_models.memory_cells.mram import MRAM
from hardware_models.memory_cells.pcm import PCM
from hardware_models.memory_cells.reram import ReRAM
from hardware_models.neuron_circuits.p_bit import PBit
from hardware_models.photonics.saturable_absorber import SaturableAbsorber
from tests.helpers.devices import EXPORTED

VARIANTS = [(Unknown, {"weight_noise": 0.1, "write_noise": 0.1}), (Unknown, {"prints": "nothing"})]
VARIANTS += [(Unknown, {"family": "non-monotone"}), (ReRAM, {"endurance_cycles": 10.0})]
VARIANTS += [(PCM, {"compensation": "column", "temperature_kelvin": 320.0}), (Coupled, {"place": "behind"})]
MORE = [(Unknown, {"family": family}) for family in FAMILIES if family != "non-monotone"]
MORE += [(ReRAM, {"preset": preset}) for preset in RERAM] + [(ECRAM, {"preset": "metal-oxide"})]
MORE += [(MRAM, {"bits": 1, "write_volts": 0.52}), (PCM, {"compensation": "global"}), (PBit, {"samples": 1})]
MORE += [(FloatingGate, {"temperature_kelvin": 400.0}), (RandomCurves, {"prints": "nothing"})]
MORE += [(SaturableAbsorber, {"absorber": "deep"})]
"""Other numbers for the same code."""
SLOW = [pytest.param(*variant, marks=pytest.mark.slow) for variant in MORE]


@pytest.mark.parametrize("model, parameters", [*((model, {}) for model in EXPORTED), *VARIANTS, *SLOW])
def test_a_device_honors_the_contract(model, parameters):
    report = check_device(model, **parameters)
    assert report.passed, "\n".join(report.lines())
