"""Every figure holds exactly the numbers of its CSV, and they are the right ones."""

import shutil
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.markers import CARETDOWNBASE
from scipy.stats import t

from analogff.figures import (
    LeftOut,
    draw,
    draw_all,
    energy_split,
    energy_to_error,
    error_vs_epoch,
    error_vs_reads,
    error_vs_sweep,
    goodness_histogram,
    layer_error_vs_epoch,
)
from analogff.figures.aggregate import everywhere
from analogff.figures.drawing import Drawing
from analogff.figures.lines import draw_panels
from analogff.figures.results import Missing, Results, at_most
from analogff.figures.scales import thin_out
from analogff.figures.style import RC, WIDTH_INCHES, looks
from analogff.study.results.names import axis_label, file_name, is_bound, value_label, variant_labels
from tests.helpers import synthetic

AXES = {"device.family": ["saturating", "non-monotone"], "device.read_noise": [0.0, 0.05, 0.2]}


def named(frame, axes=AXES, goodness=None, layers=None):
    tables = {"goodness": goodness, "layers": layers}
    there = {name: table for name, table in tables.items() if table is not None}
    return Results.of(frame, there, {"study": {"sweep": axes}})


def test_every_figure_is_in_the_one_list_and_is_a_file_of_its_own():
    files = [path.stem for path in Path(draw.__file__).parent.glob("*.py") if "\ndef draw(" in path.read_text()]
    assert sorted((*draw.FIGURES, *draw.ON_DEMAND)) == sorted(files)


def test_a_new_figure_is_one_file_and_one_line_and_names_what_it_draws(tmp_path, monkeypatch):
    from analogff import figures

    (tmp_path / "chips.py").write_text(
        "from matplotlib.figure import Figure\nfrom analogff.figures.drawing import Drawing\n"
        "def draw(results):\n    yield Drawing('how_many', Figure, results.frame[['chip']])\n"
    )
    folder = synthetic.write(tmp_path / "study", synthetic.results({}, chips=1), {})
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    monkeypatch.setattr(draw, "FIGURES", ("chips",))
    try:
        written = {path.name for path in draw_all(folder)}
        assert written == {f"how_many.{kind}" for kind in ("pdf", "png", "csv", "txt")}
    finally:
        sys.modules.pop("analogff.figures.chips", None)


def student(errors):
    """Mean and 95 % interval of a list of chips, by the book."""
    n = len(errors)
    half = t.ppf(0.975, n - 1) * np.std(errors, ddof=1) / n**0.5
    return np.mean(errors), np.mean(errors) - half, np.mean(errors) + half


def by_hand(frame, **wanted):
    """Select runs, average each chip over its seeds, and take the interval over chips."""
    for column, value in wanted.items():
        frame = frame[frame[column.replace("__", ".")] == value]
    return student([chip["test_error"].mean() for _, chip in frame.groupby("chip")])


def test_sweep_csv_holds_the_t_intervals_of_the_last_epoch():
    first, second = synthetic.results(AXES), synthetic.results(AXES, seed=1).assign(seed=1)
    frame = pd.concat([first, second.assign(run="1/" + second["run"])], ignore_index=True)
    drawing, by_name = error_vs_sweep.draw(named(frame))
    assert [drawing.name, by_name.name] == ["error_vs_device_read_noise", "error_vs_device_family"]
    assert len(drawing.table) == 2 * 3 * len(synthetic.RULES)
    for row in drawing.table.query("variant == 'FF probed'").to_dict("records"):
        point = {"device__family": row["device.family"], "device__read_noise": row["device.read_noise"]}
        expected = by_hand(frame, epoch=3, rule="forward-forward", rule__slope="probed", **point)
        assert (row["mean"], row["low"], row["high"]) == pytest.approx(expected)
        assert row["chips"] == 4


