"""Write ten random splits of the vowels, 80 % to learn from: formants over the greatest of their column.

python experiments/replications/prepare.py

`vowels.csv`: 258 utterances of seven vowels by women, of Hillenbrand et al. (1995), from the repository MomeniAli/PhyLL
(MIT license, Copyright (c) 2023 Ali Momeni).
"""

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path("results/vowels-data")
SPLITS = 10


def main() -> None:
    """Write the splits."""
    table = pd.read_csv(Path(__file__).with_name("vowels.csv"))
    formants, vowels = table.iloc[:, 2:].to_numpy(dtype=np.float64), table["vowel"].to_numpy(dtype=str)
    many = round(0.8 * len(table))
    for split in range(SPLITS):
        order = np.random.default_rng(split).permutation(len(table))
        greatest = formants[order[:many]].max(0)
        folder = FOLDER / str(split)
        folder.mkdir(parents=True, exist_ok=True)
        for name, chosen in (("train", order[:many]), ("test", order[many:])):
            images = np.clip(formants[chosen] / greatest, 0, 1).astype(np.float32)
            np.savez_compressed(folder / f"{name}.npz", images=images, labels=vowels[chosen])


if __name__ == "__main__":
    main()
