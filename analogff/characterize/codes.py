"""Codes of the output converters: step and nonlinearity."""

import numpy as np

from analogff.characterize.bench import Bench
from analogff.characterize.estimate import Curve, Estimate, Found, NotFound, NotMeasurableError
from analogff.characterize.statistics import Interval, jackknife_root, mean_of
from analogff.characterize.tables import points

TITLE = "output codes: step and nonlinearity"
SHARES = (0.25, 0.75)
MOST_CODES = 128
"""Greatest number of codes that are measured, in the middle."""
POINTS_A_CODE = 8
RAMPS = 16
_SAMPLES = 4096
_FEW = 0.5  # share of the samples; an output with more distinct values is continuous
_LEAST_CODES = 8
_DEGREES = ((32, 7), (16, 5), (_LEAST_CODES, 3))
_MARGIN = 6.0  # margin at either end of a ramp, in standard deviations of noise


def measure(bench: Bench) -> Found:
    r"""Find the codes, then the lower edge of each, by ramps of the bias.

    .. math:: T_k = b_0 + \delta \cdot \#\{m : y_m < (k - \tfrac12) \Delta\}, \quad
        \mathrm{INL}_k = \frac{T_k - P(k)}{P'(k)}, \quad \mathrm{DNL}_k = \mathrm{INL}_{k+1} - \mathrm{INL}_k

    with a polynomial ``P`` fitted to each neuron. From outside, a smooth bow of the converter cannot be separated from
    the neuron's curve, so this contains only what no smooth curve explains. Squares are products of two halves of the
    ramps, so noise adds nothing to them on average.
    """
    if not bench.sheet.bias_port:
        raise NotMeasurableError("there is no bias port to ramp")
    steps = [_step(outputs) for outputs in bench.read(bias=_within_range(bench))]
    if not all(steps):
        raise NotMeasurableError("outputs are continuous: hardly any value is met twice")
    step = np.array(steps)
    rounding = 4 * np.finfo(np.float32).eps * np.abs(bench.survey.mean).max((1, 2))
    how = "median distance of neighboring values of the outputs; exact to the rounding of the numbers"
    size = Estimate(
        name="output step", value=step, low=step - rounding, high=step + rounding, unit="output", n=1, how=how
    )
    first, count = _middle(bench, step)
    if count < _LEAST_CODES:
        why = f"fewer than {_LEAST_CODES} codes lie in the middle of every neuron's range"
        return Found((size,), missing=(NotFound("integral and differential nonlinearity", why),))
    thresholds = _thresholds(bench, step, first, count)
    inl = unexplained(thresholds)
    halves = inl[::2].mean(0), inl[1::2].mean(0)
    steps_of = tuple(np.diff(half, axis=1) for half in halves)
    text = (
        f"rms over {count} codes in the middle of the range and all outputs, in steps, after a polynomial of degree "
        f"{_degree(count)} a neuron, as for converters of this kind; {RAMPS} ramps of {POINTS_A_CODE} points a code, "
        "products of halves; jackknife over outputs"
    )
    rows = [
        Estimate(
            name=f"{kind} nonlinearity",
            **jackknife_root(_mean_product, *pair)._asdict(),
            unit="step",
            n=bench.sheet.n_out,
            how=text,
            rms=True,
        )
        for kind, pair in (("integral", halves), ("differential", steps_of))
    ]
    shown = mean_of(inl[:, :1, :, 0].transpose(1, 2, 0))
    table = points(first[0] + np.arange(count), Interval(*(part[:, None] for part in shown)), ["neuron 0"])
    return Found((size, *rows), (Curve("codes", "output code", "integral nonlinearity / step", table),))


def _within_range(bench: Bench) -> np.ndarray:
    """Return biases over the middle of each neuron's range, ``(chips, points, n_out)``."""
    bench.survey.middle()
    first, last = (bench.survey.crossing(bench.survey.level(share)).at[:, None] for share in SHARES)
    return np.nan_to_num(first + np.linspace(0, 1, _SAMPLES)[:, None] * (last - first))


