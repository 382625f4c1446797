"""
How far is a twin from its chip?
================================

A twin has the printed curve and the requested weights. The chip has neurons of its own, noise and a converter. Each
point is the activity of one neuron for one image: as the twin predicts it, and as the chip answers.
"""

import tempfile
from pathlib import Path

import analogff

STUDY = """
name = "twin"
dataset = "digits"
layers = [64, 64]
epochs = 5
chips = 2
keep = true

[device]
model = "unknown"
read_noise = 0.05

[[rule]]
name = "backprop"
through = "twin"
"""

folder = Path(tempfile.mkdtemp())
(folder / "study.toml").write_text(STUDY)
results = analogff.run(folder / "study.toml", out=folder / "results", workers=0, quiet=True)
figure = results.plot("sim_to_real")

# %%
# R² is the share of the chip's variance that the twin explains. A chip can learn through a twin that is far from it:
results.summary[["rule", "mean", "low", "high", "chips", "reads"]]
