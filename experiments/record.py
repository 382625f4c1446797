"""Keep what an experiment found: every run's numbers by epoch, the manifest, and chosen figures.

python experiments/record.py results/quickstart experiments/quickstart/record error_vs_device_read_noise
"""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from analogff.study.results.parts import StoreError
from analogff.study.results.store import load_measurement, load_results
from analogff.study.results.summary import last_epochs


def main(
    results: Annotated[Positional[Path], arg(metavar="RESULTS")],
    record: Annotated[Positional[Path], arg(metavar="RECORD")],
    figures: Annotated[Positional[tuple[str, ...]], arg(metavar="[FIGURE ...]")] = (),
    last: bool = False,
) -> None:
    """Write results.csv, manifest.json, the png and csv of each figure, and events.csv where chips had a life.

    Args:
        results: Folder that a study was run into.
        record: Folder to keep them in.
        figures: Names of figures, without their endings.
        last: Keep the last evaluation of each run only, and the evaluations of its life, for studies of very many runs.
    """
    frame = load_results(results)
    wanted = [results / "manifest.json"]
    wanted += [results / "figures" / f"{figure}.{kind}" for figure in figures for kind in ("png", "csv")]
    if missing := [path for path in wanted if not path.exists()]:
        there = sorted(path.stem for path in (results / "figures").glob("*.csv"))
        advice = f"Give a folder that analogff run has finished, and figures from {', '.join(there) or 'none'}."
        raise StoreError(f"Expected {missing[0]}. Got no such file. {advice}")
    frame = last_epochs(frame) if last else frame
    wanted += [path for path in [results / "tuning" / "choice.json"] if path.exists()]
    record.mkdir(parents=True, exist_ok=True)
    frame.drop(columns="run").to_csv(record / "results.csv", index=False, float_format="%.6g")
    for path in wanted:
        shutil.copy(path, record)
    if (events := load_measurement(results, "events")) is not None:
        events = events[events["do"] == "evaluate"] if last else events
        told = frame.drop_duplicates("run")[["run", "label"]].merge(events, on="run").drop(columns="run")
        told.to_csv(record / "events.csv", index=False, float_format="%.5g")


if __name__ == "__main__":
    try:
        tyro.cli(main, description=__doc__)
    except StoreError as error:
        sys.exit(str(error))
