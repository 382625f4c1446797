"""Print the slope of the recorded cosines in the number of parameters, and their ratio to the law, by directions.

python experiments/law/slope.py
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from analogff.figures.cosine_vs_parameters import law

RECORD = Path(__file__).parent / "record-directions" / "cosine_vs_parameters.csv"
DIRECTIONS = {"one direction": 1, "16 directions": 16}


def main() -> None:
    """Fit a line through the logarithms of the means, with its 95 % interval."""
    cells = pd.read_csv(RECORD)
    for label, directions in DIRECTIONS.items():
        own = cells[cells["variant"] == label]
        size, mean = own["parameters"].to_numpy(), own["mean"].to_numpy()
        (slope, _), covariance = np.polyfit(np.log(size), np.log(mean), 1, cov=True)
        half = np.sqrt(covariance[0, 0]) * t.ppf(0.975, len(own) - 2)
        print(f"{label}: slope {slope:.3f} +- {half:.3f}; over the law {(mean / law(size, directions)).round(2)}")


if __name__ == "__main__":
    main()
