"""
What does a phase-change chip forget?
=====================================

Conductances fall as a power of time, and each cell has its own exponent. A factor for the whole array takes back what
cells have in common, and not where they differ.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

from analogff.device import fabricate
from hardware_models.memory_cells.pcm import PCM

x = torch.rand(1, 500, 64)
times = np.geomspace(10, 1e7, 13)
figure, axes = plt.subplots(figsize=(4.2, 3), layout="constrained")
for compensation, color, marker in (("none", "#0072B2", "o"), ("global", "#D55E00", "s")):
    chip = fabricate(PCM, 64, 32, seeds=[0], parameters={"compensation": compensation})
    chip.program(torch.randn(1, 32, 64, generator=torch.Generator().manual_seed(0)) / 8)
    fresh, age, lost = chip.measure(x), 0.0, []
    for time in times:
        chip.wait(time - age)
        age = time
        lost.append(((chip.measure(x) - fresh).square().mean() / fresh.square().mean()).sqrt())
    axes.semilogx(times, lost, marker + "-", ms=4, color=color, label=f"compensation: {compensation}")
for seconds, name in ((3600, "hour"), (86400, "day"), (2.6e6, "month")):
    axes.axvline(seconds, color="0.85", zorder=0)
    axes.text(seconds, 0, name, fontsize=7, rotation=90, va="bottom", ha="right", color="0.4")
axes.set(xlabel="time since programming / s", ylabel="relative change of outputs", ylim=(0, None))
axes.legend(frameon=False)
plt.show()
