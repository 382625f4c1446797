"""
Which updates still point along the gradient of a large network?
================================================================

An update is compared with the true gradient, which only a simulator knows. Weight perturbation loses its direction as
networks grow. Rules that know slopes keep it.
"""

import tempfile
from pathlib import Path

import analogff

STUDY = """
name = "cosine"
dataset = "digits"
layers = [16]
epochs = 2
chips = 3
keep = true

[device]
model = "unknown"

[[rule]]
name = "forward-forward"

[[rule]]
name = "direct-feedback-alignment"

[[rule]]
name = "weight-perturbation"

[sweep]
layers = [[8], [32], [128, 128]]
"""

folder = Path(tempfile.mkdtemp())
(folder / "study.toml").write_text(STUDY)
results = analogff.run(folder / "study.toml", out=folder / "results", workers=0, quiet=True)
figure = results.plot("cosine_vs_parameters")

# %%
# The dotted line is the law of perturbation, proven in :doc:`/theory`. Forward-Forward is compared with the gradient of
# the losses of its own layers, the others with that of the output's cross-entropy.
