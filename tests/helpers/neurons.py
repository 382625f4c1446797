"""Neurons of circuits, read at known sums, and the constants of their physics."""

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import chi2

QUIET = dict(read_noise=0.0, adc_bits=0, dac_bits=0)
PER_KELVIN = 1.380649e-23 / 1.602176634e-19
VOLTS = 300 * PER_KELVIN
"""Thermal voltage at 300 K."""


def curves(model, sums, *, seed=0, n_out=1, **parameters):
    """Return what each neuron puts out at some sums, float64 ``(chips, sums, n_out)``, without noise and steps."""
    takes = model.__init__.__kwdefaults__
    quiet = {name: value for name, value in QUIET.items() if name in takes}
    device = model(1, n_out, seed=seed, **quiet | parameters)
    bias = torch.as_tensor(np.asarray(sums), dtype=torch.float32)[:, None].expand(-1, n_out)
    with torch.no_grad():
        return device(torch.zeros(len(device.seeds), len(bias), 1), bias).double().numpy()


def curve(model, sums, **parameters):
    """Return what one neuron puts out."""
    return curves(model, sums, **parameters)[0, :, 0]


def has_spread(values, sigma, *, risk=1e-4):
    """Tell whether the sample's standard deviation is one that normals of this spread would have."""
    n = np.size(values)
    low, high = chi2.ppf([risk / 2, 1 - risk / 2], n - 1)
    return low < np.var(values, ddof=1) * (n - 1) / sigma**2 < high


def balance(v, vdd, tn, tp, n, lam, kelvin):
    """Find where the currents of an inverter balance, by bracketing."""
    u = kelvin * PER_KELVIN

    def current(gate, threshold, drain):
        on = (gate - threshold) / (n * u)
        forward, back = np.logaddexp(0, on / 2) ** 2, np.logaddexp(0, (on - drain / u) / 2) ** 2
        return (forward - back) * (1 + lam * drain)

    return brentq(lambda o: current(v, tn, o) - current(vdd - v, tp, vdd - o), 0, vdd, xtol=1e-15, rtol=1e-14)
