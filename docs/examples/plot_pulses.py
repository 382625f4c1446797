"""
How does a cell answer to pulses?
=================================

Sixty pulses up, sixty down. A digital weight would draw a triangle. Cells saturate, answer to each pulse with noise,
and go up and down by other steps. A rule asks for changes; it does not see where they land.
"""

import matplotlib.pyplot as plt
import torch

from hardware_models.generic.ideal import Ideal
from hardware_models.memory_cells.ecram import ECRAM
from hardware_models.memory_cells.reram import ReRAM

figure, panels = plt.subplots(1, 3, figsize=(7.5, 2.6), sharex=True, layout="constrained")
for model, axes in zip((Ideal, ECRAM, ReRAM), panels, strict=True):
    chip = model(4, 4, seed=[0])
    paths = [chip.weights.flatten()[:5].clone()]  # what no learner sees
    for direction in [1.0] * 60 + [-1.0] * 60:
        chip.pulse(torch.full((1, 4, 4), 0.01 * direction))
        paths.append(chip.weights.flatten()[:5].clone())
    axes.plot(torch.stack(paths) - paths[0], lw=0.9)
    axes.set(title=model.__name__, xlabel="writes of 0.01")
panels[0].set_ylabel("change of the weight")
plt.show()

# %%
# Five cells of one chip each. :doc:`/devices/README` has a page for every device.