def test_epoch_csv_and_its_one_file_a_number():
    frame = synthetic.results(AXES)
    drawings = list(error_vs_epoch.draw(named(frame)))
    assert [d.name for d in drawings] == [f"error_vs_epoch-read_noise_{v}" for v in ("0", "0.05", "0.2")]
    row = drawings[1].table.query("variant == 'backprop twin' and epoch == 2").iloc[0]
    point = {"device__family": row["device.family"], "device__read_noise": 0.05}
    expected = by_hand(frame, epoch=2, rule="backprop", rule__through="twin", **point)
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.parametrize("figure", [error_vs_sweep, error_vs_epoch, error_vs_reads])
def test_what_is_plotted_is_what_the_csv_says(figure):
    drawing = next(iter(figure.draw(named(synthetic.results(AXES)))))
    drawn = [
        y for axes in drawing.figure.axes for line in axes.lines if len(line.get_xdata()) == 3 for y in line.get_ydata()
    ]
    bars = [s for axes in drawing.figure.axes for c in axes.collections for s in c.get_segments()]
    assert set(drawing.table["mean"]) <= set(drawn)
    low, high = np.sort([[s[0][1], s[1][1]] for s in bars]).T
    assert np.sort(low) == pytest.approx(np.sort(drawing.table["low"]))
    assert np.sort(high) == pytest.approx(np.sort(drawing.table["high"]))


def test_reads_are_the_stored_ones_and_zero_has_a_place():
    drawing = next(iter(error_vs_reads.draw(named(synthetic.results(AXES)))))
    table = drawing.table.query("epoch == 3").groupby("variant")["reads"].first()
    assert table["FF assumed"] == 540_000 and table["backprop deployed"] == 0
    assert drawing.figure.axes[0].get_xlim()[0] < 0


def test_the_split_of_the_energy_is_the_mean_over_runs_and_its_bars_are_shares():
    frame = synthetic.results(AXES)
    frame["chip_joules"] += 1e-3 * frame["chip"]
    frame["system_joules"] += 1e-3 * frame["chip"]
    drawings = list(energy_split.draw(named(frame)))
    assert [d.name for d in drawings] == [f"energy_split-{f}-read_noise_0" for f in ("saturating", "non-monotone")]
    table, parts = drawings[0].table, list(energy_split.PARTS)
    np.testing.assert_allclose(table[parts].sum(axis=1), table["system_joules"])
    last = frame[(frame["epoch"] == 3) & (frame["device.family"] == "saturating") & (frame["device.read_noise"] == 0)]
    twin = last[last["rule.through"] == "twin"]
    found = table[table["variant"] == "backprop twin"].iloc[0]
    assert found["chip_joules"] == pytest.approx(twin["chip_joules"].mean()) and found["runs"] == len(twin) == 4
    whole, of_the_chip = table[parts], table[parts[:3]]
    shares = [100 * some.div(some.sum(axis=1), axis=0).to_numpy() for some in (whole, of_the_chip)]
    widths = [bar.get_width() for bar in drawings[0].figure.axes[0].patches]
    assert widths == pytest.approx(np.concatenate([share.T.ravel() for share in shares]))


