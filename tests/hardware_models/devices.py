"""Every exported device, and its parameters at which all physics is off."""

from importlib.metadata import entry_points

import torch

from analogff.device import Device
from hardware_models.capacitor import Capacitor
from hardware_models.ecram import ECRAM
from hardware_models.floating_gate import FloatingGate
from hardware_models.ideal import Ideal
from hardware_models.mram import MRAM
from hardware_models.pcm import PCM
from hardware_models.reram import ReRAM
from hardware_models.unknown import Unknown

QUIET = dict(mismatch=0.0, read_noise=0.0, adc_bits=0, dac_bits=0, input_max=100.0)
EVEN = dict(
    weight_noise=0.0, device_spread=0.0, cycle_spread=0.0, bounds_spread=0.0, program_noise=0.0, weight_max=100.0
)
FLAWLESS: dict[type[Device], dict] = {
    Ideal: {},
    Unknown: dict(QUIET, family="relu", curve_spread=0.0),
    ReRAM: dict(QUIET, **EVEN, step=1e-6, asymmetry_spread=0.0, retention=0.0),
    ECRAM: dict(QUIET, **EVEN, step=1e-6, asymmetry_spread=0.0, slope_up=0.0, slope_down=0.0, slope_spread=0.0),
    Capacitor: dict(QUIET, **EVEN, step=1e-6, asymmetry_spread=0.0, slope=0.0, slope_spread=0.0, lifetime_seconds=1e20),
    FloatingGate: dict(QUIET, **EVEN, step_volts=1e-6, window_volts=1.0, fold_volts=1e3),
    MRAM: dict(QUIET, bits=22, write_volts=10.0, switch_spread_volts=0.0, weight_noise=0.0, weight_max=100.0),
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
}
EXPORTED = [
    point.load() for point in entry_points(group="analogff.devices") if point.value.startswith("hardware_models.")
]


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
