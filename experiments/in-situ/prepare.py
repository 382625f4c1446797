"""Write four classes of MNIST in 11 x 11 pixels, which fit an array of at most 8064 cells.

python experiments/in-situ/prepare.py
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from analogff.data import Split, load_dataset

CLASSES = (3, 5, 8, 9)
"""Digits that are easily taken for one another."""
SIDE = 11
FOLDER = Path("results/in-situ-data")


def write(name: str, split: Split) -> None:
    """Write the chosen classes of one split."""
    chosen = torch.isin(split.labels, torch.tensor(CLASSES))
    images = adaptive_avg_pool2d(split.images[chosen].reshape(-1, 1, 28, 28), SIDE)
    pixels = (255 * images.squeeze(1)).round().byte().numpy()
    np.savez_compressed(FOLDER / f"{name}.npz", images=pixels, labels=split.labels[chosen].numpy())


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    data = load_dataset("mnist")
    write("train", data.train)
    write("test", data.test)
