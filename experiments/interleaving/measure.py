"""Measure what drift between a positive and its negative pass adds to the difference of their goodness, and draw it.

python experiments/interleaving/measure.py
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator
from scipy.stats import t

from analogff.catalog import resolve_device
from analogff.data import load_dataset
from analogff.device import Datasheet, Sealed, fabricate
from analogff.figures.drawing import Drawing
from analogff.figures.style import COLOURS, WIDTH_INCHES, styled
from analogff.forward_forward.labels import overlay
from analogff.network.normalization import length_normalize, mean_square

FOLDER = Path(__file__).parent
CHIPS, WIDTH, IMAGES, CLASSES = 8, 128, 500, 10
VECTORS = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
"""Vectors that are read between a positive and its negative: 1 interleaved, the batch if passes follow each other."""
QUIET = {"read_noise": 0.0, "adc_bits": 0, "dac_bits": 0}
AGE_SECONDS = 1.0
"""Age of phase-change cells at the positive pass."""
DRIFT_EXPONENT, DRIFT_SECONDS = 0.05, 20.0
"""Of PCM: typical, and the origin of its law; see `hardware_models.effects.drift`."""


class Kind(NamedTuple):
    """A chip and its law."""

    label: str
    model: str
    parameters: dict[str, Any]
    bias: Callable[[np.ndarray], np.ndarray]
    """Share of its goodness that a chip loses in some seconds, in closed form."""


def leak(lifetime: float) -> Kind:
    r"""A capacitor, :math:`\delta = 1 - e^{-2 s / \tau}`."""
    told = {"lifetime_seconds": lifetime, "lifetime_spread": 0.0, "weight_noise": 0.0}
    shown = f"{lifetime:g} s" if lifetime >= 1 else f"{1000 * lifetime:g} ms"
    return Kind(f"capacitor, {shown}", "capacitor", QUIET | told, lambda s: -np.expm1(-2 * s / lifetime))


def drift() -> Kind:
    r"""Phase change, :math:`\delta = 1 - ((a + s + t_0) / (a + t_0))^{-2 \nu}`."""

    def bias(seconds: np.ndarray) -> np.ndarray:
        return -np.expm1(-2 * DRIFT_EXPONENT * np.log1p(seconds / (AGE_SECONDS + DRIFT_SECONDS)))

    return Kind("PCM", "pcm", QUIET | {"flicker_noise": 0.0}, bias)


KINDS = (leak(0.01), leak(1.0), leak(1000.0), drift())


def main() -> None:
    """Write record.csv, and the figure with its numbers."""
    data = load_dataset("mnist", train_images=IMAGES)
    images, labels = data.train.images, data.train.labels
    rows = [row for kind in KINDS for row in measured(kind, images, labels)]
    record = pd.DataFrame(rows)
    record.to_csv(FOLDER / "record.csv", index=False)
    with styled():
        Drawing("bias", partial(drawn, record), record).save(FOLDER)
    (FOLDER / "bias.csv").unlink()  # the record has them
    (FOLDER / "bias.pdf").unlink()


def measured(kind: Kind, images: torch.Tensor, labels: torch.Tensor) -> list[dict[str, Any]]:
    """Read the same images before and after a wait, and with a right and a wrong label at once, on every chip."""
    device = fabricate(
        resolve_device(kind.model, FOLDER), images.shape[1], WIDTH, seeds=range(CHIPS), parameters=kind.parameters
    )
    chips = Sealed(device, chips=CHIPS, name=kind.label)
    right, wrong = (_shown(images, given) for given in (labels, (labels + 1) % CLASSES))
    chips.wait(AGE_SECONDS if kind.model == "pcm" else 0.0)  # a leak has no age
    goodness, other = mean_square(chips.measure(right)), mean_square(chips.measure(wrong))
    signal = ((goodness - other) / goodness).std(-1)
    rows, passed, seconds = [], 0.0, _read_seconds(chips.datasheet)
    for vectors in VECTORS:
        chips.wait(vectors * seconds - passed)
        passed = vectors * seconds
        lost = (1 - mean_square(chips.measure(right)) / goodness).double().mean(-1)
        rows += [
            {
                "kind": kind.label,
                "chip": chip,
                "vectors": vectors,
                "seconds": passed,
                "bias": float(lost[chip]),
                "closed_form": float(kind.bias(np.array(passed))),
                "signal": float(signal[chip]),
            }
            for chip in range(CHIPS)
        ]
    return rows


def drawn(record: pd.DataFrame) -> Figure:
    """Draw the closed form as lines, and means over chips as points, against vectors in between."""
    figure = Figure(figsize=(WIDTH_INCHES, 2.7), layout="constrained")
    axes = figure.subplots()
    fine = np.logspace(0, 6, 100)
    for kind, color, marker in zip(KINDS, COLOURS, "os^D", strict=False):
        mine = record[record["kind"] == kind.label]
        seconds = mine["seconds"].iloc[0] / mine["vectors"].iloc[0]
        axes.plot(fine, kind.bias(fine * seconds), color=color)
        means = mine.groupby("vectors")["bias"].mean()
        means = means[means > 3e-6]  # smaller ones are lost in single precision
        axes.plot(means.index, means, marker, color=color, label=kind.label)
    mean, half = over_chips(record.groupby("chip")["signal"].mean())
    axes.axhspan(mean - half, mean + half, color="0.6", alpha=0.4, linewidth=0)
    axes.axhline(mean, color="0.3", linestyle=(0, (4, 2)), linewidth=0.9)
    axes.text(1.2, mean * 1.4, "right against wrong\nlabel, untrained", fontsize=6.5, color="0.25")
    for vectors, order in ((1, "+-+-"), (100, "++--, 100 each")):
        axes.axvline(vectors, color="0.7", linewidth=0.8)
        axes.text(vectors, 3.0, order, fontsize=6.5, color="0.35")
    axes.set(xscale="log", yscale="log", ylim=(1e-9, 2.0))
    axes.xaxis.set_major_locator(FixedLocator([1, 100, 10_000, 1_000_000]))
    axes.xaxis.set_major_formatter(lambda x, _: f"{int(x):,}")
    axes.yaxis.set_major_locator(FixedLocator([1e-8, 1e-6, 1e-4, 1e-2, 1]))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.set(xlabel="vectors from a positive to its negative", ylabel="share of goodness lost in between")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def over_chips(values: pd.Series) -> tuple[float, float]:
    """Return a mean and half of its 95 % interval (Student's t over chips)."""
    half = t.ppf(0.975, len(values) - 1) * values.std() / len(values) ** 0.5
    return float(values.mean()), float(half)


def _shown(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return length_normalize(overlay(images, labels, CLASSES)).expand(CHIPS, -1, -1)


def _read_seconds(sheet: Datasheet) -> float:
    return sheet.dac_seconds + sheet.settle_seconds + sheet.adc_share * sheet.adc_seconds


if __name__ == "__main__":
    main()