def test_the_energy_to_an_error_is_a_mean_or_a_lower_bound_and_says_which():
    frame = synthetic.results(AXES, epochs=4)
    with pytest.raises(Missing, match="Expected target_error in the study"):
        list(energy_to_error.draw(named(frame)))
    frame.loc[frame["rule.slope"] == "probed", "test_error"] = 3.0
    frame.loc[(frame["rule.slope"] == "assumed") & (frame["chip"] > 0), "test_error"] = 50.0
    frame.loc[(frame["rule.slope"] == "assumed") & (frame["chip"] == 0), "test_error"] = 4.0
    frame.loc[frame["rule"] == "weight-perturbation", "test_error"] = 60.0
    results = Results.of(frame, {}, {"study": {"sweep": AXES, "target_error": 5.0}})
    drawings = list(energy_to_error.draw(results))
    assert [d.name for d in drawings] == [f"energy_to_error-{f}-read_noise_0" for f in AXES["device.family"]]
    table = drawings[0].table.set_index("variant")
    here = frame[(frame["device.family"] == "saturating") & (frame["device.read_noise"] == 0)]
    joules = {s: here[here["rule.slope"] == s].groupby("epoch")["system_joules"].first() for s in ("probed", "assumed")}
    assert table.loc["FF probed", "system_joules"] == pytest.approx(joules["probed"][1])
    assert table.loc["FF assumed", "system_joules"] == pytest.approx(
        (joules["assumed"][1] + 3 * joules["assumed"][4]) / 4
    )
    reached = {"FF probed": 4, "FF assumed": 1, "weight perturbation": 0}
    assert table["reached"][list(reached)].to_dict() == reached and (table["runs"] == 4).all()
    assert table["low"].notna().to_dict().items() >= {"FF probed": True, "FF assumed": False}.items()
    widths = [bar.get_width() for bar in drawings[0].figure.axes[0].patches]
    drawn = table[list(energy_split.PARTS)].where(table["reached"] > 0, 0.0)
    assert widths == pytest.approx(drawn.to_numpy().T.ravel())
    said = " ".join(text.get_text().replace("\n", " ") for text in drawings[0].figure.axes[0].texts)
    assert "reached by 1 of 4" in said and "weight perturbation: not reached" in said


def test_one_chip_has_no_interval():
    drawing, _ = error_vs_sweep.draw(named(synthetic.results(AXES, chips=1)))
    assert drawing.table["low"].isna().all() and drawing.table["mean"].notna().all()


@pytest.mark.slow
def test_diverged_chips_are_left_out_counted_and_marked():
    frame = synthetic.results(AXES, epochs=1)
    lost = (frame["rule"] == "weight-perturbation") & (frame["chip"] == 2)
    frame.loc[lost, ["test_error", "diverged"]] = [np.nan, True]
    drawing, _ = error_vs_sweep.draw(named(frame))
    rows = drawing.table.query("variant == 'weight perturbation'")
    assert (rows["chips"] == 3).all() and (rows["diverged"] == 1).all()
    crosses = [line for axes in drawing.figure.axes for line in axes.lines if line.get_marker() == "x"]
    assert sum(len(line.get_xdata()) for line in crosses) == len(rows)
    assert "some runs diverged" in [text.get_text() for text in drawing.figure.legends[0].get_texts()]


@pytest.mark.parametrize(
    "names", [AXES["device.family"], ["saturating", "exponential", "non-monotone", "reram", "pcm"]]
)
def test_a_sweep_of_names_alone_has_a_figure_that_names_them_all(names):
    axes = {"device.family": names}
    (drawing,) = error_vs_sweep.draw(named(synthetic.results(axes), axes))
    with mpl.rc_context(RC):
        thin_out(drawing.figure)
        drawing.figure.draw_without_rendering()
    assert [label.get_text() for label in drawing.figure.axes[0].get_xticklabels()] == names


def test_devices_that_only_several_numbers_tell_apart_have_names_that_fit():
    whole = "unknown, family = softplus, mismatch = 0.1, read_noise = {}, adc_bits = {}"
    chips = [whole.format(*pair) for pair in ((0.05, 6), (0.02, 8), (0.02, 6))]
    axes = {"device": [*chips, "reram, preset = constant-step, read_noise = 0.1", "ideal"]}
    with mpl.rc_context(RC):
        (drawing,) = error_vs_sweep.draw(named(synthetic.results(axes), axes))
        drawing.figure.draw_without_rendering()
    (panel,) = drawing.figure.axes
    labels = panel.get_xticklabels()
    first = ["unknown\nread noise = 0.05\nADC bits = 6", "unknown\nread noise = 0.02\nADC bits = 8"]
    assert [label.get_text() for label in labels][:2] == first
    assert [label.get_text() for label in labels][3:] == ["reram", "ideal"]
    boxes = [label.get_window_extent() for label in labels]
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))
    assert min(box.y0 for box in boxes) > 0 and panel.get_window_extent().height > drawing.figure.dpi


