"""The Gantt chart: time runs forward, long spans are cut, and the table is the log."""

import numpy as np
import pytest

import analogff as ff
from analogff.figures.timeline import _Clock, draw_timeline, table
from analogff.support.mistakes import StudyError
from analogff.timeline import Interval, Log

SPANS = [(0, 1e-8), (1e-8, 2e-8), (2e-8, 1e-3), (1e-3, 1e-3 + 1e-8)]


@pytest.fixture
def log():
    kinds = ("convert", "read", "write", "digital")
    uses = [
        Interval(f"layer 1 {kind}", kind, kind, 0, n - 1, 0, "pass", start, end, 1e-12, 0.0)
        for n, (kind, (start, end)) in enumerate(zip(kinds, SPANS, strict=True))
    ]
    return Log(3, [use.resource for use in uses], uses, ends=[SPANS[-1][1]])


def test_a_span_in_which_nothing_happens_is_cut_and_no_other(log):
    clock = _Clock(log)
    assert list(clock.cuts()) == [(2, 3)]
    places = np.array([clock.at(moment) for moment in clock.moments])
    drawn = np.diff(places)
    assert (drawn > 0).all() and drawn[[0, 1, 3]] == pytest.approx(1e-8)
    assert drawn[2] <= 6 * 1e-8  # of a million


def test_each_use_is_a_bar_and_a_row(log):
    drawing = draw_timeline("a rule", log)
    (axes,) = drawing.figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == log.resources
    assert len([bar for container in axes.containers for bar in container]) == len(log.intervals)
    rows = table("a rule", log)
    assert list(rows["start_seconds"]) == [start for start, _ in SPANS]
    assert set(rows.columns) >= {"rule", "resource", "kind", "pass", "image", "joules"}


@pytest.mark.slow
def test_timelines_of_a_study_in_python():
    study = ff.Study(
        name="tiny", dataset="digits", layers=(8,), epochs=1, chips=1, device="reram", rule=["mono-forward", "backprop"]
    )
    few, many = (
        study.timelines(
            images=1, tile_columns=8, adcs_per_tile=adcs, digital_macs_per_second=1e13, memory_bytes_per_second=1e13
        )
        for adcs in (1, 8)
    )
    assert few.rules == ["inference", "mono forward", "backprop"]
    assert (few.table["samples_per_second"] < many.table["samples_per_second"]).all()
    assert (few.table["busiest"].iloc[0], many.table["busiest"].iloc[0]) == ("layer 1 ADC", "layer 1 array")
    assert few.plot("backprop").axes and "resource" in few.events("backprop")
    assert "samples_per_second" in few._repr_html_()
    with pytest.raises(ValueError, match=r"Expected one of inference, mono forward, backprop. Got 'FF'."):
        few.plot("FF")
    with pytest.raises(StudyError, match="pipeline.tile_rows"):
        study.timelines(tile_rows=0)
