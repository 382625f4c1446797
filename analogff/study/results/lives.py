"""Results of studies that sweep what happens after training."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

LAST_EPOCH = "at the last epoch"
_ERRORS = ["validation_error", "test_error"]


def sweeps_life(manifest: Mapping[str, Any]) -> bool:
    """Return whether a swept path belongs to an event."""
    return any(path.startswith("event.") for path in manifest.get("study", {}).get("sweep", {}))


def at_end_of_life(frame: pd.DataFrame, manifest: Mapping[str, Any], events: pd.DataFrame | None) -> pd.DataFrame:
    """Return results with the errors of the last evaluation in a life in place of those after the last epoch.

    So they are where the study sweeps an event, since the errors after training are then the same at each value. Other
    studies, and runs whose life has no evaluation, keep theirs.

    Args:
        frame: Results, as `analogff.study.results.store.load_results` returns.
        manifest: The manifest of the study, for its swept paths.
        events: The table of events; None for none.
    """
    if events is None or not sweeps_life(manifest):
        return frame
    looks = events[events["do"] == "evaluate"]
    found = looks.loc[looks.groupby("run")["event"].idxmax()].set_index("run")[_ERRORS]
    last = frame["epoch"] == frame.groupby("run")["epoch"].transform("max")
    judged = last & frame["run"].isin(found.index)
    frame = frame.copy()
    frame.loc[judged, _ERRORS] = found.loc[frame.loc[judged, "run"]].to_numpy()
    return frame


def judged_when(manifest: Mapping[str, Any]) -> str:
    """Return in words when the errors of `at_end_of_life` are measured."""
    return "at the end of life" if sweeps_life(manifest) else LAST_EPOCH
