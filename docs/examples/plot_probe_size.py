r"""
How large should a probe be?
============================

Two reads with biases of :math:`\pm d/2` give the slope of every neuron. A small probe drowns in noise, a large one
measures another part of the curve. The theory has :math:`\sqrt{2 s^2/d^2 + (f''' d^2/24)^2}`, least at
:math:`d^6 = 576 s^2 / f'''^2`.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

from analogff import Device


class Tanh(Device):
    """A saturating neuron whose reads are noisy."""

    def __init__(self, n_in, n_out, *, seed, noise):
        super().__init__(n_in, n_out, seed=seed)
        self.noise, self.generator = noise, torch.Generator().manual_seed(seed)

    def measure(self, x, bias=None):
        y = torch.tanh(x if bias is None else x + bias)
        return y + self.noise * torch.randn(y.shape, generator=self.generator)


sums = torch.full((4000, 1), 0.2)
true = 1 - np.tanh(0.2) ** 2
third = -2 * true * (1 - 3 * np.tanh(0.2) ** 2)  # derivative of tanh
sizes = np.geomspace(0.05, 3, 15)
figure, axes = plt.subplots(figsize=(4.2, 3), layout="constrained")
for noise, color in ((0.01, "#0072B2"), (0.05, "#D55E00"), (0.2, "#009E73")):
    chip = Tanh(1, 1, seed=0, noise=noise)
    found = [(chip.measure(sums, d / 2) - chip.measure(sums, -d / 2)) / d for d in sizes]
    errors = [((slope - true) ** 2).mean().sqrt() for slope in found]
    axes.loglog(sizes, errors, "o", ms=4, color=color, label=f"noise {noise}")
    axes.loglog(sizes, np.hypot(2**0.5 * noise / sizes, third * sizes**2 / 24), color=color, lw=1)
axes.set(xlabel="size of the probe", ylabel="error of the slope (rms)", ylim=(0.005, 6))
axes.legend(frameon=False)
plt.show()

# %%
# Points are 4000 probes of one neuron at a sum of 0.2, lines are the formula. It holds while the probe is small
# against the bend; beyond, higher terms count. See :doc:`/theory`.
