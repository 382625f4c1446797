"""What neurons of the first layer answer to, pixel by pixel, as reads of trained chips show it."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from analogff.data import ImageShape
from analogff.device import Observable
from analogff.figures.drawing import Drawing
from analogff.figures.kept import Kept, kept_by_point
from analogff.figures.results import Missing, Results
from analogff.figures.style import new_figure, panel_columns, scaled, width_inches, wrapped
from analogff.network import Network, evaluating
from analogff.study.results.names import file_name

_NEURONS = 16
_READS = 64
"""Reads of each pixel, whose mean is shown."""
_BRIGHT = 3.0
"""What is added to a pixel, in units of the root mean square of an image."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point, with the first neurons of one kept chip for each rule variant."""
    for suffix, kept in kept_by_point(results, "receptive_fields"):
        if any(chips[0].life.data.image is None for chips in kept.values()):
            raise Missing("receptive_fields: Expected pictures. Got a table of numbers. Train on a data set of images.")
        fields = {variant: _fields(chips[0]) for variant, chips in kept.items()}
        shape = next(iter(kept.values()))[0].life.data.image
        assert shape is not None
        table = pd.concat([_table(variant, field, shape) for variant, field in fields.items()], ignore_index=True)
        colors = (
            "gray is 0, and what a color adds is positive" if shape.channels == 3 else "red is positive, white is 0"
        )
        caption = (
            f"Receptive fields of the first {_NEURONS} neurons of layer 1 on one chip: output for the mean image with "
            f"one brighter pixel less that for the mean image, over {_READS} reads. Each field has a scale of its "
            f"own: {colors}."
        )
        make = partial(_draw, fields, shape, suffix)
        yield Drawing(file_name("receptive_fields", suffix), make, table, caption)


def _fields(kept: Kept) -> np.ndarray:
    """Return the answer of each neuron to each input line, ``(neurons, n_in)``, of the first chip."""
    given, place = kept.life.rule.network, kept.places[0]
    network = kept.life.chips.seal(Observable.ACTIVITY, given.normalizer, given.image)  # a rule may see less
    mean = kept.life.data.train.images.mean(0)
    mean = mean / mean.square().mean().sqrt().clamp_min(1e-9)
    images = mean + _BRIGHT * torch.eye(len(mean), device=mean.device)
    with evaluating(network):
        brighter = sum((_read(network, images, place) for _ in range(_READS)), torch.zeros(())) / _READS
        base = _read(network, mean.expand(_READS**2, -1), place).mean(0)
    return (brighter - base).T[:_NEURONS].double().numpy()


def _read(network: Network, images: torch.Tensor, place: int) -> torch.Tensor:
    """Return the outputs of the first layer of one chip, ``(n, neurons)``, as measured."""
    return network.layers[0].measure(images.expand(network.chips, *images.shape))[place].cpu()


def _table(variant: str, field: np.ndarray, shape: ImageShape) -> pd.DataFrame:
    neuron, line = np.indices(field.shape).reshape(2, -1)
    pixel, channel = np.divmod(line, shape.channels)
    table = pd.DataFrame({"variant": variant, "neuron": neuron, "pixel": pixel, "answer": field.ravel()})
    return table if shape.channels == 1 else table.assign(channel=channel)


def _picture(answers: np.ndarray, shape: ImageShape, most: float) -> np.ndarray:
    """Return answers to the lines of a picture, in [-most, most]; those to three channels as a color."""
    picture = answers.reshape(shape.height, shape.width, shape.channels)
    return (0.5 + picture / (2 * most)).clip(0, 1) if shape.channels == 3 else picture.sum(-1)


def _draw(fields: dict[str, np.ndarray], shape: ImageShape, title: str) -> Figure:
    columns = panel_columns(len(fields))
    rows, side = math.ceil(len(fields) / columns), math.ceil(math.sqrt(max(map(len, fields.values()))))
    figure = new_figure(rows * (width_inches() / columns + scaled(0.2)) + scaled(0.2) * bool(title))
    parts = figure.subfigures(rows, columns, squeeze=False, wspace=0.06, hspace=0.06).ravel()
    for part, (variant, field) in zip(parts, fields.items(), strict=False):
        part.suptitle(wrapped(variant, len(fields)))
        panels = part.subplots(side, side).ravel()
        for axes in panels[len(field) :]:
            axes.remove()
        for axes, neuron in zip(panels, field, strict=False):
            most = float(np.quantile(np.abs(neuron), 0.995)) or 1.0
            axes.imshow(_picture(neuron, shape, most), cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
            axes.set_axis_off()
    if title:
        figure.suptitle(wrapped(title))
    return figure
