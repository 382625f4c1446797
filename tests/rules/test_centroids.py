import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import cross_entropy, silu, softplus

from analogff.forward_forward.negatives import hard_labels
from analogff.network.normalization import length_normalize
from analogff.rules.centroids import CentroidForward, Centroids
from tests.helpers.fakes import capture_gradients, given_probes, make_batch, make_chips, weights_of


def make_rule(chips, **options):
    chosen = CentroidForward.Options(**options)
    return CentroidForward(chips.seal(CentroidForward.needs(chosen)), chosen, seed=0)


def class_means(y, labels):
    return torch.stack([y[labels == k].mean(0) if (labels == k).any() else torch.zeros(y.shape[1]) for k in range(10)])


def distances(y, centroids, scale=3.0):
    return scale * (y.unsqueeze(1) - centroids).square().mean(-1)


@pytest.mark.parametrize("loss", ["swish", "symba", "softmax"])
@pytest.mark.parametrize("slope", ["oracle", "assumed"])
def test_updates_are_the_gradients_of_each_layers_own_loss(loss, slope, monkeypatch):
    """At the first step the centroids are the batch's class means, which autograd must hold fixed."""
    chips, (images, labels) = make_chips(), make_batch()
    rule = make_rule(chips, loss=loss, slope=slope, scale=3.0)
    gradients, drawn = capture_gradients(rule), []
    monkeypatch.setattr(
        "analogff.rules.centroids.hard_labels",
        lambda scores, true, generator: drawn.append((true + 1 + true % 3) % 10) or drawn[-1].expand(scores.shape[:-1]),
    )
    losses = rule.step(images, labels)

    found = torch.zeros(2)
    for chip in range(2):
        x = images
        for n, weights in enumerate(weights_of(chips)[:-1]):
            x = length_normalize(x).detach()
            w = weights[chip].clone().requires_grad_()
            y = torch.relu(x @ w.T)
            d = distances(y, class_means(y, labels).detach())
            if loss == "softmax":
                value = cross_entropy(-d, labels)
            else:
                rows = torch.arange(len(labels))
                value = {"swish": silu, "symba": softplus}[loss](d[rows, labels] - d[rows, drawn[n]]).mean()
            value.backward()
            found[chip] += value.detach() / 2
            torch.testing.assert_close(gradients[n][chip], w.grad, rtol=1e-4, atol=1e-6)
            x = y
    torch.testing.assert_close(losses, found)


def test_centroids_are_means_that_forget():
    memory, centroids = 0.7, Centroids((2, 10, 5), 0.7, torch.device("cpu"))
    batches = [
        (torch.rand(2, 30, 5, generator=torch.Generator().manual_seed(n)), make_batch(seed=n)[1]) for n in (0, 1)
    ]
    for y, labels in batches:
        centroids.learn(y, labels)
    weight = torch.cat([memory ** (1 - n) * torch.ones(30) for n in (0, 1)])
    y, labels = torch.cat([y for y, _ in batches], dim=1), torch.cat([labels for _, labels in batches])
    for k in range(10):
        mine = weight * (labels == k)
        torch.testing.assert_close(centroids.means()[:, k], torch.einsum("b,cbj->cj", mine, y) / mine.sum())


@pytest.mark.parametrize("vote", ["all", "last"])
def test_prediction_is_the_nearest_centroid(vote):
    rule = make_rule(make_chips(), slope="assumed", vote=vote)
    images, labels = make_batch(200)
    rule.step(images, labels)
    voters = slice(None) if vote == "all" else slice(-1, None)
    layers = list(zip(rule.network.activities(images), rule.objectives, strict=True))[voters]
    for chip in range(2):
        total = sum(distances(y[chip], near.centroids.means()[chip]) for y, near in layers)
        assert torch.equal(rule.predict(images)[chip], total.argmin(-1))


