import pytest
import torch
from pydantic import ValidationError

from analogff.device import Observable
from analogff.network.normalization import length_normalize
from analogff.rules.node_perturbation import NodePerturbation
from tests.helpers.fakes import Curved, capture_gradients, counted, make_batch, make_chips, weights_of

DIRECTIONS = 1_000


def make_rule(chips, seed=0, **options):
    chosen = NodePerturbation.Options(**options)
    return NodePerturbation(chips.seal(NodePerturbation.needs(chosen)), chosen, seed=seed)


def true_gradients(chips, images, labels, curve):
    weights = [w[0].double().requires_grad_() for w in weights_of(chips)]
    x = length_normalize(images.double())
    for w in weights[:-1]:
        x = length_normalize(curve(x @ w.T))
    loss = torch.nn.functional.cross_entropy(x @ weights[-1].T, labels)
    return torch.autograd.grad(loss, weights)


@pytest.mark.slow
@pytest.mark.parametrize("told", [{}, {"estimate": "activity", "slope": "oracle"}])
def test_the_mean_estimate_is_the_gradient(told):
    """Layer by layer, over many directions: no bias beyond the error of the mean.

    Activity-based differences hold what earlier layers passed on as well, so there the cosine alone is compared.
    """
    chips, (images, labels) = make_chips(sizes=(20, 8), seeds=(0,), curve=torch.tanh), make_batch(4)
    rule = make_rule(chips, directions=50, size=1e-2, batch=4, **told)
    gradients, sums = capture_gradients(rule), [0, 0]
    for _ in range(DIRECTIONS // 50):
        rule.step(images, labels)
        sums = [total + gradients[n] for n, total in enumerate(sums)]
    for n, truth in enumerate(true_gradients(chips, images, labels, torch.tanh)):
        estimate = sums[n][0].double() / (DIRECTIONS // 50)
        assert torch.cosine_similarity(estimate.flatten(), truth.flatten(), 0) > (0.8 if told else 0.97)
        if not told:
            # An entry is a mean over 4 x DIRECTIONS draws whose spread is about |g| of its image: 18 neurons, unit noise.
            torch.testing.assert_close(
                estimate, truth, rtol=0, atol=6 * truth.abs().max().item() * (18 / DIRECTIONS) ** 0.5
            )


@pytest.mark.slow
def test_variance_grows_with_neurons_and_falls_with_directions():
    """cos^2 of one image's estimate by neurons: K / (K + N - 1), in the mean of draws; the law of random directions."""
    found = {}
    for k in (1, 8):
        cosines = []
        for seed in range(30):
            chips, batch = make_chips(sizes=(20, 12), seeds=(seed,), curve=torch.tanh), make_batch(1, seed=seed)
            rule = make_rule(chips, seed=seed, directions=k, size=1e-3)
            gradients = capture_gradients(rule)
            rule.step(*batch)
            x = [length_normalize(batch[0])[0], None]
            estimate = gradients[0][0] @ x[0] / x[0].square().sum()  # by the neurons' sums: one image is one input
            error = gradients[1][0]
            last = length_normalize(torch.tanh(x[0] @ weights_of(chips)[0][0].T))
            sums = torch.cat([estimate, error @ last / last.square().sum()]).double()
            exact = true_gradients(chips, *batch, torch.tanh)
            truth = torch.cat(
                [(exact[0] @ x[0].double()) / x[0].square().sum(), (exact[1] @ last.double()) / last.square().sum()]
            )
            cosines.append(torch.cosine_similarity(sums, truth, 0).item() ** 2)
        found[k] = torch.tensor(cosines)
    for k, squares in found.items():
        expected, error = k / (k + 22 - 1), squares.std().item() / 30**0.5
        assert squares.mean().item() == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize(
    ("told", "hidden", "head"),
    [({}, 6, 6), ({"directions": 1}, 2, 2), ({"estimate": "activity", "slope": "probed", "probe": 0.5}, 9, 7)],
)
def test_reads_of_a_step(told, hidden, head):
    """Two a direction, and one pass with slopes where they are wanted."""
    chips = make_chips()
    make_rule(chips, **told, max_step="free").step(*make_batch(10))
    assert counted(chips, "reads") == [10 * hidden, 10 * hidden, 10 * head]


@pytest.mark.slow
def test_a_chips_own_noise_can_do_and_needs_no_bias_port():
    chips, (images, labels) = make_chips(model=Curved, noise=0.05, seeds=(0,)), make_batch(200)
    rule = make_rule(chips, estimate="activity", size=0.0, slope="one", directions=10, learning_rate=0.003)
    assert rule.needs(rule.options) == Observable.ACTIVITY
    losses = [rule.step(images, labels).item() for _ in range(40)]
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])


@pytest.mark.slow
def test_decorrelated_inputs_end_uncorrelated():
    chips, (images, labels) = make_chips(seeds=(0,)), make_batch(100)
    rule = make_rule(chips, decorrelation=0.05, learning_rate=0.0)

    def off_diagonal():
        z = rule.decorrelations[0].of(rule.network.present(images))[0]
        correlation = z.T @ z / len(z)
        return (correlation - correlation.diag().diag()).abs().mean().item()

    before = off_diagonal()
    for _ in range(100):
        rule.step(images, labels)
    assert off_diagonal() < 0.2 * before


def test_options_that_do_nothing_are_refused():
    with pytest.raises(ValidationError, match="which the injected noise does without"):
        NodePerturbation.Options(slope="probed")
    with pytest.raises(ValidationError, match="must know the noise"):
        NodePerturbation.Options(size=0.0)
