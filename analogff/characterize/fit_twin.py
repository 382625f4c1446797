"""Fit of a twin to reads: weights by Gauss-Newton and curves by least squares, alternately."""

import numpy as np
import torch

from analogff.characterize.bench import Bench
from analogff.characterize.cells import Probe
from analogff.characterize.estimate import NotMeasurableError
from analogff.characterize.measured_twin import MeasuredTwin

ROUNDS = 8
_DAMPING = (1e-3, 1e-1, 10.0)  # relative step sizes; the first that reduces a neuron's error is used
_SMOOTH = 1e-2  # curvature penalty in units of reads, which decides only where there are no reads
_SIGMAS = 4.0  # share of the sums that a table spans without a bias sweep


def fit_twin(bench: Bench, x: np.ndarray, y: np.ndarray) -> MeasuredTwin:
    """Fit a twin to reads ``y`` ``(chips, rows, n_out)`` of inputs ``x`` ``(rows, n_in)``, and to the bias sweep."""
    survey = bench.survey
    w = _first_weights(bench, x, y)
    if survey.by_bias:
        knots, swept, worth = survey.drive, survey.mean.transpose(0, 2, 1), float(len(survey.outputs))
    else:
        knots = np.linspace(-_SIGMAS, _SIGMAS, len(survey.drive)) + _center(x, w)
        swept, worth = np.zeros((*w.shape[:2], len(knots))), 0.0
    values = np.empty((*w.shape[:2], len(knots)))
    for c in range(w.shape[0]):
        for j in range(w.shape[1]):
            w[c, j], values[c, j] = _fit_neuron(x, y[c, :, j], w[c, j], knots, swept[c, j], worth)
    return MeasuredTwin(*(torch.tensor(part, dtype=torch.float32) for part in (w, knots, values)))


def _first_weights(bench: Bench, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return initial weights, ``(chips, n_out, n_in)``: by nulls, or else by regression."""
    try:
        return np.nan_to_num(Probe.of(bench).weights(bench).mean(0).transpose(0, 2, 1))
    except NotMeasurableError:
        centered = x - x.mean(0)
        slopes = np.linalg.lstsq(centered, y.transpose(1, 0, 2).reshape(len(x), -1), rcond=None)[0]
        scale = (centered @ slopes).std(0)
        slopes = slopes / np.where(scale > 0, scale, 1.0)
        return slopes.T.reshape(y.shape[0], y.shape[2], -1)


def _center(x: np.ndarray, w: np.ndarray) -> float:
    return float(np.median(x.mean(0) @ w.reshape(-1, w.shape[2]).T))


def _fit_neuron(x, y, w, knots, swept, worth):
    """Alternate between the curve of one neuron and its weights; return the best of both."""
    values = _curve(x @ w, y, knots, swept, worth)
    error = _error(x @ w, y, knots, values)
    for _ in range(ROUNDS):
        before = error
        a = x @ w
        slope = np.interp(a, (knots[1:] + knots[:-1]) / 2, np.diff(values) / np.diff(knots))
        gradient = x.T @ (slope * (y - np.interp(a, knots, values)))
        hessian = (x * slope[:, None] ** 2).T @ x
        for damping in _DAMPING:
            ridge = damping * max(np.trace(hessian) / len(w), 1e-12)
            trial = w + np.linalg.solve(hessian + ridge * np.eye(len(w)), gradient)
            refitted = _curve(x @ trial, y, knots, swept, worth)
            found = _error(x @ trial, y, knots, refitted)
            if found < error:
                w, values, error = trial, refitted, found
                break
        if error > 0.9999 * before:
            break
    return w, values


def _error(a: np.ndarray, y: np.ndarray, knots: np.ndarray, values: np.ndarray) -> float:
    return float(((y - np.interp(a, knots, values)) ** 2).mean())


def _curve(a: np.ndarray, y: np.ndarray, knots: np.ndarray, swept: np.ndarray, worth: float) -> np.ndarray:
    """Return the table fitted to reads at sums ``a`` and to a sweep, whose points have a weight in reads."""
    count = len(knots)
    place = np.clip((a - knots[0]) / (knots[1] - knots[0]), 0, count - 1)
    left = np.minimum(place.astype(int), count - 2)
    share = place - left
    matrix = worth * np.eye(count)
    right = worth * swept
    for one, weight in ((left, 1 - share), (left + 1, share)):
        right = right + np.bincount(one, weight * y, count)
        for other, weight2 in ((left, 1 - share), (left + 1, share)):
            matrix += np.bincount(one * count + other, weight * weight2, count * count).reshape(count, count)
    curvature = np.diff(np.eye(count), 2, axis=0)
    return np.linalg.solve(matrix + _SMOOTH * curvature.T @ curvature + 1e-9 * np.eye(count), right)
