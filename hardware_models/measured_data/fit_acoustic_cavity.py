"""Fit the measured acoustic cavity; written once to `acoustic_cavity.npz`.

python -m hardware_models.measured_data.fit_acoustic_cavity x.csv.gz y.csv.gz

The files are the 10,000 measured pairs of 20 inputs and 20 outputs in the repository MomeniAli/PhyLL at e10480b (MIT
license, Copyright (c) 2023 Ali Momeni; see `acoustic_cavity.LICENSE.txt`). Their first row, all zeros, is no
measurement and left out. The last 2,000 pairs are held out: they give the residuals and the shares of variance that are
explained.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from hardware_models.effects.quadratic import features

FILE = Path(__file__).with_name("acoustic_cavity.npz")
HELD_OUT = 2000
RIDGE = 1.0
"""Penalty on the squared coefficients; from 0 to 1 the mean share of variance explained changes by less than 0.001."""


def main(inputs: str, outputs: str) -> None:
    """Fit, and write the file."""
    x, y = (np.loadtxt(file, delimiter=",")[1:] for file in (inputs, outputs))
    full_scale = y[:-HELD_OUT].max(0)
    y = y / full_scale
    a = features(torch.from_numpy(x)).numpy()
    train, test = slice(None, -HELD_OUT), slice(-HELD_OUT, None)
    penalty = RIDGE * np.eye(a.shape[1])
    coefficients = np.linalg.solve(a[train].T @ a[train] + penalty, a[train].T @ y[train]).T
    residual = y[test] - a[test] @ coefficients.T
    explained = 1 - residual.var(0) / y[test].var(0)
    numbers = dict(coefficients=coefficients, residual=residual.std(0), explained=explained, full_scale=full_scale)
    np.savez_compressed(FILE, **{name: value.astype(np.float32) for name, value in numbers.items()})  # type: ignore[arg-type]
    print(f"{FILE.name}: R^2 of held-out pairs", np.round(explained, 3).tolist())


if __name__ == "__main__":
    main(*sys.argv[1:])
