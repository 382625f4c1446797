"""Each style has the exact width, letters and colors that it promises, and no figure has text on text."""

import itertools
import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from analogff.figures.draw import draw_one
from analogff.figures.drawing import Drawing
from analogff.figures.results import Results
from analogff.figures.style import StyledFigure, looks, make_figure, styled
from analogff.figures.styles import STYLES, rc_of
from analogff.support.mistakes import StudyError
from tests.helpers import synthetic

WIDTHS_MM = {
    "default": (3.4 * 25.4, 7.0 * 25.4),
    "ieee": (3.5 * 25.4, 7.16 * 25.4),
    "nature": (89, 183),
    "neurips": (5.5 * 25.4,),
    "icml": (3.25 * 25.4, 6.75 * 25.4),
    "poster": (254, 508),
}
POINTS = {"ieee": (8, 8), "nature": (5, 7), "neurips": (7, 9), "icml": (7, 8)}
EACH = [(name, columns) for name, widths in WIDTHS_MM.items() for columns in range(1, len(widths) + 1)]
AXES = {"device.family": ["saturating", "non-monotone"], "device.read_noise": [0.0, 0.05, 0.2]}


def results(rules=synthetic.RULES, **study):
    frame = synthetic.results(AXES, rules=rules, epochs=2)
    lost = (frame["rule"] == "weight-perturbation") & (frame["device.read_noise"] == 0.2)
    frame.loc[lost, ["test_error", "diverged"]] = [np.nan, True]
    layers = synthetic.layers(frame, AXES)
    return Results.of(frame, {"layers": layers}, {"study": {"sweep": AXES, "target_error": 9.0} | study})


def first(kind, **study):
    return next(iter(draw_one(kind, results(**study))))


@pytest.mark.slow
@pytest.mark.parametrize(("style", "columns"), EACH)
def test_a_saved_page_has_the_width_to_a_tenth_of_a_millimeter(style, columns, tmp_path):
    with styled(style, columns):
        Drawing("x", lambda: make_figure(2, 0)[0], pd.DataFrame()).save(tmp_path, ["pdf"])
    pdf = next(tmp_path.glob("*.pdf")).read_bytes()
    (box,) = set(re.findall(rb"/MediaBox \[ ?([\d. ]+?) ?\]", pdf))
    left, _, right, _ = map(float, box.split())
    assert (right - left) / 72 * 25.4 == pytest.approx(WIDTHS_MM[style][columns - 1], abs=0.1)
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf  # TrueType, embedded


def test_a_style_has_names_widths_and_refusals():
    assert list(STYLES) == list(WIDTHS_MM)
    for name, style in STYLES.items():
        np.testing.assert_allclose(style.widths_mm, WIDTHS_MM[name])
    with pytest.raises(StudyError, match='Expected a style .*ieee.* Got "iee". Did you mean ieee?'):
        rc_of("iee")
    with pytest.raises(StudyError, match="columns: Expected 1 with the style neurips. Got 2."):
        rc_of("neurips", 2)


