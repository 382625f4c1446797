"""Scales and ticks that suit the numbers on an axis."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

_PLAIN = FuncFormatter(lambda value, _: f"{value:g}")


def scale_errors(axes: Axes, means: np.ndarray, highs: np.ndarray) -> None:
    """Scale an axis of errors in percent: logarithmic where they differ by much, never beyond what can be."""
    means = means[np.isfinite(means) & (means > 0)]
    if not len(means):
        return
    if means.max() > 6 * means.min():
        axes.set_yscale("log")
        axes.set_ylim(means.min() / 1.25, min(means.max() * 1.25, 105))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(_PLAIN)
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        highest = np.nanmax(np.append(means, highs))
        axes.set_ylim(0, min(highest * 1.08, max(100.0, means.max())))


def scale_values(axes: Axes, values: np.ndarray) -> None:
    """Scale a swept axis, with ticks at its values where they fit; ``values`` are distinct and ascending."""
    positive = values[values > 0]
    wide = len(positive) > 1 and positive[-1] >= 50 * positive[0] and values[0] >= 0
    if wide and values[0] > 0:
        axes.set_xscale("log")
    elif wide:
        scale_from_zero(axes, positive[0], positive[-1])
    elif len(values) <= 6 and _apart(values):
        axes.xaxis.set_major_locator(FixedLocator(values.tolist()))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(_PLAIN)


def scale_reads(axes: Axes, reads: np.ndarray) -> None:
    """Scale an axis of counts logarithmically, with a place for 0 where a rule learned without the chip."""
    positive = reads[reads > 0]
    if (reads > 0).all():
        axes.set_xscale("log")
        narrow = positive.max() < 30 * positive.min()
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
    else:
        scale_from_zero(axes, positive.min(), positive.max())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def scale_from_zero(axes: Axes, least: float, most: float) -> None:
    """Use a logarithmic axis that has room for 0 at its left."""
    axes.set_xscale("symlog", linthresh=least, linscale=0.6)
    axes.set_xlim(-0.35 * least, most * (most / least) ** 0.08)
    axes.xaxis.set_major_locator(FixedLocator([0.0, *_round_numbers(least, most)]))
    axes.xaxis.set_minor_locator(NullLocator())


def _round_numbers(least: float, most: float) -> np.ndarray:
    """Return at most four powers of ten in a range, or where it is narrow at most two multiples of them."""
    decades = 10.0 ** np.arange(np.floor(np.log10(least)), np.floor(np.log10(most)) + 1)
    inside, fitting = decades[decades >= least], 4
    if len(inside) < 2:
        inside, fitting = np.array([decade * digit for decade in decades for digit in (1, 2, 5)]), 2
        inside = inside[(inside >= least) & (inside <= most)]
    return inside[:: -(-len(inside) // fitting) or 1]


def _apart(values: np.ndarray) -> bool:
    """Tell whether labels at these values would not touch."""
    return len(values) < 2 or float(np.diff(values).min()) >= 0.14 * float(np.ptp(values))
