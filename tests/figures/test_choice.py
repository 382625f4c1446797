"""The table [figure] chooses what figures show, and no run."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.markers import CARETUPBASE

from analogff.cli import main
from analogff.figures import LeftOut, Missing, draw, draw_all
from analogff.figures.draw import draw_one
from analogff.figures.results import Results
from analogff.study.read.spec import read_study
from analogff.study.results.manifest import describe
from analogff.study.run.plan import plan_runs
from analogff.support.mistakes import StudyError
from tests.helpers import synthetic
from tests.study.conftest import RULE, write_study  # noqa: F401

AXES = {"device.read_noise": [0.0, 0.05, 0.2]}
FORWARD = '\n[[rule]]\nname = "forward-forward"\nlabel = "FF"\n'
NOISE = '\n[sweep]\n"device.read_noise" = [0.0, 0.1]\n'


def results(table=None, **changes):
    frame = synthetic.results(AXES, epochs=2)
    return Results.of(frame, {}, {"study": {"sweep": AXES, "figure": table}}, changes)


def first(kind, table=None, **changes):
    return next(iter(draw_one(kind, results(table, **changes))))


@pytest.mark.slow
def test_lines_are_chosen_ordered_named_and_colored():
    table = {
        "lines": ["backprop", "FF probed", "backprop twin"],
        "labels": {"FF probed": "mine", "backprop": "best"},
        "colors": {"FF probed": "#882255"},
    }
    drawing = first("error_vs_epoch", table)
    told = [text.get_text().replace("\n", " ") for text in drawing.figure.legends[0].get_texts()]
    assert told == ["best (oracle, bound)", "mine", "backprop twin"]  # a bound stays one
    assert set(drawing.table["variant"]) == set(told)  # the CSV holds what is drawn
    colors = {line.get_label(): line.get_color() for line in drawing.figure.legends[0].get_lines()}
    assert "#882255" in colors.values()
    changed = first("error_vs_epoch", table, lines=("FF probed",))
    assert set(changed.table["variant"]) == {"mine"}


@pytest.mark.slow
def test_an_interval_beyond_chosen_limits_is_marked():
    drawing = first("error_vs_epoch", axes={"error": {"limits": [1, 20], "scale": "linear", "label": "wrong / %"}})
    panels = drawing.figure.axes
    assert panels[0].get_ylabel() == "wrong / %"
    assert all(axes.get_ylim() == (1, 20) and axes.get_yscale() == "linear" for axes in panels)
    marks = [line for axes in panels for line in axes.lines if line.get_marker() == CARETUPBASE]
    beyond = drawing.table[(drawing.table["mean"] > 20) | (drawing.table["high"] > 20)]
    assert sum(len(line.get_xdata()) for line in marks) == len(beyond) > 0
    assert "interval goes on above" in [text.get_text() for text in drawing.figure.legends[0].get_texts()]


def test_a_swept_axis_has_the_chosen_scale_limits_and_label():
    drawing = first(
        "error_vs_sweep", axes={"device": {"read_noise": {"limits": [0.01, 1], "scale": "log", "label": "σ"}}}
    )
    (axes,) = drawing.figure.axes
    assert (axes.get_xscale(), axes.get_xlim(), axes.get_xlabel()) == ("log", (0.01, 1), "σ")


WRONG = [
    ({"lines": ["EF"]}, 'figure.lines: Expected one of "FF assumed", .*Got "EF".'),
    ({"labels": {"bakprop": "x"}}, "Did you mean backprop"),
    ({"colors": {"FF probed": "blu"}}, 'figure.colors.*Expected a color, .*Got "blu"'),
    ({"axes": {"reeds": {"scale": "log"}}}, "figure.axes: Expected one of error, epoch, .* Did you mean reads"),
    ({"axes": {"error": {"limits": [2, 1]}}}, "figure.axes.error.limits: Expected two numbers, the lower one first"),
    ({"axes": {"error": {"scal": "log"}}}, "figure.axes.error.*Did you mean scale"),
    ({"lines": ["FF probed", "FF probed"]}, "figure.lines: Expected each line once"),
    ({"labels": {"FF probed": "x", "FF assumed": "x"}}, "figure.labels: Expected different names"),
    ({"style": "iee"}, "figure.style: Expected .*ieee"),
    ({"styl": "ieee"}, "Did you mean style"),
]


@pytest.mark.parametrize(("table", "message"), WRONG)
def test_what_there_is_not_is_refused_with_the_choices(table, message):
    with pytest.raises(StudyError, match=message):
        results(**table)


def test_a_study_keeps_its_runs_whatever_its_figures_show(write_study):  # noqa: F811
    table = '\n[figure]\nstyle = "ieee"\nlines = ["FF"]\n[figure.axes.error]\nscale = "log"\n'
    plain = read_study(write_study(rule=RULE + FORWARD, sweep=NOISE))
    chosen = read_study(write_study(rule=RULE + FORWARD, sweep=NOISE + table))
    runs = plan_runs(chosen)
    assert [run.key for run in runs] == [run.key for run in plan_runs(plain)]
    assert describe(chosen, runs)["study"]["figure"]["lines"] == ["FF"]


def test_a_study_with_wrong_figures_is_refused_before_it_runs(write_study):  # noqa: F811
    table = '\n[figure]\nlines = ["bakprop"]\n'
    with pytest.raises(
        StudyError, match='figure.lines: Expected one of "backprop", "FF". Got "bakprop". Did you mean backprop?'
    ):
        read_study(write_study(rule=RULE + FORWARD, sweep=NOISE + table))
    with pytest.raises(StudyError, match="sweep.figure.style: .*It changes no run"):
        read_study(write_study(rule=RULE, sweep='\n[sweep]\n"figure.style" = ["ieee", "nature"]\n'))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    axes = {"device.adc_bits": [float(n) for n in range(7)], "device.family": ["saturating", "non-monotone"]}
    frame = synthetic.results(axes, rules=synthetic.RULES[:1], epochs=2, chips=3)
    return synthetic.write(tmp_path_factory.mktemp("many") / "study", frame, axes)


@pytest.mark.slow
def test_of_many_figures_twenty_are_drawn_of_all_kinds_and_the_number_is_said(many, monkeypatch):
    saved = []
    monkeypatch.setattr("analogff.figures.drawn.Drawn.save", lambda self, drawing: saved.append(drawing.name))
    with pytest.warns(LeftOut, match=r"figures could be drawn: 20 are.*--all") as said:
        draw_all(many)
    total = int(str(said[0].message).split()[0])
    assert len(saved) == 20 < total
    kinds = {kind for kind in draw.FIGURES for name in saved if name.startswith(kind)}
    assert {"error_vs_epoch", "error_vs_reads", "heat_map", "energy_split"} <= kinds
    saved.clear()
    draw_all(many, every=True)
    assert len(saved) == total


@pytest.mark.slow
def test_figures_that_all_drew_stay_as_long_as_their_numbers_do(tmp_path, monkeypatch):
    monkeypatch.setattr(draw, "MOST", 2)
    axes = {"device.read_noise": [0.0, 0.1]}
    frame = synthetic.results(axes, rules=synthetic.RULES[:1], epochs=1, chips=1)
    folder = synthetic.write(tmp_path / "study", frame, axes)
    every = {*draw_all(folder, every=True, formats=("png",))}
    with pytest.warns(LeftOut):
        some = {*draw_all(folder, formats=("png",))}
    assert some < every and all(path.is_file() for path in every)
    with pytest.warns(LeftOut):
        draw_all(folder, formats=("png",))  # the list still has them
    shutil.rmtree(folder / "results")
    synthetic.write(folder, frame.assign(test_error=frame["test_error"] + 1), axes)
    with pytest.warns(LeftOut):
        draw_all(folder, formats=("png",))
    gone = {path.stem for path in every if not path.exists()}
    assert gone and not any(path.stem in gone for path in some)


def test_the_command_draws_one_kind_in_a_style_and_says_what_is_missing(many, tmp_path, capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["plot", str(many), "--out", str(tmp_path / "out"), *arguments])
        return stop.value.code, capsys.readouterr()

    status, _ = call(
        "--kind", "heat_map", "--style", "nature", "--format", "svg", "--set", "figure.axes.error.scale=log"
    )
    files = {path.suffix: path for path in (tmp_path / "out").iterdir()}
    assert status == 0 and set(files) == {".svg", ".csv", ".txt", ".json"}
    assert "89mm" in files[".svg"].read_text() or "252.28" in files[".svg"].read_text()
    for arguments, message in (
        (
            ("--kind", "mortality_matrix"),
            "mortality_matrix: Expected weights that were copied to several chips. Got none.",
        ),
        (("--kind", "confusion_matrix"), "confusion_matrix: Expected trained chips. Got none. Write keep = true"),
        (("--kind", "heatmap"), "Did you mean heat_map?"),
        (("--style", "iee"), "Did you mean ieee?"),
        (("--columns", "3"), "columns: Expected a number less than or equal to 2. Got 3"),
        (("--format", "pdf,jpg"), 'Got "jpg"'),
        (("--set", "lines=['EF']"), "figure.lines: Expected one of"),
    ):
        status, said = call(*arguments)
        assert status == 2 and message in said.err and "Traceback" not in said.err, arguments


@pytest.mark.parametrize("kind", [*draw.FIGURES, *draw.ON_DEMAND])
def test_each_kind_says_what_is_missing(kind):
    """A study of one run, one epoch and one chip, whose devices cost nothing."""
    frame = synthetic.results({}, rules=synthetic.RULES[:1], epochs=1, chips=1)
    costs = [c for c in frame if c.endswith(("joules", "seconds")) or c == "reads"]
    bare = Results.of(frame.assign(**dict.fromkeys(costs, 0.0)), {}, {"study": {"sweep": {}}})
    with pytest.raises(Missing, match=rf"^{kind}: Expected .*\. Got .*\. [A-Z].*\.$"):
        list(draw_one(kind, bare))


@pytest.mark.slow
def test_a_caption_says_of_what_the_figure_is(tmp_path):
    frame = synthetic.results(AXES, rules=synthetic.RULES[:2], epochs=2, chips=3)
    folder = synthetic.write(tmp_path / "study", frame, AXES)
    draw_all(folder, kind="error_vs_sweep")
    text = (folder / "figures" / "error_vs_device_read_noise.txt").read_text()
    assert text.startswith("Test error at the last epoch against read noise.")
    assert "Reads per sample" not in text  # which is one a layer
    manifest = json.loads((folder / "manifest.json").read_text()) | {"reads_per_sample": [784, 196, 1]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    draw_all(folder, kind="error_vs_sweep")
    read = (folder / "figures" / "error_vs_device_read_noise.txt").read_text()
    assert "Reads per sample and pass: 784 + 196 + 1, a layer each." in read
    assert "n = 3 chips" in text and "95 % confidence intervals (Student's t over chips)" in text
    table = pd.read_csv(folder / "figures" / "error_vs_device_read_noise.csv")
    assert (table["chips"] == 3).all() and np.isfinite(table["low"]).all()
