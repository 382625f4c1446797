r"""
What does weight perturbation lose with size?
=============================================

Compare two losses under a random change of all :math:`P` weights: the estimate points along the gradient with a
cosine of :math:`1/\sqrt{1 + (P - 1)/K}` for :math:`K` directions. A probe biases all neurons at once and does not have
this law.
"""

import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
sizes = np.array([10, 30, 100, 300, 1000, 3000, 10_000])
figure, axes = plt.subplots(figsize=(4.2, 3), layout="constrained")
for directions, color, marker in ((1, "#0072B2", "o"), (16, "#D55E00", "s")):
    cosines = []
    for size in sizes:
        found = []
        for _ in range(30):
            gradient = rng.normal(size=size)
            signs = rng.choice([-1.0, 1.0], (directions, size))
            estimate = (signs @ gradient) @ signs / directions
            found.append(estimate @ gradient / np.linalg.norm(estimate) / np.linalg.norm(gradient))
        cosines.append(np.sqrt(np.mean(np.square(found))))
    axes.loglog(sizes, cosines, marker, ms=4, color=color, label=f"K = {directions}")
    axes.loglog(sizes, 1 / np.sqrt(1 + (sizes - 1) / directions), color=color, lw=1)
axes.set(xlabel="weights P", ylabel="cosine to the gradient")
axes.legend(frameon=False)
plt.show()

# %%
# Points: root mean square of 30 estimates without any read noise. Lines: the law, proven in :doc:`/theory`.
