"""The figure of a life shows every look of it against what changes most."""

import numpy as np
import pytest

from analogff.figures.draw import draw_one
from analogff.figures.results import Missing, Results
from analogff.study.results.manifest import read_manifest
from analogff.study.results.store import load_measurements, load_results
from tests.study.conftest import write_study  # noqa: F401
from tests.study.run.test_life import IDEAL, LOOK, event, lived

LIVES = {
    "age_seconds": LOOK + event("wait", seconds='"1 day"') + LOOK + event("train", images=100) + LOOK,
    "images": LOOK + event("train", images=100) + LOOK,
    "event": LOOK + event("copy", to=9) + LOOK,
}


@pytest.mark.slow
@pytest.mark.parametrize("x", LIVES)
def test_every_look_is_drawn(x, write_study, tmp_path):  # noqa: F811
    events = lived(write_study(device=IDEAL, sweep=LIVES[x]), tmp_path / "out")
    results = Results.of(
        load_results(tmp_path / "out"), load_measurements(tmp_path / "out"), read_manifest(tmp_path / "out")
    )
    (drawing,) = draw_one("error_vs_event", results)
    looks = events[events["do"] == "evaluate"].groupby("event")["test_error"].mean()
    np.testing.assert_allclose(drawing.table["mean"], looks)
    (axes,) = drawing.figure.axes
    np.testing.assert_allclose(axes.lines[0].get_xdata(), drawing.table[x])
    assert axes.get_xscale() == ("log" if x == "age_seconds" else "linear")


def test_a_single_look_is_no_figure(write_study, tmp_path):  # noqa: F811
    lived(write_study(device=IDEAL, sweep=LOOK), tmp_path / "out")
    results = Results.of(
        load_results(tmp_path / "out"), load_measurements(tmp_path / "out"), read_manifest(tmp_path / "out")
    )
    with pytest.raises(Missing, match="Expected a life with several evaluations"):
        list(draw_one("error_vs_event", results))
