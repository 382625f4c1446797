"""The pass over the weights, compiled."""

import numpy as np

from analogff.device.numerics.compiled import compiled


@compiled
def adam_step(gradient, mean, square, change, size, shrink, first, second, epsilon):
    """Fill ``change`` with Adam's step, and bring the moments up to date; see `Adam`."""
    one, size, shrink, epsilon = np.float32(1), np.float32(-size), np.float32(shrink), np.float32(epsilon)
    first, second = np.float32(first), np.float32(second)
    rest, squared_rest = np.float32(one - first), np.float32(one - second)
    for i in range(gradient.shape[0]):
        g = gradient[i]
        m = first * mean[i] + rest * g
        v = second * square[i] + squared_rest * g * g
        mean[i], square[i] = m, v
        change[i] = size * m / (np.sqrt(v) * shrink + epsilon)
