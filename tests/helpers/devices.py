"""Every exported device, and its parameters at which all physics is off."""

import functools
import inspect
import math
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import torch

from analogff.device import Device
from hardware_models.generic.coupled import Coupled
from hardware_models.generic.coupled_pendula import CoupledPendula
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.random_curves import RandomCurves
from hardware_models.generic.reservoir import Reservoir
from hardware_models.generic.unknown import Unknown
from hardware_models.measured_data.acoustic_cavity import AcousticCavity
from hardware_models.measured_data.measured import Measured
from hardware_models.memory_cells.capacitor import Capacitor
from hardware_models.memory_cells.ecram import ECRAM
from hardware_models.memory_cells.floating_gate import FloatingGate
from hardware_models.memory_cells.mram import MRAM
from hardware_models.memory_cells.pcm import PCM
from hardware_models.memory_cells.reram import ReRAM
from hardware_models.memory_cells.reset_only import ResetOnly
from hardware_models.neuron_circuits.differential_pair import DifferentialPair
from hardware_models.neuron_circuits.diode import Diode
from hardware_models.neuron_circuits.inverter import Inverter
from hardware_models.neuron_circuits.p_bit import PBit
from hardware_models.neuron_circuits.rectifier import Rectifier
from hardware_models.neuron_circuits.subthreshold import Subthreshold
from hardware_models.photonics.mzi_mesh import MZIMesh
from hardware_models.photonics.photodetector import Photodetector
from hardware_models.photonics.saturable_absorber import SaturableAbsorber

MEASURED = Path(__file__).parents[1] / "hardware_models" / "measured"


def told(model: type[Device], **parameters) -> type[Device]:
    """Return a class with parameters that must be given as defaults, so that it is made like the others."""

    class Told(model):
        @functools.wraps(model.__init__)
        def __init__(self, *sizes, **others):
            super().__init__(*sizes, **parameters | others)

    signature = inspect.signature(model.__init__)
    kept = [p.replace(default=parameters.get(p.name, p.default)) for p in signature.parameters.values()]
    Told.__init__.__signature__ = signature.replace(parameters=kept)
    Told.__init__.__kwdefaults__ = model.__init__.__kwdefaults__ | parameters
    Told.__name__ = f"{model.__name__}-{parameters['file'].stem}"
    return Told


MEASURED_NEURONS = told(Measured, file=MEASURED / "pair.csv")
MEASURED_CELLS = told(Measured, file=MEASURED / "cells.csv", read_noise=0.01)
QUIET = dict(mismatch=0.0, read_noise=0.0, adc_bits=0, dac_bits=0, input_max=100.0)
EVEN = dict(
    weight_noise=0.0, device_spread=0.0, cycle_spread=0.0, bounds_spread=0.0, program_noise=0.0, weight_max=100.0
)
FLAWLESS: dict[type[Device], dict] = {
    Ideal: {},
    Unknown: dict(QUIET, family="relu", curve_spread=0.0, program_noise=0.0),
    RandomCurves: dict(QUIET, trend_share=1.0, program_noise=0.0),
    Coupled: dict(QUIET, family="relu", strength=0.0, curve_spread=0.0, program_noise=0.0),
    Reservoir: dict(QUIET, share=0.0, program_noise=0.0),
    ReRAM: dict(QUIET, **EVEN, step=1e-6, asymmetry_spread=0.0, retention=0.0),
    ResetOnly: dict(
        QUIET,
        weight_noise=0.0,
        device_spread=0.0,
        cycle_spread=0.0,
        program_noise=0.0,
        weight_max=100.0,
        step=1e-6,
        longest_train=31,
        retention=0.0,
    ),
    ECRAM: dict(QUIET, **EVEN, step=1e-6, asymmetry_spread=0.0, slope_up=0.0, slope_down=0.0, slope_spread=0.0),
    Capacitor: dict(QUIET, **EVEN, step=1e-6, asymmetry_spread=0.0, slope=0.0, slope_spread=0.0, lifetime_seconds=1e20),
    FloatingGate: dict(QUIET, **EVEN, step_volts=1e-6, window_volts=1.0, fold_volts=1e3),
    MEASURED_NEURONS: dict(QUIET, file=MEASURED / "relu.csv", program_noise=0.0),
    MEASURED_CELLS: dict(QUIET, file=MEASURED / "even.csv", program_noise=0.0, weight_max=100.0),
    MRAM: dict(QUIET, bits=22, write_volts=10.0, switch_spread_volts=0.0, weight_noise=0.0, weight_max=100.0),
    MZIMesh: dict(
        QUIET,
        phase_bits=0,
        phase_noise_radians=0.0,
        write_noise_radians=0.0,
        coupler_error=0.0,
        insertion_loss_decibel=0.0,
        singular_max=100.0,
    ),
    PCM: dict(
        QUIET,
        program_noise=0.0,
        drift=0.0,
        flicker_noise=0.0,
        step=1e-6,
        device_spread=0.0,
        cycle_spread=0.0,
        bounds_spread=0.0,
        weight_max=100.0,
    ),
    Rectifier: dict(QUIET, program_noise=0.0, temperature_kelvin=1e-3, leak=0.0, supply_volts=100.0, offset_volts=0.0),
    Subthreshold: dict(QUIET, program_noise=0.0, pelgrom_volt_metres=0.0),
    DifferentialPair: dict(QUIET, program_noise=0.0, offset_volts=0.0),
    Diode: dict(QUIET, program_noise=0.0, series_ohm=0.0, saturation_spread=0.0),
    Inverter: dict(
        QUIET,
        program_noise=0.0,
        threshold_n_volts=1.1,
        threshold_p_volts=1.1,
        modulation_per_volt=0.0,
        pelgrom_volt_metres=0.0,
    ),
    PBit: dict(mismatch=0.0, program_noise=0.0, dac_bits=0, input_max=100.0, samples=0, offset_volts=0.0),
    SaturableAbsorber: dict(QUIET, program_noise=0.0, absorption=0.0),
    Photodetector: dict(
        QUIET, program_noise=0.0, saturation_amperes=1e6, dark_amperes=0.0, responsivity_spread=0.0, bandwidth_hertz=0.0
    ),
}
_VOLTS = 300 * 1.380649e-23 / 1.602176634e-19
"""Thermal voltage at 300 K."""


