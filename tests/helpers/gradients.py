"""The gradient of a small network of exact chips by autograd, and how estimates of it compare."""

import torch

from analogff.network.normalization import length_normalize
from tests.helpers.fakes import capture_gradients, weights_of


def true_gradients(chips, images, labels, curve=torch.relu):
    """Return the gradient of the mean cross-entropy of the head by the weights of each layer of the first chip."""
    weights = [w[0].double().requires_grad_() for w in weights_of(chips)]
    x = length_normalize(images.double())
    for w in weights[:-1]:
        x = length_normalize(curve(x @ w.T))
    loss = torch.nn.functional.cross_entropy(x @ weights[-1].T, labels)
    return torch.autograd.grad(loss, weights)


def flat(gradients):
    return torch.cat([g.flatten() for g in gradients])


def estimates(rule, images, labels, steps):
    """Return what a rule takes for the gradient in several steps, without moving, ``(steps, parameters)``."""
    gradients, found = capture_gradients(rule), []
    for _ in range(steps):
        rule.step(images, labels)
        found.append(flat(gradients[n][0].double() for n in sorted(gradients)))
    return torch.stack(found)


def assert_unbiased(found, truth, sigmas=5.0):
    """Hold the mean of estimates to the gradient, each entry within so many standard errors of the mean.

    Of some hundred entries one is beyond 5 in one of 10,000 runs.
    """
    error = found.std(0) / len(found) ** 0.5
    # rounding of losses near 2.3 in single precision, over a step of about 0.01
    assert ((found.mean(0) - truth).abs() <= sigmas * error + 3e-4).all()
    assert error.max() < 0.5 * truth.abs().max()  # or nothing is shown


def assert_squared_cosine(found, truth, expected):
    """Hold the mean of squared cosines to a law, within four standard errors."""
    squares = torch.cosine_similarity(found, truth[None], 1).square()
    error = squares.std().item() / len(squares) ** 0.5
    assert abs(squares.mean().item() - expected) < 4 * error
    assert error < 0.2 * expected  # or nothing is shown
