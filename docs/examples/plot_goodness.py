"""
What does Forward-Forward separate?
===================================

A layer learns to have more goodness, the mean square of its activities, for an image with its right label than with a
wrong one. Here are both, after a small training on a chip that saturates.
"""

import tempfile
from pathlib import Path

import analogff

STUDY = """
name = "goodness"
dataset = "digits"
layers = [64, 64]
epochs = 5
chips = 1

[device]
model = "unknown"
read_noise = 0.05

[[rule]]
name = "forward-forward"
"""

folder = Path(tempfile.mkdtemp())
(folder / "study.toml").write_text(STUDY)
results = analogff.run(folder / "study.toml", out=folder / "results", workers=0, quiet=True)
figure = results.plot("goodness_histogram")

# %%
# Histograms overlap: a layer compares labels of one image, not of all images.
results.summary[["rule", "mean", "low", "high", "chips", "reads"]]