def _inverter_below_threshold(a: torch.Tensor) -> torch.Tensor:
    """Where exponentials balance: a quadratic equation for the exponential of the output."""
    ratio, ends = torch.exp((0.2 - 2 * (0.095 + 0.005 * a)) / (1.3 * _VOLTS)), math.exp(-0.2 / _VOLTS)
    x = ((1 - ratio) + ((1 - ratio).square() + 4 * ratio * ends).sqrt()) / 2
    return 1 + x.log() * _VOLTS / 0.2


NEURONS: dict[type[Device], Callable[[torch.Tensor], torch.Tensor]] = {
    RandomCurves: lambda a: (1 + torch.erf(a / math.sqrt(2))) / 2,
    Reservoir: lambda a: (1 + torch.tanh(a)) / 2,
    Subthreshold: lambda a: (50 * torch.log1p(torch.exp((0.035 * a - 0.16) / (2.6 * _VOLTS))) ** 2).clamp(max=4),
    DifferentialPair: lambda a: (1 + torch.tanh((0.07 * a - 0.07) / (2.6 * _VOLTS))) / 2,
    Diode: lambda a: (1e-8 * torch.expm1((0.45 + 0.03 * a) / _VOLTS)).clamp(max=8),
    Inverter: _inverter_below_threshold,
    PBit: lambda a: (1 + torch.tanh(a - 1)) / 2,
    Photodetector: lambda a: a.square().clamp(max=8),
}
"""Of those that are no rectifier."""
_REGISTERED = [
    point.load() for point in entry_points(group="analogff.devices") if point.value.startswith("hardware_models.")
]
EXPORTED = [model for model in _REGISTERED if model not in (Measured, AcousticCavity, CoupledPendula)] + [
    MEASURED_NEURONS,
    MEASURED_CELLS,
]
"""Devices with weights; fixed transforms, the acoustic cavity and pendula, have tests of their own."""


def inputs(chips: int, batch: int, n_in: int) -> torch.Tensor:
    """Draw positive inputs of mean square 1."""
    x = torch.randn(chips, batch, n_in, generator=torch.Generator().manual_seed(0)).abs()
    return x


def trace(device: Device, x: torch.Tensor) -> list[torch.Tensor]:
    """Use every verb, and return what it shows."""
    chips, n_out, n_in = x.shape[0], device.datasheet.n_out, device.datasheet.n_in
    change = torch.linspace(-0.2, 0.3, n_out * n_in, device=x.device).reshape(1, n_out, n_in).repeat(chips, 1, 1)
    with torch.no_grad():
        seen = [device(x), device.pulse(change), device(x, torch.tensor(0.1))]
        device.wait(1e4)
        seen += [device(x), device.program(change), device(x)]
    return [s for s in seen if s is not None]