def test_rules_that_an_axis_does_not_concern_are_shown_at_each_of_its_values():
    frame = pd.DataFrame({"rule": ["a", "b", "b"], "x": [np.nan, 1.0, 2.0]})
    assert sorted(everywhere(frame, ["x"]).query("rule == 'a'")["x"]) == [1.0, 2.0]


def test_labels_are_the_shortest_that_tell_variants_apart():
    frame = pd.DataFrame(synthetic.RULES)
    labels = variant_labels(frame, [])
    assert list(labels) == [
        *("FF assumed", "FF probed", "FF (oracle, bound)"),
        *("backprop twin", "backprop deployed", "backprop (oracle, bound)"),
        "weight perturbation",
    ]
    assert list(labels[labels.map(is_bound)]) == ["FF (oracle, bound)", "backprop (oracle, bound)"]
    two = pd.DataFrame({"rule": "x", "rule.learning_rate": [0.1, 0.2], "rule.batch": [1, 2], "rule.same": 3})
    assert list(variant_labels(two, [])) == ["x learning rate 0.1", "x learning rate 0.2"]
    assert list(variant_labels(two.drop(columns="rule.batch"), ["rule.0.learning_rate"])) == ["x", "x"]
    mixed = pd.DataFrame({"rule": "x", "rule.scale": ["12.0", "measured"]})
    assert list(variant_labels(mixed, [])) == ["x scale 12", "x measured"]
    alone = pd.DataFrame({"rule": ["backprop"], "rule.through": ["oracle"]})
    assert list(variant_labels(alone, [])) == ["backprop (oracle, bound)"]


def test_a_variant_is_called_what_the_study_calls_it():
    frame = pd.DataFrame(synthetic.RULES)
    frame["label"] = [None, "FF, tuned", "FF, true slopes", None, None, "backprop twin", None]
    assert list(variant_labels(frame, [])) == [
        *("FF", "FF, tuned", "FF, true slopes (oracle, bound)"),
        *("backprop twin", "backprop deployed", "backprop twin (label) (oracle, bound)"),  # two lines, never one
        "weight perturbation",
    ]
    assert list(variant_labels(frame.assign(label="all the same"), []).map(is_bound)) == list(
        frame.isin(["oracle"]).any(axis=1)
    )


def test_axes_are_named_with_their_units():
    assert axis_label("wait_seconds") == "wait / s"
    assert axis_label("device.0.adc_bits") == "ADC bits (device 0)"
    assert value_label("wait_seconds", 3600.0) == "wait = 3600 s"
    assert file_name("a", "b = 0.1", "", "(c, d)") == "a-b_0.1-c_d"


def test_histograms_of_unlike_bins_add_up_without_loss():
    frame = synthetic.results({}, rules=synthetic.RULES[:1])
    histograms = synthetic.goodness(frame, {})
    table = goodness_histogram.add_up(histograms)
    counted = histograms.groupby(["layer", "polarity"])["count"].sum()
    assert table.groupby(["layer", "polarity"])["count"].sum().to_dict() == counted.to_dict()
    assert table.groupby(["layer", "polarity"])["share"].sum().to_numpy() == pytest.approx(1)
    assert (table["bin_high"] - table["bin_low"] == 0.25).all()  # the widest of 1/8 and 1/4
    for _, bins in table.groupby(["layer", "polarity"]):
        assert (bins["bin_low"].to_numpy()[1:] == bins["bin_high"].to_numpy()[:-1]).all()
    low = histograms.query("layer == 1 and polarity == 'positive' and bin_high <= 4")["count"].sum()
    assert table.query("layer == 1 and polarity == 'positive' and bin_high <= 4")["count"].sum() == low


def test_histograms_leave_diverged_runs_out():
    frame = synthetic.results({}, rules=synthetic.RULES[:1])
    frame["diverged"] = frame["chip"] == 0
    (drawing,) = goodness_histogram.draw(named(frame, {}, synthetic.goodness(frame, {})))
    assert drawing.name == "goodness_histogram-FF"
    assert len(drawing.figure.axes) == 2, "a panel a layer"
    assert drawing.table.query("layer == 2 and polarity == 'negative'")["count"].sum() == 3000