def test_prediction_teaches_the_centroids_nothing():
    """The centroids are those of the training images: a batch of test images is answered image by image."""
    rule = make_rule(make_chips(), slope="assumed")
    rule.step(*make_batch())
    before = [near.centroids.means().clone() for near in rule.objectives]
    images, _ = make_batch(8, seed=1)
    together = rule.predict(images)
    assert torch.equal(together, torch.cat([rule.predict(image.unsqueeze(0)) for image in images], dim=1))
    assert all(torch.equal(a, b.centroids.means()) for a, b in zip(before, rule.objectives, strict=True))


@pytest.mark.parametrize(("slope", "reads"), [("assumed", 1), ("probed", 3)])
def test_reads_of_a_step_and_of_an_answer(slope, reads):
    chips = make_chips()
    rule = make_rule(chips, **given_probes(slope))
    rule.step(*make_batch(10))
    counts = [chips.ledger.of(name).reads for name in chips.names]
    assert counts == [10 * reads, 10 * reads, 0]
    rule.predict(make_batch(10)[0])
    assert [chips.ledger.of(name).reads for name in chips.names] == [10 * reads + 10, 10 * reads + 10, 0]


@pytest.mark.parametrize(("hardness", "near"), [(0.0, (0.05, 0.2)), (1e6, (0.999, 1.0))])
def test_hardness_says_how_near_the_wrong_centroid_is(hardness, near, monkeypatch):
    """Of nine wrong centroids, any is the nearest one time in nine, give or take three deviations of 600 draws."""
    drawn = []

    def watch(scores, labels, generator):
        drawn.append(hard_labels(scores, labels, generator))
        return drawn[-1]

    monkeypatch.setattr("analogff.rules.centroids.hard_labels", watch)
    rule, (images, labels) = make_rule(make_chips(), slope="assumed", hardness=hardness), make_batch(300)
    y = rule.network.activities(images)[0]
    rule.step(images, labels)
    d = torch.stack([distances(y[chip], rule.objectives[0].centroids.means()[chip]) for chip in range(2)])
    d.scatter_(-1, labels.expand(2, -1).unsqueeze(-1), torch.inf)
    assert not (drawn[0] == labels).any()
    assert near[0] <= (drawn[0] == d.argmin(-1)).float().mean() <= near[1]


def test_hardness_is_refused_where_nothing_is_drawn():
    with pytest.raises(ValidationError, match='loss = "swish" or "symba" beside it, without which hardness does noth'):
        CentroidForward.Options(loss="softmax", hardness=1.0)


def test_a_silent_pixel_is_silent_on_all_chips_and_in_training_only():
    rule, (images, labels) = make_rule(make_chips(), slope="assumed", input_dropout=0.3), make_batch(500)
    seen, present = [], rule.network.present
    rule.network.present = lambda images: seen.append(images) or present(images)
    rule.step(images, labels)
    rule.predict(images)
    silent = seen[0] == 0
    assert abs(silent.float().mean() - 0.3) < 3 * (0.3 * 0.7 / silent.numel()) ** 0.5
    torch.testing.assert_close(seen[0][~silent], images[~silent] / 0.7)  # so that their mean is as in use
    assert torch.equal(seen[1], images)


def test_a_batch_of_one_image_is_a_batch():
    rule = make_rule(make_chips(), slope="assumed")
    losses = torch.stack([rule.step(images[None], label[None]) for images, label in zip(*make_batch(5), strict=True)])
    assert torch.isfinite(losses).all()


def test_centroids_survive_a_checkpoint():
    rules = [make_rule(make_chips(), slope="assumed") for _ in range(2)]
    rules[0].step(*make_batch())
    rules[1].load_state_dict(rules[0].state_dict())
    for mine, theirs in zip(*(rule.objectives for rule in rules), strict=True):
        assert torch.equal(mine.centroids.means(), theirs.centroids.means())


def test_it_learns():
    rule = make_rule(make_chips(sizes=(20, 64, 64), classes=4), slope="assumed", learning_rate=0.01)
    images, labels = make_batch(40, classes=4)
    images[torch.arange(40), 4 + labels * 4] += 2  # something to learn
    for _ in range(150):
        rule.step(images, labels)
    assert (rule.predict(images) == labels).float().mean() > 0.95
    assert (rule.answers_by_layer(images) == labels).float().mean() > 0.9
