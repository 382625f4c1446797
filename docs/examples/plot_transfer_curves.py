"""
What does a neuron of a chip answer?
====================================

A bias takes all neurons of a layer through their curves. Each neuron of a chip has a curve of its own. Nobody gets to
see the formula: a rule meets what is plotted here, one noisy read at a time.
"""

import matplotlib.pyplot as plt
import torch

from analogff.device import fabricate
from hardware_models.generic.unknown import Unknown

families = ["saturating", "softplus", "non-monotone"]
bias = torch.linspace(-3, 3, 121)
figure, panels = plt.subplots(1, 3, figsize=(7.5, 2.6), sharex=True, layout="constrained")
for family, axes in zip(families, panels, strict=True):
    chip = fabricate(Unknown, 16, 6, seeds=[0], parameters={"family": family, "read_noise": 0.02})
    silent = torch.zeros(1, 1, 16)  # (chips, batch, n_in)
    y = torch.cat([chip.measure(silent, b)[0] for b in bias])
    axes.plot(bias, y, lw=0.8)
    axes.set(title=family, xlabel="bias, in units of sums")
panels[0].set_ylabel("output")
plt.show()

# %%
# Curves differ by their gain, offset and steepness. Steps are those of the 6-bit converter.
# ``analogff characterize`` measures such curves with intervals: :doc:`/guides/characterize`.