def test_histograms_of_a_variant_without_a_value_on_a_named_axis_are_drawn_once():
    """Such as a rule that has no option that is swept for others."""
    frame = synthetic.results({"rule.order": ["joint", "greedy"]}, rules=synthetic.RULES[:2])
    unconcerned = frame["rule.slope"] == "probed"
    frame.loc[unconcerned, "rule.order"] = None
    frame = frame[~(unconcerned & frame["run"].str.startswith("greedy"))]
    drawings = list(
        goodness_histogram.draw(named(frame, {"rule.order": []}, synthetic.goodness(frame, ["rule.order"])))
    )
    assert {drawing.name for drawing in drawings} == {
        "goodness_histogram-FF_assumed-joint",
        "goodness_histogram-FF_assumed-greedy",
        "goodness_histogram-FF_probed",
    }
    for drawing in drawings:
        assert drawing.table.query("layer == 1 and polarity == 'positive'")["count"].sum() == 4 * 1000


def test_layer_errors_have_a_panel_a_variant_a_line_a_layer_and_intervals_over_chips():
    frame = synthetic.results(AXES, rules=synthetic.RULES[:2])
    frame["diverged"] = (frame["chip"] == 3) & (frame["rule.slope"] == "assumed")
    drawings = list(layer_error_vs_epoch.draw(named(frame, layers=synthetic.layers(frame, AXES))))
    assert [d.name for d in drawings] == [
        f"layer_error_vs_epoch-{family}-read_noise_0" for family in AXES["device.family"]
    ]
    table = drawings[1].table
    assert len(table) == 2 * 3 * 3 and [axes.get_title() for axes in drawings[1].figure.axes] == [
        "FF assumed",
        "FF probed",
    ]
    row = table.query("variant == 'FF assumed' and layer == 'layer 2' and epoch == 3").iloc[0]
    whole = frame[(frame["rule.slope"] == "assumed") & ~frame["diverged"]]
    point = {"device__family": "non-monotone", "device__read_noise": 0.0}
    expected = 0.5 * np.array(by_hand(whole, epoch=3, **point))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(tuple(expected)) and row["chips"] == 3
    assert drawings[1].figure.axes[0].get_ylabel() == "validation error / %"
    lost = frame.assign(diverged=True)
    with pytest.raises(Missing, match="Expected errors of each layer"):
        list(layer_error_vs_epoch.draw(named(lost, layers=synthetic.layers(lost, AXES))))


def test_bounds_look_like_bounds_and_no_two_variants_alike():
    variants = [f"rule {n}" for n in range(7)] + ["a (oracle, bound)", "b (oracle, bound)"]
    look = looks(variants)
    assert len({(v.color, v.marker, str(v.linestyle)) for v in look.values()}) == len(variants)
    assert all(look[v].markerfacecolor == "white" and look[v].linestyle[1] for v in variants[-2:])