@pytest.mark.slow
def test_an_svg_holds_its_text_as_text_and_is_always_the_same(tmp_path):
    with styled("ieee"):
        for folder in "ab":
            first("error_vs_epoch", rules=synthetic.RULES[3:5]).save(tmp_path / folder, ["svg"])
    (one,), (other,) = (list((tmp_path / name).glob("*.svg")) for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    written = re.findall(r"<text[^>]*>([^<]*)</text>", one.read_text())
    assert "test error / %" in written and "backprop twin" in written


@pytest.mark.slow
def test_a_figure_is_saved_in_its_style_also_later(tmp_path):
    with styled("nature"):
        figure = first("error_vs_epoch", rules=synthetic.RULES[:1]).figure
    figure.savefig(tmp_path / "x.pdf")
    pdf = (tmp_path / "x.pdf").read_bytes()
    assert isinstance(figure, StyledFigure) and b"/Type3" not in pdf
    assert b"252.28" in pdf  # 89 mm in points


def texts(figure):
    """Return all texts that can be seen, with their boxes, at the resolution of a saved picture."""
    figure.set_dpi(mpl.rcParams["savefig.dpi"])
    figure.draw_without_rendering()
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    ticks = {}
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                inside = low - 1e-9 <= tick.get_loc() <= high + 1e-9 and axes.get_visible() and axis.get_visible()
                ticks |= {id(label): inside for label in (tick.label1, tick.label2)}
    return [(text, text.get_window_extent()) for text in found if ticks.get(id(text), True)]


def assert_readable(figure, style):
    """No text overlaps another, leaves the page, or has another size than the style's."""
    there = texts(figure)
    least, most = POINTS.get(style, (0, np.inf))
    for text, box in there:
        assert box.x0 > -1 and box.x1 < figure.bbox.x1 + 1, f"{text.get_text()!r} leaves the page"
        assert box.y0 > -1 and box.y1 < figure.bbox.y1 + 1, f"{text.get_text()!r} leaves the page"
        assert least - 0.01 <= text.get_fontsize() <= most + 0.01, text.get_text()
    for (one, a), (other, b) in itertools.combinations(there, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide < 1 or high < 1, f"{one.get_text()!r} on {other.get_text()!r}"


KINDS = ("error_vs_sweep", "heat_map", "error_over_chips", "error_vs_joules", "energy_split", "layer_error_vs_epoch")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_lies_on_text_or_beyond_the_page(kind):
    with styled("ieee"):
        assert_readable(first(kind).figure, "ieee" if kind != "heat_map" else "")


@pytest.mark.slow
@pytest.mark.parametrize(("style", "columns"), EACH)
@pytest.mark.parametrize("kind", [*KINDS, "error_vs_epoch", "error_vs_reads", "energy_to_error"])
def test_no_text_lies_on_text_in_any_style(kind, style, columns):
    with styled(style, columns):
        assert_readable(first(kind).figure, style if kind != "heat_map" else "")


@pytest.mark.slow
def test_panels_have_letters_and_a_single_one_has_none():
    with styled("ieee"):
        several = first("error_vs_epoch").figure
        single = first("error_vs_epoch", sweep={}).figure
    assert [axes.get_title(loc="left") for axes in several.axes] == ["a", "b"]
    assert [axes.get_title(loc="left") for axes in single.axes][:1] == [""]


# Colors: CIEDE2000, Sharma, Wu and Dalal, Color Research and Application 30, 21 (2005); the numbers are theirs.
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
# Machado, Oliveira and Fernandes, IEEE TVCG 15, 1291 (2009): deuteranopia, for linear RGB
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
VIEWS = {"color": np.eye(3), "gray": np.tile(TO_XYZ[1], (3, 1)), "deuteranopia": DEUTERANOPIA}


def lab(color, view):
    """Return CIELAB (D65) of a color as it is seen."""
    encoded = np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    t = TO_XYZ @ np.clip(view @ linear, 0, 1) / TO_XYZ.sum(1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one, other):
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25**7))
    c1, c2 = np.hypot(g * a1, b1), np.hypot(g * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, g * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    hue = (h1 + h2 if c1 * c2 == 0 else h1 + turn / 2) % 360
    chroma, light = (c1 + c2) / 2, (l1 + l2) / 2
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    terms = ((0.17, 1, 30, -1), (0.24, 2, 0, 1), (0.32, 3, -6, 1), (0.2, 4, 63, -1))
    t = 1 + sum(sign * size * np.cos(np.radians(n * hue - at)) for size, n, at, sign in terms)
    sl = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    turned = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    rt = -2 * np.sqrt(chroma**7 / (chroma**7 + 25**7)) * np.sin(np.radians(turned))
    return np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * dc / sc * dh / sh)


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_color_difference_is_that_of_its_authors(one, other, difference):
    assert ciede2000(one, other) == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("style", [name for name in STYLES if name != "default"])
def test_neighbors_differ_in_color_in_gray_and_to_deuteranopes(style):
    """10 is a difference at a glance; neighbors also differ in marker and dashes."""
    with styled(style):
        look = list(looks([f"rule {n}" for n in range(7)]).values())
    for one, other in itertools.pairwise(look):
        for seen, view in VIEWS.items():
            assert ciede2000(lab(one.color, view), lab(other.color, view)) > 10, (one.color, other.color, seen)
        assert one.marker != other.marker and one.linestyle != other.linestyle
