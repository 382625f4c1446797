"""Style of all figures: one column of a two-column paper, legible in gray and to the color-blind."""

import contextlib
import dataclasses
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analogff.study.results.names import is_bound, is_control

WIDTH_INCHES = 3.4
LETTERS = 52
"""Greatest number of characters in a line across a figure."""
RC: dict[Any, Any] = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.6,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # labels are verbatim, with dollars and backslashes
    "pdf.fonttype": 42,  # journals refuse Type 3 fonts
    "savefig.dpi": 300,
}
# Okabe and Ito, Color Universal Design (2008), without yellow, which is invisible on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "os^DvP*X"
_DASHES = ((0, ()), (0, (5, 1.2)), (0, (3, 1, 1, 1)), (0, (1.2, 1)))
_BOUND_COLOURS = ("0.45", "0.62")
_BOUND_DASHES = ((0, (4, 2)), (0, (1.5, 1.5)))


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw in this style, whatever a user has set."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


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


def looks(variants: Sequence[str]) -> dict[str, Look]:
    """Return the style of each variant: bounds and controls are gray, dashed and hollow."""
    bounds = [v for v in variants if is_bound(v) or is_control(v)]
    built = [v for v in variants if v not in bounds]
    return {v: _look(n, COLOURS, _DASHES, _MARKERS, None) for n, v in enumerate(built)} | {
        v: _look(n, _BOUND_COLOURS, _BOUND_DASHES, "oDs^", "white") for n, v in enumerate(bounds)
    }


def _look(n: int, colors: Sequence[str], dashes: Sequence[tuple], markers: str, face: str | None) -> Look:
    color = colors[n % len(colors)]
    return Look(color, markers[n % len(markers)], dashes[n % len(dashes)], face or color)


def make_figure(panels: int, legend_rows: int, *, panel_inches: float = 1.9) -> tuple[Figure, list[Axes]]:
    """Return a figure of one column, with panels in at most two columns that share both axes."""
    columns = min(panels, 2)
    rows = math.ceil(panels / columns)
    height = rows * (panel_inches if rows == 1 else 0.85 * panel_inches) + 0.17 * legend_rows + 0.1
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for spare in grid[panels:]:
        spare.remove()
    return figure, list(grid[:panels])


def wrapped(text: str, panels: int = 1) -> str:
    """Break a long text into lines of the figure's width, or of one of two panels in a row."""
    most = LETTERS if panels == 1 else LETTERS // 2 - 4
    return text if len(text) <= most else "\n".join(textwrap.wrap(text, most, break_on_hyphens=False))


def label_outside(panels: Sequence[Axes], x: str, y: str) -> None:
    """Label the axes at the left, and those with no panel below."""
    columns = min(len(panels), 2)
    for axes in panels[::columns]:
        axes.set_ylabel(y)
    for axes in panels[-columns:]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(x)


def legend_below(figure: Figure, handles: Sequence[Line2D], columns: int = 2) -> None:
    """Draw the legend outside of the data."""
    figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        handlelength=2.6,
        columnspacing=1.4,
        borderaxespad=0.2,
    )
