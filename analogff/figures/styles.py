"""Named styles: widths of columns and sizes of letters that a journal, a conference or a poster asks for."""

import dataclasses
from typing import Any

from cycler import cycler

from analogff.support.mistakes import Mistake, StudyError, unknown_name

_INCH_MM = 25.4
# Okabe and Ito, Color Universal Design (2008), without yellow, which is invisible on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
COLOURS_IN_GRAY = ("#0072B2", "#E69F00", "#D55E00", "#56B4E9", "#009E73", "#000000", "#CC79A7")
"""The same in an order in which neighbors differ also in gray and to deuteranopes."""
_SANS = ("Arial", "Helvetica", "Liberation Sans", "Nimbus Sans", "DejaVu Sans")
_SERIF = ("Times New Roman", "Times", "Nimbus Roman", "STIXGeneral")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Style:
    """A style of figures."""

    widths_mm: tuple[float, ...]
    """Width of a figure over one column, and over two if the page has two."""
    text_points: float
    """Size of labels and titles."""
    small_points: float
    """Size of the numbers at ticks."""
    legend_points: float
    """Size of the legend."""
    fonts: tuple[str, ...]
    """Families, the first installed one is used; the last one comes with matplotlib."""
    family: str = "sans-serif"
    """Kind of the families."""
    colors: tuple[str, ...] = COLOURS_IN_GRAY
    """Colors of the lines, in order."""

    def rc(self, columns: int = 1) -> dict[Any, Any]:
        """Return matplotlib's parameters for a figure over one or two columns. Lines scale with the letters."""
        scale, width = self.text_points / 8, self.widths_mm[columns - 1] / _INCH_MM
        sizes = {key: scale * value for key, value in _LINES.items()}
        letters = {key: self.text_points for key in ("font.size", "axes.labelsize", "axes.titlesize")}
        letters |= {key: self.small_points for key in ("xtick.labelsize", "ytick.labelsize")}
        letters |= {"legend.fontsize": self.legend_points, "figure.titlesize": self.text_points}
        letters |= {"font.family": [self.family], f"font.{self.family}": list(self.fonts)}
        letters |= {"figure.titleweight": "normal", "figure.figsize": (width, 0.56 * width)}
        return _COMMON | sizes | letters | {"axes.prop_cycle": cycler(color=self.colors)}


_LINES = {
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3.5,
    "ytick.major.size": 3.5,
    "xtick.minor.size": 2.0,
    "ytick.minor.size": 2.0,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.6,
    "grid.linewidth": 0.5,
    "hatch.linewidth": 1.0,
    "xtick.major.pad": 3.5,
    "ytick.major.pad": 3.5,
    "axes.labelpad": 4.0,
    "axes.titlepad": 6.0,
    "figure.constrained_layout.h_pad": 0.04167,
    "figure.constrained_layout.w_pad": 0.04167,
}
_COMMON = {
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "0.9",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # labels are verbatim, with dollars and backslashes
    "pdf.fonttype": 42,  # journals refuse Type 3 fonts
    "ps.fonttype": 42,
    "svg.fonttype": "none",  # text stays text, which can be searched and edited
    "svg.hashsalt": "analogff",  # equal numbers give equal bytes
    "savefig.dpi": 300,
}
STYLES = {
    "default": Style(
        widths_mm=(3.4 * _INCH_MM, 7.0 * _INCH_MM),
        text_points=8,
        small_points=7,
        legend_points=7.5,
        fonts=("DejaVu Sans",),
        colors=COLOURS,
    ),
    "ieee": Style(
        widths_mm=(3.5 * _INCH_MM, 7.16 * _INCH_MM), text_points=8, small_points=8, legend_points=8, fonts=_SANS
    ),
    "nature": Style(widths_mm=(89, 183), text_points=7, small_points=6, legend_points=6, fonts=_SANS),
    "neurips": Style(
        widths_mm=(5.5 * _INCH_MM,), text_points=9, small_points=7, legend_points=7, fonts=_SERIF, family="serif"
    ),
    "icml": Style(
        widths_mm=(3.25 * _INCH_MM, 6.75 * _INCH_MM),
        text_points=8,
        small_points=7,
        legend_points=7,
        fonts=_SERIF,
        family="serif",
    ),
    "poster": Style(
        widths_mm=(10 * _INCH_MM, 20 * _INCH_MM), text_points=22, small_points=18, legend_points=18, fonts=_SANS
    ),
}


def rc_of(name: str, columns: int = 1) -> dict[Any, Any]:
    """Return matplotlib's parameters for a style.

    Raises:
        StudyError: If there is no such style, or its page has fewer columns.
    """
    if name not in STYLES:
        raise StudyError([unknown_name("figure.style", "a style", name, STYLES)])
    most = len(STYLES[name].widths_mm)
    if columns not in range(1, most + 1):
        expected = f"{' or '.join(map(str, range(1, most + 1)))} with the style {name}"
        raise StudyError([Mistake("figure.columns", expected, str(columns), f"Its page has {most}.")])
    return STYLES[name].rc(columns)
