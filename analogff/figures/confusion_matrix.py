"""Which label is taken for which, by the trained chips of a study that kept them."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from analogff.figures.drawing import Drawing
from analogff.figures.grids import Grid, Sides, draw_grids
from analogff.figures.kept import Kept, kept_by_point
from analogff.figures.results import Missing, Results
from analogff.figures.style import wrapped
from analogff.network import evaluating
from analogff.study.read.figure import AxisChoice
from analogff.study.results.names import file_name
from analogff.training.loop import EVALUATION_BATCH

_LABEL = "share of images / %"


def draw(results: Results) -> Iterator[Drawing]:
    """Yield one figure for each swept point, with a matrix for each rule variant; kept chips read the test set anew."""
    for suffix, kept in kept_by_point(results, "confusion_matrix"):
        table = pd.concat([_confusions(variant, chips) for variant, chips in kept.items()], ignore_index=True)
        if table.empty:
            raise Missing("confusion_matrix: Expected labels. Got a rule without. Train a rule that classifies.")
        caption = (
            "Share of the test images of each true label (row) that trained chips take for each label (column): means "
            "over chips, each read once more with its own noise."
        )
        names = next(iter(kept.values()))[0].life.data.label_names
        table = _named(table, names)
        make = partial(_draw, results, table, names, suffix)
        yield Drawing(file_name("confusion_matrix", suffix), make, table, caption)


def _confusions(variant: str, chips: list[Kept]) -> pd.DataFrame:
    """Return the mean share of each pair of labels, in percent of the true label's images."""
    shares = np.concatenate([_shares(kept) for kept in chips])
    true, answer = np.indices(shares.shape[1:]).reshape(2, -1)
    columns = {"variant": variant, "true": true, "answer": answer, "share": shares.mean(0).ravel()}
    return pd.DataFrame(columns).assign(chips=len(shares))


def _shares(kept: Kept) -> np.ndarray:
    """Return the confusions of some chips of a task, ``(chips, true, answer)``, in percent."""
    life, test = kept.life, kept.life.data.test
    with evaluating(life.rule.network):
        answers = torch.cat([life.rule.predict(images) for images in test.images.split(EVALUATION_BATCH)], -1)
    labels, classes = test.labels, life.data.classes
    pairs = (labels * classes + answers[kept.places]).cpu()
    counts = torch.stack([torch.bincount(own, minlength=classes**2) for own in pairs]).view(-1, classes, classes)
    return (100 * counts / counts.sum(-1, keepdim=True).clamp_min(1)).double().numpy()


def _named(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the table with the names of labels that are not their numbers."""
    if list(names) == list(map(str, range(len(names)))):
        return table
    return table.assign(
        **{f"{column}_name": table[column].map(dict(enumerate(names))) for column in ("true", "answer")}
    )


def _draw(results: Results, table: pd.DataFrame, labels: Sequence[str], title: str) -> Figure:
    names = list(labels)
    sides = Sides(x="answer", y="true label", columns=names, rows=names[::-1])
    grids = []
    for variant in results.variants:
        own = table[table["variant"] == variant]
        if len(own):
            values = own.pivot(index="true", columns="answer", values="share").to_numpy(dtype=float)[::-1]
            error = 100 - float(np.mean(np.diag(values[::-1])))
            grids.append(Grid(title=f"{variant}, {error:.1f}\N{NO-BREAK SPACE}% wrong", values=values))
    figure = draw_grids(grids, sides, _LABEL, AxisChoice(scale="linear", limits=(0, 100)), decimals=0, least=0.5)
    if title:
        figure.suptitle(wrapped(title))
    return figure