def _step(outputs: np.ndarray) -> float | None:
    """Return the distance of neighboring codes of one chip ``(points, n_out)``, or None if values are continuous."""
    each = [len(np.unique(column)) for column in outputs.T]
    if np.median(each) > _FEW * len(outputs):
        return None
    values = np.unique(outputs)
    distances = np.diff(values)
    distances = distances[distances > 1e-5 * np.abs(values).max()]  # less is one code, rounded twice
    return float(np.median(distances)) if len(distances) else None


def _middle(bench: Bench, step: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the first code of each chip and their number, within the range of every neuron."""
    survey = bench.survey
    alive = survey.span > 0.01 * survey.span.max()
    low = np.where(alive, survey.level(SHARES[0]), -np.inf).max(1) / step
    high = np.where(alive, survey.level(SHARES[1]), np.inf).min(1) / step
    count = int(np.clip((high - low).min(), 0, MOST_CODES))
    return np.ceil((low + high - count) / 2), count


def _thresholds(bench: Bench, step: np.ndarray, first: np.ndarray, count: int) -> np.ndarray:
    """Return the biases at the lower edges of codes, ``(ramps, chips, codes, n_out)``."""
    survey = bench.survey
    edges = [
        survey.crossing(np.broadcast_to((code * step)[:, None], survey.span.shape)) for code in (first, first + count)
    ]
    noise = survey.outputs.std(0, ddof=1).max(1)
    start, stop = (
        edge.at + side * (_MARGIN * noise + 2 * step[:, None]) / edge.slope
        for side, edge in zip((-1, 1), edges, strict=True)
    )
    start, stop = np.minimum(start, stop), np.maximum(start, stop)
    total = POINTS_A_CODE * (count + 4)
    spacing = (stop - start) / total
    found = np.empty((RAMPS, bench.count, count, bench.sheet.n_out))
    for ramp in range(RAMPS):
        begin = start + spacing * bench.random.random(start.shape)
        y = bench.read(bias=np.nan_to_num(begin[:, None] + spacing[:, None] * np.arange(total)[:, None]))
        code = np.rint(y / step[:, None, None]) - first[:, None, None]
        found[ramp] = start[:, None] + spacing[:, None] * _below(code, count)
    return found


def _below(code: np.ndarray, count: int) -> np.ndarray:
    """Count points under each of the codes ``0 .. count - 1``.

    Shapes:
        ``code``: ``(chips, points, n_out)``; returns ``(chips, codes, n_out)``.
    """
    chips, _, neurons = code.shape
    slots = np.clip(code, -1, count).astype(int) + 1
    lane = np.arange(chips)[:, None, None] * neurons + np.arange(neurons)
    histogram = np.bincount((lane * (count + 2) + slots).ravel(), minlength=chips * neurons * (count + 2))
    return histogram.reshape(chips, neurons, count + 2).cumsum(-1)[:, :, :count].transpose(0, 2, 1)


def unexplained(thresholds: np.ndarray) -> np.ndarray:
    """Return the residuals of a polynomial fit to thresholds ``(..., codes, n_out)``, in local steps."""
    t, degree = np.linspace(-1, 1, thresholds.shape[-2]), _degree(thresholds.shape[-2])
    basis = np.polynomial.legendre.legvander(t, degree)
    fit = np.linalg.pinv(basis)
    smooth = np.einsum("kd,de,...ej->...kj", basis, fit, thresholds)
    mean = thresholds.mean(0) if thresholds.ndim == 4 else thresholds
    local = np.gradient(np.einsum("kd,de,...ej->...kj", basis, fit, mean), axis=-2)
    return (thresholds - smooth) / local


def _degree(count: int) -> int:
    return next(degree for least, degree in _DEGREES if count >= least)


def _mean_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).mean((1, 2))