@pytest.fixture
def small(tmp_path):
    """A study of one run, of which there is one figure."""
    return synthetic.write(tmp_path / "study", synthetic.results({}, rules=synthetic.RULES[:1], epochs=1, chips=1), {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    axes = {"device.read_noise": [0.0, 0.1]}
    frame = synthetic.results(axes, rules=synthetic.RULES[:1], epochs=2)
    return synthetic.write(
        tmp_path_factory.mktemp("study"), frame, axes, synthetic.goodness(frame, axes), synthetic.layers(frame, axes)
    )


@pytest.mark.slow
def test_a_figure_is_always_the_same(folder):
    before = dict(mpl.rcParams)
    once, again = ([path.read_bytes() for path in draw_all(folder, kind="error_vs_epoch")] for _ in range(2))
    assert once == again and len(once) == 4 and dict(mpl.rcParams) == before


def test_draw_all_writes_each_figure_three_times(blank_figures, folder):
    paths = draw_all(folder)
    assert {p.parent for p in paths} == {folder / "figures"}
    assert sorted(p for p in (folder / "figures").iterdir()) == sorted([*paths, folder / "figures" / "drawn.json"]), (
        "no temporary file is left"
    )
    assert {p.stem for p in paths if p.suffix == ".pdf"} == {p.stem for p in paths if p.suffix == ".csv"}
    expected = {"error_vs_device_read_noise", "error_vs_epoch", "error_vs_reads", "energy_split-read_noise_0"}
    assert expected | {"layer_error_vs_epoch-read_noise_0"} <= {p.stem for p in paths}


@pytest.mark.slow
def test_figures_fit_a_column_and_the_legend_hides_nothing(folder):
    with mpl.rc_context(RC):
        drawing, _ = error_vs_sweep.draw(named(synthetic.results(AXES)))
        assert drawing.figure.get_figwidth() == WIDTH_INCHES
        drawing.figure.draw_without_rendering()
        legend = drawing.figure.legends[0].get_window_extent()
        assert not any(legend.overlaps(axes.get_tightbbox()) for axes in drawing.figure.axes)
        assert 0 <= legend.x0 and legend.x1 <= drawing.figure.bbox.x1
    sizes = [v for k, v in RC.items() if k == "font.size" or k.endswith(("labelsize", "titlesize", "fontsize"))]
    assert len(sizes) == 7 and min(sizes) >= 7


def test_a_figure_of_results_that_are_gone_is_removed_and_nobody_elses(blank_figures, tmp_path):
    """Only what the list in the folder says was drawn, and is still as it was drawn."""
    axes = {"device.read_noise": [0.0, 0.1]}
    frame = synthetic.results(axes, rules=synthetic.RULES[:2], epochs=2)
    folder = synthetic.write(tmp_path / "study", frame, axes)
    figures = folder / "figures"
    figures.mkdir()
    mine = [figures / name for name in ("error_vs_mine.png", "goodness_histogram-mine.csv", "layer_error_vs_.pdf")]
    for path in mine:
        path.write_text("mine")
    before = draw_all(folder)
    edited = figures / "error_vs_epoch.png"
    assert edited in before and all(path.read_text() == "mine" for path in mine)
    edited.write_text("with an arrow that I drew")
    once = frame[frame["epoch"] == 2]
    shutil.rmtree(folder / "results")
    synthetic.write(folder, once, axes)
    after = draw_all(folder)
    gone = {*before} - {*after} - {edited}
    assert gone and not any(path.exists() for path in gone)
    assert edited.read_text() == "with an arrow that I drew" and all(path.read_text() == "mine" for path in mine)
    assert {*figures.iterdir()} == {*after, *mine, edited, figures / "drawn.json"}


@pytest.mark.parametrize("text", ["{", "[]", '{"../manifest.json": "x"}', '{"error_vs_mine.png": 1}'])
def test_a_damaged_list_of_figures_makes_nothing_be_removed(blank_figures, small, text):
    figures = small / "figures"
    figures.mkdir()
    mine = figures / "error_vs_mine.png"
    mine.write_text("mine")
    (figures / "drawn.json").write_text(text)
    assert draw_all(small)
    assert mine.exists() and (small / "manifest.json").exists()
    assert "error_vs_mine.png" not in (figures / "drawn.json").read_text()


def test_figures_beyond_the_limit_are_said_to_be_missing():
    with pytest.warns(LeftOut, match="5 panels: the first 3 are drawn"):
        assert list(at_most(range(5), 3, "panels")) == [0, 1, 2]


@pytest.mark.slow
def test_pdf_fonts_are_those_that_journals_take(small):
    (pdf, *_) = draw_all(small, formats=("pdf",))
    assert b"/Type3" not in pdf.read_bytes() and b"CreationDate" not in pdf.read_bytes()


def test_a_figure_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def fail(self, path, **_):
        Path(path).write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        Drawing("x", Figure, pd.DataFrame()).save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Expected .* Got .*"):
        draw_all(tmp_path)


HOSTILE = ("[/on] $x", "$\\frac{1}{2}$", "_hidden", "α", "β", "a.b!", "a.b?", "A.b?", "x" * 120)


@pytest.mark.slow
def test_labels_stand_as_written_and_each_has_a_file_of_its_own(blank_figures, tmp_path):
    """Markup, mathematics, names that a legend hides, and those that are the same without their punctuation."""
    rules = [{"rule": "forward-forward", "rule.slope": f"s{n}", "label": text} for n, text in enumerate(HOSTILE)]
    frame = synthetic.results({}, rules=rules, epochs=2, chips=2)
    histograms = synthetic.goodness(frame, {}, layers=1)
    folder = synthetic.write(tmp_path / "study", frame, {}, histograms)
    paths = draw_all(folder)
    assert len(paths) == len({str(path).casefold() for path in paths}) and all(path.exists() for path in paths)
    of_goodness = [path for path in paths if path.name.startswith("goodness") and path.suffix == ".csv"]
    assert len(of_goodness) == len(HOSTILE)
    assert list(pd.read_csv(folder / "figures" / "error_vs_reads.csv")["variant"].unique()) == sorted(HOSTILE)
    with mpl.rc_context(RC):
        (drawing,) = error_vs_reads.draw(named(frame, {}))
        figure = drawing.draw()
        figure.draw_without_rendering()
        for shown in list(goodness_histogram.draw(named(frame, {}, histograms)))[
            :2
        ]:  # markup and mathematics in titles
            shown.draw().draw_without_rendering()
    told = [text.get_text().replace("\n", "") for text in figure.legends[0].get_texts()]
    assert told[: len(HOSTILE)] == [*HOSTILE] and all(t.get_visible() for t in figure.legends[0].get_texts())


@pytest.mark.slow
def test_swept_files_stand_as_written_and_each_has_a_figure_of_its_own(blank_figures, tmp_path):
    files = [f"curves/{name}.csv" for name in ("a[b]", "a b", "$a", "a$b$", "a_b", "c", "d")]
    axes = {"device.file": files}
    frame = synthetic.results(axes, rules=synthetic.RULES[:1], epochs=2, chips=2)
    paths = draw_all(synthetic.write(tmp_path / "study", frame, axes), every=True)
    assert len([p for p in paths if p.name.startswith("error_vs_epoch") and p.suffix == ".png"]) == len(files)
    assert len(paths) == len(set(paths))
    with mpl.rc_context(RC):
        (drawing,) = error_vs_sweep.draw(named(frame, axes))
        figure = drawing.draw()  # before labels that would touch are left out
        figure.draw_without_rendering()
    labels = figure.axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == [Path(file).name for file in files]


def test_labels_that_would_be_one_stay_two():
    frame = pd.DataFrame({"rule": "x", "rule.slope": ["a", "oracle", "b", "c"]})
    frame["label"] = ["y", "y", "y (oracle, bound)", "y (label)"]
    labels = list(variant_labels(frame, []))
    assert len(set(labels)) == 4 and [is_bound(label) for label in labels] == [False, True, False, False]


def intervals_of(low, high, means=(0.3, 10.0, 2.0)):
    rows = [("a", x, m) for x, m in enumerate(means)]
    table = pd.DataFrame(rows, columns=["variant", "x", "mean"])
    return table.assign(low=[low, *np.multiply(means[1:], 0.9)], high=[high, *np.multiply(means[1:], 1.1)], diverged=0)


@pytest.mark.parametrize(("low", "marked"), [(0.0, True), (0.05, True), (0.25, False), (np.nan, False)])
def test_an_interval_that_goes_on_below_a_logarithmic_axis_is_marked(low, marked):
    figure = draw_panels([("", intervals_of(low, 0.9))], "x", looks(["a"]), "x")
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    arrows = [line for line in axes.lines if line.get_marker() == CARETDOWNBASE]
    assert [list(line.get_xdata()) for line in arrows] == ([[0]] if marked else [])
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("interval goes on below" in told) == marked
    assert marked or not low < axes.get_ylim()[0]  # it is there in full, or has none


def test_intervals_above_are_never_cut_and_an_error_of_zero_is_marked():
    figure = draw_panels([("", intervals_of(0.25, 90.0))], "x", looks(["a"]), "x")
    assert figure.axes[0].get_ylim()[1] >= 90
    figure = draw_panels([("", intervals_of(0.0, 0.0, (0.0, 10.0, 0.5)))], "x", looks(["a"]), "x")
    assert any(line.get_marker() == CARETDOWNBASE for line in figure.axes[0].lines)
    linear = draw_panels([("", intervals_of(0.0, 6.0, (3.0, 10.0, 4.0)))], "x", looks(["a"]), "x")
    assert linear.axes[0].get_ylim()[0] == 0
    assert not any(line.get_marker() == CARETDOWNBASE for line in linear.axes[0].lines)


SWEEPS = [
    [0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
    [0.0, 0.001, 0.003, 0.3],
    [0.001, 0.0015, 0.01],
    [1e-5, 1.1e-5, 1.2e-5],
    [100000.0, 101000.0, 250000.0, 1000000.0],
    [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    [0.1, 0.11, 5000.0],
]


@pytest.mark.slow
@pytest.mark.parametrize(("values", "families"), [*((values, 1) for values in SWEEPS), (SWEEPS[1], 2)], ids=str)
def test_no_two_labels_of_ticks_touch_and_all_of_them_are_plain(values, families):
    axes = {"device.read_noise": values, "device.family": ["saturating", "non-monotone"][:families]}
    with mpl.rc_context(RC):
        drawing = next(
            iter(
                error_vs_sweep.draw(named(synthetic.results(axes, rules=synthetic.RULES[:1], chips=2, epochs=1), axes))
            )
        )
        thin_out(drawing.figure)
        drawing.figure.draw_without_rendering()
    for panel in drawing.figure.axes:
        low, high = panel.get_xlim()
        ticks = [t for t in panel.xaxis.get_major_ticks() if low <= t.get_loc() <= high and t.label1.get_visible()]
        labels = [t.label1 for t in ticks if t.label1.get_text()]
        boxes = [label.get_window_extent() for label in labels]
        assert len(labels) >= 1 and all(a.x1 < b.x0 for a, b in zip(boxes, boxes[1:], strict=False))
        assert [float(t.label1.get_text()) for t in ticks if t.label1.get_text()] == pytest.approx(
            [t.get_loc() for t in ticks if t.label1.get_text()]
        )


@pytest.mark.parametrize("names", [["constant-step", "hfo2"], ["a rather long preset name, 1", "b", "c"], [*"abcdefg"]])
def test_a_sweep_over_names_and_numbers_has_a_figure_over_either(names):
    axes = {"device.preset": names, "device.adc_bits": [float(n) for n in range(4, 13)]}
    frame = synthetic.results(axes, rules=synthetic.RULES[:2])
    with mpl.rc_context(RC):
        drawings = {d.name: d for d in error_vs_sweep.draw(named(frame, axes))}
        by_name = drawings["error_vs_device_preset-ADC_bits_4"]
        by_name.figure.draw_without_rendering()
    (panel,) = by_name.figure.axes
    assert panel.get_title() == "ADC bits = 4" and set(by_name.table["device.preset"]) == set(names)
    boxes = [label.get_window_extent() for label in panel.get_xticklabels()]
    assert len(boxes) == len(names) and panel.get_window_extent().height > by_name.figure.dpi
    row = by_name.table.query("variant == 'FF probed'").iloc[1]
    expected = by_hand(frame, epoch=3, rule__slope="probed", device__preset=names[1], device__adc_bits=4.0)
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(expected)
    assert any(name.startswith("error_vs_device_adc_bits") for name in drawings)
