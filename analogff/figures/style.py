"""Drawing in a style: looks of lines, panels, titles and legends. The style itself is matplotlib's parameters."""

import contextlib
import dataclasses
import itertools
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from analogff.figures.styles import COLOURS, rc_of
from analogff.study.results.names import is_bound, is_control

__all__ = ["COLOURS", "RC", "WIDTH_INCHES"]

RC: dict[Any, Any] = rc_of("default")
"""Parameters of the default style: one column of a two-column paper."""
WIDTH_INCHES: float = RC["figure.figsize"][0]
_LETTER = 0.6275
"""Mean width of a letter in units of its size."""
_PANEL_INCHES = 1.7
"""Least width of a panel whose letters have 8 points."""
_MOST_COLUMNS = 4
_MARKERS = "os^DvP*X"
_DASHES = ((0, ()), (0, (5, 1.2)), (0, (3, 1, 1, 1)), (0, (1.2, 1)))
_BOUND_COLOURS = ("0.45", "0.62")
_BOUND_DASHES = ((0, (4, 2)), (0, (1.5, 1.5)))


@contextlib.contextmanager
def styled(style: str = "default", columns: int = 1) -> Iterator[None]:
    """Draw in a style, whatever a user has set.

    Raises:
        StudyError: If there is no such style, or its page has fewer columns.
    """
    rc = rc_of(style, columns)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(rc)
        yield


class StyledFigure(Figure):
    """A figure that is saved with the parameters that it was drawn with, such as embedded fonts."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._rc: Any = {name: value for name, value in mpl.rcParams.items() if "backend" not in name}

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Write the figure; see matplotlib."""
        with mpl.rc_context(self._rc):
            super().savefig(*args, **kwargs)


def width_inches() -> float:
    """Return the width of a figure in the present style."""
    return mpl.rcParams["figure.figsize"][0]


def scaled(length: float) -> float:
    """Return a length that was chosen for letters of 8 points, for those of the present style."""
    return length * points_of("font.size") / 8


def points_of(size: str) -> float:
    """Return a size of letters of the present style, such as ``legend.fontsize``, in points."""
    return FontProperties(size=mpl.rcParams[size]).get_size_in_points()  # type: ignore[arg-type]


def new_figure(height_inches: float) -> Figure:
    """Return an empty figure of the present style's width."""
    return StyledFigure(figsize=(width_inches(), height_inches), layout="constrained")


@dataclasses.dataclass(frozen=True)
class Look:
    """Style of a rule variant, the same in every figure of a study."""

    color: str
    marker: str
    linestyle: tuple
    markerfacecolor: str

    def line(self) -> dict:
        """Return the style as arguments of matplotlib."""
        return dataclasses.asdict(self)


def looks(variants: Sequence[str], colors: Mapping[str, str] | None = None) -> dict[str, Look]:
    """Return the style of each variant: bounds and controls are gray, dashed and hollow.

    Args:
        variants: All of a study, in order.
        colors: Colors that a user chose for some.
    """
    bounds = [v for v in variants if is_bound(v) or is_control(v)]
    built = [v for v in variants if v not in bounds]
    cycle = [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]]
    found = {v: _look(n, cycle, _DASHES, _MARKERS, None) for n, v in enumerate(built)}
    found |= {v: _look(n, _BOUND_COLOURS, _BOUND_DASHES, "oDs^", "white") for n, v in enumerate(bounds)}
    for variant, color in (colors or {}).items():
        face = color if variant in built else "white"
        found[variant] = dataclasses.replace(found[variant], color=color, markerfacecolor=face)
    return {v: found[v] for v in variants}


def _look(n: int, colors: Sequence[str], dashes: Sequence[tuple], markers: str, face: str | None) -> Look:
    color = colors[n % len(colors)]
    return Look(color, markers[n % len(markers)], dashes[n % len(dashes)], face or color)


def panel_columns(panels: int) -> int:
    """Return the number of panels in a row: as many as fit, in rows of equal length where that costs none."""
    most = min(_MOST_COLUMNS, max(2, int(width_inches() / scaled(_PANEL_INCHES) + 1e-9)))
    return math.ceil(panels / math.ceil(panels / most))


