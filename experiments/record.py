"""Keep what an experiment found: every run's numbers by epoch, the manifest, and chosen figures.

python experiments/record.py results/quickstart experiments/quickstart/record error_vs_device_read_noise
"""

import shutil
import sys
from pathlib import Path

from analogff.study.store import load_results


def main(results: str, record: str, *figures: str) -> None:
    """Write ``record/{results.csv, manifest.json, <figure>.png, <figure>.csv}``."""
    source, target = Path(results), Path(record)
    target.mkdir(parents=True, exist_ok=True)
    frame = load_results(source)
    frame.drop(columns="run").to_csv(target / "results.csv", index=False, float_format="%.6g")
    shutil.copy(source / "manifest.json", target)
    for figure in figures:
        for kind in ("png", "csv"):
            shutil.copy(source / "figures" / f"{figure}.{kind}", target)


if __name__ == "__main__":
    main(*sys.argv[1:])
