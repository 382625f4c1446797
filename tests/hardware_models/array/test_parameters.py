"""No parameter does nothing: each of every device, told alone, shows in reads, writes, waits or price, or is refused.

`analogff check` tries parameters that have a number by default, and cannot know what to try in place of 0 or None.
"""

import inspect
from pathlib import Path

import pytest
import torch

from analogff.catalog import resolve_device
from analogff.device import fabricate
from analogff.device.checks.parameters import _choices
from analogff.device.checks.subject import same
from hardware_models.effects.converters import AdcKind
from hardware_models.generic.faulty import faulty
from hardware_models.generic.unknown import Unknown
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
    "before": 2,
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
    "over": 2,
    "read_noise": 0.2,
    "rows_per_tile": 3,
    "slope_down": 0.9,
    "slope_spread": 0.5,
    "slope_up": 0.9,
    "step": 0.1,
    "stuck_high": 0.3,
    "stuck_low": 0.3,
    "sum_max": 1.0,
    "supply_droop": 0.5,
    "telegraph_noise": 0.5,
    "temperature_kelvin": 400.0,
    "trap_reads": 8,
    "weight_bits": 3,
    "weight_noise": 0.2,
    "wire_ohm": 15.0,
    "write_noise": 0.3,
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


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_is_alive_once_it_is_on(model):
    plain = _seen(model)
    for name in _off(model):
        beside = BESIDE.get(name)
        without = _seen(model, **beside) if beside else plain
        assert not torch.equal(_seen(model, **beside or {}, **{name: OTHERWISE[name]}), without), name


PRICE = ("settle_seconds", "dac_seconds", "adc_seconds", "pulse_seconds", "parallel_pulses", "conversions")
PRICE += ("dac_joules", "adc_joules", "read_joules", "signal_joules", "pulse_joules")
ALONE = [*EXPORTED, faulty(Unknown), resolve_device("local-fields(ideal)", Path())]
BEGIN = {ALONE[-1]: dict(field=2)}
WANTED = {
    "adc_kind": "adc_inl_lsb",
    "trap_reads": "telegraph_noise",
    "at_write": "dead_columns or warming_kelvin or supply_sag or swapped",
    "activation_electronvolts": "warming_kelvin",
}
"""What does nothing alone, and what it is refused without."""


def _life(model, **told):
    """Return all that a chip shows in a life of reads, writes and long waits, and what it costs."""
    device, x = fabricate(model, 16, 6, seeds=[5], parameters=BEGIN.get(model, {}) | told), inputs(1, 9, 16)
    wide = torch.linspace(-2, 3, 96).reshape(1, 6, 16)  # to the bounds of a range
    seen = trace(device, x)
    for write in (device.pulse, device.program):
        spent = write(wide)
        seen += [device(x)] if spent is None else [device(x), spent]
    device.wait(3e5)
    seen += [device(x)]
    device.pulse(0.1 * wide)  # of cells that have drifted
    device.wait(3e5)
    seen += [device(x), *(torch.tensor(getattr(device.datasheet, name)) for name in PRICE)]
    return torch.cat([y.flatten().double() for y in seen])


def _others(model, parameter):
    """Return values to try in place of a default."""
    value, name = parameter.default, parameter.name
    if choices := list(AdcKind) if name == "adc_kind" else _choices(model, name):
        return [choice for choice in choices if choice != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int) and value:
        return [value + 1, value - 1]
    if isinstance(value, float) and value:
        return [1.5 * value, value / 1.5]
    return [OTHERWISE.get(name, 2 if isinstance(value, int) else 0.7)]


@pytest.mark.slow
@pytest.mark.parametrize("model", ALONE)  # but `prints`, which no read may depend on: see test_unprinted
def test_no_parameter_told_alone_is_accepted_and_does_nothing(model):
    before, refused = _life(model), {}
    for parameter in inspect.signature(model.__init__).parameters.values():
        if parameter.name in ("self", "n_in", "n_out", "seed", "file", "prints", *BEGIN.get(model, {})):
            continue
        for value in _others(model, parameter):
            try:
                after = _life(model, **{parameter.name: value})
            except ValueError as error:
                refused[parameter.name] = str(error)
                continue
            if not same(after, before):
                break
        else:
            assert parameter.name in refused, f"{parameter.name} does nothing"
    for name in set(WANTED) & set(inspect.signature(model.__init__).parameters):
        assert refused[name].startswith(
            f"Expected {WANTED[name]} beside {name}, which does nothing alone. Got {name} = "
        )
