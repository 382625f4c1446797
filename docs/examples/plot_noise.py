"""
Which rule stands noise?
========================

A study of three rules on one kind of chip, small enough for a minute. :doc:`/start/your-question` shows how to write
such a file; :doc:`/start/reading-a-result` how to read the figure.
"""

import tempfile
from pathlib import Path

import analogff

STUDY = """
name = "noise"
dataset = "digits"
layers = [48]
epochs = 12
chips = 4

[device]
model = "unknown"

[[rule]]
name = "forward-forward"

[[rule]]
name = "direct-feedback-alignment"

[[rule]]
name = "backprop"
through = "probed"

[sweep]
"device.read_noise" = [0.0, 0.1, 0.2, 0.4]
"""

folder = Path(tempfile.mkdtemp())
(folder / "study.toml").write_text(STUDY)
results = analogff.run(folder / "study.toml", out=folder / "results", workers=0, quiet=True)
figure = results.plot("error_vs_sweep")

# %%
# Which differences are resolved? Paired over chips, p corrected for all comparisons:
results.compare()
