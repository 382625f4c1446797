"""A study that sweeps an event is judged at the end of life; every other one at the end of training."""

import numpy as np
import pandas as pd

from analogff.figures.draw import draw_one
from analogff.figures.results import Results
from analogff.study.results.lives import LAST_EPOCH, at_end_of_life, judged_when
from analogff.study.results.summary import summarize
from tests.study.results.test_summary import results

PATH = "event.1.seconds"


def lived(errors, path=PATH):
    """Return results, a manifest, and events of lives that end with these errors, ``{seconds: errors of chips}``."""
    frame = results({("ff", "probed", seconds): [20.0] * len(chips) for seconds, chips in errors.items()})
    frame = frame.rename(columns={"device.read_noise": path})
    rows = [
        {"run": f"ff probed {seconds} {chip} 0", "event": event, "do": do, "test_error": error + later}
        for seconds, chips in errors.items()
        for chip, error in enumerate(chips)
        for event, do, later in ((1, "evaluate", -1.0), (2, "wait", np.nan), (3, "evaluate", 0.0), (4, "set", np.nan))
    ]
    manifest = {"study": {"sweep": {path: list(errors)}}, "runs": list(frame["run"].unique())}
    return frame, manifest, pd.DataFrame(rows).assign(chip=0, seed=0, validation_error=7.0)


def test_a_swept_event_is_judged_by_the_last_evaluation():
    frame, manifest, events = lived({1.0: [30.0, 32.0], 100.0: [40.0, 44.0]})
    judged = at_end_of_life(frame, manifest, events)
    assert list(summarize(judged, manifest)["mean"]) == [31.0, 42.0]
    assert (judged.loc[judged["epoch"] == 2, "validation_error"] == 7).all()
    first = judged["epoch"] == 1
    pd.testing.assert_frame_equal(judged[first], frame[first], check_dtype=False)
    assert (frame.loc[frame["epoch"] == 2, "test_error"] == 20).all()  # what was given is left as it is
    assert judged_when(manifest) == "at the end of life"


def test_without_a_swept_event_or_an_evaluation_the_training_is_judged():
    frame, manifest, events = lived({1.0: [30.0]}, path="device.read_noise")
    assert at_end_of_life(frame, manifest, events) is frame and judged_when(manifest) == LAST_EPOCH
    frame, manifest, events = lived({1.0: [30.0]})
    assert at_end_of_life(frame, manifest, None) is frame
    judged = at_end_of_life(frame, manifest, events[events["do"] != "evaluate"])
    pd.testing.assert_frame_equal(judged, frame, check_dtype=False)


def test_the_figure_of_a_swept_event_shows_the_end_of_life():
    frame, manifest, events = lived({1.0: [30.0, 32.0], 100.0: [40.0, 44.0]})
    (drawing,) = draw_one("error_vs_sweep", Results.of(frame, {"events": events}, manifest))
    assert list(drawing.table["mean"]) == [31.0, 42.0] and "at the end of life" in drawing.caption
