"""MNIST-1D: ten templates of 12 points, padded, scaled, shifted, sheared and noisy, seen as 40 points."""

import functools

import numpy as np

from analogff.data.raw import Raw

POINTS = 40
_EXAMPLES, _TRAIN = 5000, 4000
_LEAST_PADDING, _MOST_PADDING = 36, 60
_LENGTH = 12 + _MOST_PADDING
_MOST_SHIFT, _SCALE, _SHEAR = 48, 0.4, 0.75
_SMOOTH_NOISE, _WHITE_NOISE = 0.25, 0.02
# Constants and templates are those of github.com/greydanus/mnist1d (Apache License 2.0).
_TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)


def signals(seed: int = 42) -> tuple[np.ndarray, np.ndarray]:
    """Return 5000 signals with mean 0 and standard deviation 1, ``(5000, 40)``, and their labels.

    The draws are those of the published program in their order, so that seed 42 gives the published data set.

    Args:
        seed: Decides all of it.

    Reference:
        Greydanus and Kobak, Scaling Down Deep Learning with MNIST-1D (ICML 2024), section 3 and appendix A.
    """
    random = np.random.RandomState(seed)
    templates = np.array(_TEMPLATES)
    templates = (templates - templates.mean(1, keepdims=True)) / templates.std(1, keepdims=True)
    templates = (templates - templates[:, :1]) / 6
    labels = np.repeat(np.arange(len(templates)), _EXAMPLES // len(templates))
    found = np.stack([_signal(templates[label], random) for label in labels])
    order = random.permutation(_EXAMPLES)
    return ((found - found.mean()) / found.std())[order], labels[order]


@functools.lru_cache(maxsize=1)
def mnist1d() -> Raw:
    """Return MNIST-1D as images of one row and 40 points, 4000 for training and 1000 for test.

    A point has two channels in [0, 1], since inputs of a chip are not negative: what it is above 0 and what it is
    below, over the greatest magnitude in training. Greater ones of the test set are clipped.
    """
    found, labels = signals()
    found = np.clip(found / np.abs(found[:_TRAIN]).max(), -1, 1)[:, None]
    images = np.stack([np.maximum(found, 0), np.maximum(-found, 0)], axis=1)
    return Raw(images[:_TRAIN], labels[:_TRAIN], images[_TRAIN:], labels[_TRAIN:])


def _signal(template: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Return one signal of a template, ``(40,)``."""
    from scipy.ndimage import gaussian_filter

    padding = _LEAST_PADDING + int(random.rand() * (_MOST_PADDING - _LEAST_PADDING + 1))
    # What is added is not 0, so that the template can be told from what is around it.
    x = _resampled(np.concatenate([template + 1e-8, np.zeros(padding)]), _LENGTH)
    x = x * (1 + _SCALE * (random.rand() - 0.5))
    x = np.roll(x, random.choice(_MOST_SHIFT))
    smooth = gaussian_filter(_SMOOTH_NOISE * random.randn(_LENGTH), 2)
    x = np.where(x != 0, x, smooth) + _WHITE_NOISE * random.randn(_LENGTH)
    x = x - _SHEAR * (random.rand() - 0.5) * np.linspace(-0.5, 0.5, _LENGTH)
    return _resampled(x, POINTS)


def _resampled(x: np.ndarray, points: int) -> np.ndarray:
    """Return a signal at other points of the same interval, linearly interpolated."""
    return np.interp(np.linspace(0, 1, points), np.linspace(0, 1, len(x)), x)
