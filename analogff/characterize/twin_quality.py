"""Quality of a fitted twin on reads that it was not fitted to."""

import dataclasses

import numpy as np
import torch

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Curve, Estimate, Found, NotFound, NotMeasurableError
from analogff.characterize.fit_twin import fit_twin
from analogff.characterize.measured_twin import MeasuredTwin
from analogff.characterize.statistics import Interval, jackknife
from analogff.characterize.tables import points

TITLE = "twin"
HELD_OUT = 500
_GROUPS = 25
_READS = 2000
_READS_A_LINE = 25


def measure(bench: Bench) -> Found:
    """Fit a twin to reads of typical inputs, and evaluate it on others."""
    twin = make_twin(bench)
    return dataclasses.replace(judge(bench, twin), twin=twin)


def make_twin(bench: Bench) -> MeasuredTwin:
    """Read typical inputs once each, and fit."""
    x = bench.typical_inputs(max(_READS, _READS_A_LINE * bench.sheet.n_in))
    return fit_twin(bench, x, bench.read(x))


def judge(bench: Bench, twin: MeasuredTwin, held_out: int = HELD_OUT) -> Found:
    r"""Read each held-out input twice, to separate noise from error.

    .. math::
        S = 1 - \frac{\sum (y - \tilde y)(y' - \tilde y)}{\sum (y - \bar y)(y' - \bar y)}, \quad
        E = \sqrt{\frac{\sum (y - \tilde y)^2 + (y' - \tilde y)^2}{\sum (y - y')^2}}

    with two reads :math:`y, y'` of an input. For a perfect twin the explained share ``S`` of the variance without noise
    is 1, and so is the error over the noise ``E``.
    """
    x = bench.typical_inputs(held_out)
    first, second = bench.read(x), bench.read(x)
    inputs = torch.tensor(x, dtype=torch.float32).expand(bench.count, -1, -1)
    predicted = twin(inputs).double().numpy()
    parts = [_grouped(part) for part in (first, second, predicted)]
    how = f"{held_out} inputs that the twin was not fitted to, read twice; jackknife over {_GROUPS} groups of inputs"
    if (jackknife(_variance, *parts[:2]).low <= 0).any():
        raise NotMeasurableError("outputs hardly depend on the inputs, so that there is nothing to predict")
    rows = [
        Estimate(
            name="twin: explained share",
            **jackknife(_explained, *parts)._asdict(),
            unit="",
            n=held_out,
            how=f"share of the outputs' variance, less noise by products of two reads, that the twin explains; {how}",
        )
    ]
    missing = ()
    if (first - second).any():
        rows.append(
            Estimate(
                name="twin: error over noise",
                **jackknife(_relative_error, *parts)._asdict(),
                unit="",
                n=held_out,
                how=f"rms error of single reads from the twin's prediction over the noise of a read, 1 at best; {how}",
            )
        )
    else:
        missing = (NotFound("twin: error over noise", "repeats of a read do not differ"),)
    return Found(tuple(rows), (_scatter(predicted, first),), missing)


def _grouped(y: np.ndarray) -> np.ndarray:
    """``(chips, inputs, n_out)`` to ``(chips, inputs of a group, n_out, groups)``."""
    return y.reshape(y.shape[0], _GROUPS, -1, y.shape[2]).transpose(0, 2, 3, 1)


def _explained(first: np.ndarray, second: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    wrong = ((first - predicted) * (second - predicted)).sum((1, 2, 3))
    return 1 - wrong / _variance(first, second)


def _variance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the common part of two reads of the same inputs."""
    centered, centered2 = (part - part.mean((1, 3), keepdims=True) for part in (first, second))
    return (centered * centered2).sum((1, 2, 3))


def _relative_error(first: np.ndarray, second: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    wrong = ((first - predicted) ** 2 + (second - predicted) ** 2).sum((1, 2, 3))
    return np.sqrt(wrong / ((first - second) ** 2).sum((1, 2, 3)))


def _scatter(predicted: np.ndarray, read: np.ndarray) -> Curve:
    nowhere = np.full((1, 1, len(read[0])), np.nan)
    table = points(predicted[0, :, 0], Interval(read[:1, None, :, 0], nowhere, nowhere), ["neuron 0"])
    return Curve("twin", "output that the twin predicts", "held-out read", table)
