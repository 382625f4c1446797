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

VARIANTS = [(Unknown, {"family": family}) for family in FAMILIES]
VARIANTS += [(ReRAM, {"preset": preset}) for preset in RERAM]
VARIANTS += [(ECRAM, {"preset": "metal-oxide"}), (MRAM, {"bits": 1, "write_volts": 0.52})]
VARIANTS += [(Unknown, {"weight_noise": 0.1, "write_noise": 0.1}), (ReRAM, {"endurance_cycles": 10.0})]
VARIANTS += [(PCM, {"compensation": "global"}), (PCM, {"compensation": "column", "temperature_kelvin": 320.0})]
VARIANTS += [(FloatingGate, {"temperature_kelvin": 400.0}), (PBit, {"samples": 1})]
VARIANTS += [(Coupled, {"place": "behind"}), (Unknown, {"prints": "nothing"}), (RandomCurves, {"prints": "nothing"})]
VARIANTS += [(SaturableAbsorber, {"absorber": "deep"})]


@pytest.mark.parametrize("model, parameters", [(model, {}) for model in EXPORTED] + VARIANTS)
def test_a_device_honors_the_contract(model, parameters):
    report = check_device(model, **parameters)
    assert report.passed, "\n".join(report.lines())
