"""What figures should be, computed from the inside of simulated chips."""

import numpy as np
import torch
from scipy import stats


def moments(device, bias, x=None):
    """Return mean and variance of the outputs of a crossbar with an ADC, code by code, ``(chips, n_out)`` each."""
    c = device.circuit()
    x = torch.zeros(1, device.datasheet.n_in) if x is None else x
    a = (x @ c.weights.mT)[:, :1] + bias
    f = np.array(c.curve(a * c.gain + c.offset, c.steepness))[:, 0].astype(float)
    sigma, high = (np.array(part)[:, 0].astype(float) for part in (c.read_noise, c.output_max))
    codes = np.arange(2 ** int(c.adc_bits[0, 0, 0]))
    step = high / codes[-1]
    edges = (codes[1:] - 0.5) * step[..., None]
    below = stats.norm.cdf((edges - f[..., None]) / sigma[..., None])
    ends = np.ones((*f.shape, 1))
    p = np.diff(np.concatenate([0 * ends, below, ends], -1))
    mean = (p * codes).sum(-1) * step
    return mean, (p * codes**2).sum(-1) * step**2 - mean**2


def typical_cells(make, chips=200):
    """Return cells of many chips, whose means stand for those of the population."""
    return make(16, 16, seed=list(range(50_000, 50_000 + chips)))
