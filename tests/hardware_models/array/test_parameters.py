"""Parameters that are off by default: each of every device changes what is read once it is on.

`analogff check` tries parameters that have a number by default, and cannot know what to try in place of 0 or None.
"""

import inspect

import pytest
import torch

from analogff.device import fabricate
from hardware_models.measured_data.measured import Measured
from tests.helpers.devices import EXPORTED, inputs, trace

TILED = dict(rows_per_tile=3)
OTHERWISE = {
    "adc_gain_error": 0.1,
    "adc_inl_lsb": 4.0,
    "adc_noise_lsb": 4.0,
    "adc_offset_lsb": 4.0,
    "asymmetry": 0.3,
    "asymmetry_spread": 0.3,
    "bounds_spread": 0.5,
    "corrupt": 0.4,
    "crosstalk": 0.2,
    "curve_spread": 0.3,
    "cycle_spread": 0.5,
    "dac_gain_error": 0.1,
    "dac_inl_lsb": 4.0,
    "dead_columns": 0.5,
    "dead_rows": 0.5,
    "device_spread": 0.5,
    "endurance_cycles": 0.1,
    "hysteresis": 0.05,
    "inhibition": 1.0,
    "mismatch": 0.2,
    "neuron_flicker": 0.2,
    "neuron_seconds": 1e-7,
    "slope_down": 0.9,
    "slope_spread": 0.5,
    "slope_up": 0.9,
    "step": 0.1,
    "stuck_high": 0.3,
    "stuck_low": 0.3,
    "supply_droop": 0.5,
    "telegraph_noise": 0.5,
    "temperature_kelvin": 400.0,
    "weight_bits": 3,
    "weight_noise": 0.2,
    "wire_ohm": 15.0,
    "write_noise": 0.3,
    "read_noise": 0.2,
    "rows_per_tile": 3,
    "sum_max": 1.0,
    "trap_reads": 8,
}
BESIDE = {"sum_max": TILED, "trap_reads": dict(telegraph_noise=0.5)}
"""What must be on for a parameter to do anything."""
MODELS = [model for model in EXPORTED if not issubclass(model, Measured)]
"""Measured ones refuse what would do nothing, which depends on the file: see `test_measured`."""


def _off(model):
    """Return the parameters of a model that are nothing by default."""
    numbers = inspect.signature(model.__init__).parameters.values()
    return [p.name for p in numbers if p.default is None or p.default == 0 and p.default is not False]


def _seen(model, **parameters):
    device, x = fabricate(model, 13, 7, seeds=[5], parameters=parameters), inputs(1, 9, 13)
    return torch.cat([y.flatten().float() for y in trace(device, x)])


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_is_alive_once_it_is_on(model):
    plain = _seen(model)
    for name in _off(model):
        beside = BESIDE.get(name)
        without = _seen(model, **beside) if beside else plain
        assert not torch.equal(_seen(model, **beside or {}, **{name: OTHERWISE[name]}), without), name