def make_figure(panels: int, legend_rows: int, *, panel_inches: float = 1.9) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels that share both axes, each with a letter if there are several."""
    columns = panel_columns(panels)
    rows = math.ceil(panels / columns)
    wide = max(1.0, width_inches() / columns / scaled(3.4)) ** 0.5
    panel = scaled(panel_inches) * wide * (1 if rows == 1 else 0.85)
    figure = new_figure(rows * panel + scaled(0.17) * legend_rows + scaled(0.1))
    grid = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel())
    for spare in grid[panels:]:
        spare.remove()
    letter(grid[:panels])
    return figure, grid[:panels]


def letter(panels: Sequence[Axes]) -> None:
    """Write a letter over each of several panels."""
    if len(panels) > 1:
        for axes, sign in zip(panels, _letters(), strict=False):
            axes.set_title(sign, loc="left", fontweight="bold")


def _letters() -> Iterator[str]:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return ("".join(signs) for n in (1, 2) for signs in itertools.product(alphabet, repeat=n))


def letters() -> int:
    """Return the greatest number of characters in a line across a figure."""
    return int(width_inches() * 72 / (_LETTER * points_of("legend.fontsize")))


def wrapped(text: str, panels: int = 1) -> str:
    """Break a long text into lines of the figure's width, or of one of several panels in a row."""
    columns = panel_columns(panels)
    most = letters() if columns == 1 else letters() // columns - 4
    return text if len(text) <= most else "\n".join(textwrap.wrap(text, most, break_on_hyphens=False))


def entitle(axes: Axes, text: str, panels: int) -> None:
    """Write the title of one of several panels in a row; `fit_titles` breaks it anew when the panel has its width."""
    axes.set_title(wrapped(text, panels))
    axes.set_label(text)


def entitle_all(figure: Figure, text: str) -> None:
    """Write a title over all panels, and make room for it."""
    if text:
        figure.suptitle(wrapped(text))
        figure.set_figheight(figure.get_figheight() + scaled(0.17) * (1 + wrapped(text).count("\n")))


def fit_titles(figure: Figure) -> None:
    """Break the titles of panels into lines as wide as their panel, beside the panel's letter; after the layout."""
    for axes in figure.axes:
        text, sign = str(axes.get_label()), axes.get_title(loc="left")
        if not text or not axes.get_title():
            continue
        size, width = float(axes.title.get_fontsize()), axes.get_window_extent().width / axes.figure.dpi
        lead = text_inches(f"{sign}m", size) if sign else 0.0
        axes.title.set_text(_broken(text, width - lead, size))
        if sign:
            axes.title.set(ha="left", x=lead / width)


def _broken(text: str, inches: float, points: float) -> str:
    """Break a text into the longest lines that fit into a width: at spaces, else at hyphens, else within words."""
    most = min(len(text), int(2.5 * inches * 72 / points) + 1)
    for room, hyphens, words in ((1, False, False), (1, True, False), (1.2, True, False), (1, True, True)):
        for signs in range(max(most, 6), 5, -1):
            lines = "\n".join(textwrap.wrap(text, signs, break_on_hyphens=hyphens, break_long_words=words))
            if text_inches(lines, points) <= room * inches:
                return lines
    return text


def label_outside(panels: Sequence[Axes], x: str, y: str) -> None:
    """Label the axes at the left, and those with no panel below."""
    columns = panel_columns(len(panels))
    for axes in panels[::columns]:
        axes.set_ylabel(y)
    for axes in panels[-columns:]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(x)


def text_inches(text: str, points: float) -> float:
    """Return the width of the longest line of a text."""
    font = FontProperties(size=points)
    return max(text_to_path.get_text_width_height_descent(line, font, False)[0] for line in text.split("\n")) / 72


def legend_columns(handles: Sequence[Any]) -> int:
    """Return the number of entries side by side that fit in a legend."""
    size = points_of("legend.fontsize")
    widest = max((text_inches(str(h.get_label()), size) for h in handles), default=0.0) + 4.2 * size / 72
    most = max(2, panel_columns(_MOST_COLUMNS))
    return max(1, min(most, len(handles), int((width_inches() + 1.4 * size / 72) / (widest + 1.4 * size / 72))))


def legend_rows(handles: Sequence[Any]) -> int:
    """Return the lines of text that a legend needs."""
    return -(-sum(str(h.get_label()).count("\n") + 1 for h in handles) // legend_columns(handles))


def legend_below(figure: Figure, handles: Sequence[Any], columns: int | None = None) -> None:
    """Draw the legend outside of the data."""
    figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=columns or legend_columns(handles),
        frameon=False,
        handlelength=2.6,
        columnspacing=1.4,
        borderaxespad=0.2,
    )


def shown_line(look: Look, label: str) -> Line2D:
    """Return the entry of a variant in a legend."""
    return Line2D([], [], label=wrapped(label), **look.line())
