r"""Look at the cells and neurons of the first layer: do pulses cancel, where do cells go, and what do neurons put out?

.. math::
    c = 1 - \frac{\langle |u - d| \rangle}{\langle u + d \rangle}, \qquad
    D^2 = \frac{\langle (w - w_0)^2 \rangle}{\langle (w_a - w_0)^2 \rangle}

for the pulses up ``u`` and down ``d`` of each cell, its weight at first :math:`w_a` and at last :math:`w`, and its
symmetry point :math:`w_0`. ``D`` is that of cells that took about a hundred pulses.

python experiments/writes/cells.py
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import analogff as ff
from analogff.data import load_dataset
from analogff.device.numerics.coincidences import coincidences
from hardware_models.effects.write import symmetry_point
from hardware_models.memory_cells.reram import ReRAM

CHIPS, IMAGES = 3, 1000
POINTS = ((0.0, 0.0), (0.0, 0.6), (0.3, 0.0), (-0.3, 0.0))
"""Asymmetry, the mean of the symmetry points over the bound, and its spread from cell to cell."""
CELLS = dict(step=2 / 64, device_spread=0.3, cycle_spread=0.3, bounds_spread=0.1)
TRAINING: dict[str, Any] = dict(data="mnist", train_images=1000, epochs=10, write="pulse-trains", train_slots=7)
RULES: dict[str, dict[str, Any]] = {
    "Forward-Forward": dict(rule="forward-forward", learning_rate=0.0015, batch=100, label_strength=3.0),
    "direct feedback alignment": dict(rule="direct-feedback-alignment", learning_rate=0.002, batch=25),
    "mono-forward": dict(rule="mono-forward", learning_rate=0.002, batch=25),
    "backprop, probed": dict(rule="backprop", through="probed", learning_rate=0.002, batch=25),
}
"""With rates and batches near those that most trials of symmetry.toml chose."""
HUNDRED = (80, 125)
"""What counts as about a hundred pulses."""


class Counted(ReRAM):
    """Cells beside which the pulses up and down are counted, as no chip could."""

    def pulse_trains(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Count, and fire."""
        if not hasattr(self, "up"):
            self.up, self.down = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        for vector in range(rows.shape[1]):
            counts = coincidences(rows[:, vector], columns[:, vector])
            self.up += counts.clamp(min=0)
            self.down -= counts.clamp(max=0)
        return super().pulse_trains(rows, columns)


def measured(label: str, asymmetry: float, spread: float, images: torch.Tensor) -> pd.DataFrame:
    """Train, and return a row for each chip."""
    device = {"model": Counted, "asymmetry": asymmetry, "asymmetry_spread": spread} | CELLS
    network = ff.Network.fabricate(device, layers=[784, 64], classes=10, chips=CHIPS)
    training = ff.train(network, **TRAINING, **RULES[label])
    layer = network.taught().chips.devices[0]
    assert isinstance(layer, Counted)
    goal = symmetry_point(layer.step_up, layer.step_down, layer.upper, layer.lower)
    first = layer.weights - goal
    *_, last = training
    outputs = network.activities(images)[0].numpy()
    pulses, net = (values.numpy() for values in (layer.up + layer.down, (layer.up - layer.down).abs()))
    told = pd.DataFrame({"rule": label, "asymmetry": asymmetry, "spread": spread, "chip": network.chips})
    return told.assign(
        test_error=last.test_error,
        pulses=pulses.mean((1, 2)),
        cancelled=1 - net.sum((1, 2)) / pulses.sum((1, 2)),
        left=[_left(*own) for own in zip(pulses, (layer.weights - goal).numpy(), first.numpy(), strict=True)],
        silent=(outputs == 0).mean((1, 2)),
        at_limit=(outputs >= outputs.max()).mean((1, 2)),
    )


def _left(pulses: np.ndarray, now: np.ndarray, first: np.ndarray) -> float:
    """Return ``D`` of a chip, NaN with too few cells."""
    own = (pulses > HUNDRED[0]) & (pulses < HUNDRED[1])
    return float(np.sqrt(np.mean(now[own] ** 2) / np.mean(first[own] ** 2))) if own.sum() >= 100 else float("nan")


if __name__ == "__main__":
    torch.set_num_threads(1)
    shown = load_dataset("mnist").test.images[:IMAGES]
    found = [measured(label, *point, shown) for point, label in itertools.product(POINTS, RULES)]
    pd.concat(found).to_csv(Path(__file__).parent / "cells.csv", index=False, float_format="%.4g")
