import pytest
import torch
from pydantic import ValidationError

from analogff.data import ImageShape
from analogff.forward_forward.losses import LOSSES
from analogff.network import LayerSpec, fabricate_wired
from analogff.network.normalization import length_normalize
from analogff.rules.unsupervised_forward_forward import UnsupervisedForwardForward as Rule
from tests.helpers.fakes import Curved, capture_gradients, counted, given_probes, make_batch, weights_of

SQUARE = ImageShape(1, 5, 5)


def make_rule(*, widths=(16, 12), image=SQUARE, n_in=25, seeds=(0, 1), seed=0, **options):
    options = Rule.Options(**{"slope": "assumed"} | options)
    shapes = Rule.layer_shapes(options, n_in, widths, 10)
    chips = fabricate_wired([LayerSpec(Curved)] * len(widths), shapes, seeds=seeds)
    return Rule(chips.seal(Rule.needs(options), image=image), options, seed=seed), chips


def batch(size=30, **more):
    return make_batch(size, n_in=25, **more)


def keep_negatives(rule):
    """Note the negatives that a rule draws."""
    kept, draw = [], rule.negatives
    rule.negatives = lambda images: kept.append(draw(images)) or kept[-1]
    return kept


def heard_by(weights, images, first):
    """Return what a head hears on ideal rectifiers."""
    heard, x = [], images
    for n, w in enumerate(weights):
        x = length_normalize(torch.relu(length_normalize(x) @ w.T))
        heard += [x] if n >= first else []
    return torch.cat(heard, -1)


@pytest.mark.parametrize(
    ("order", "progress", "writes", "reads"),
    [
        ("greedy", 0.0, [1, 0, 0, 0], [6, 0, 0, 0]),  # a probed learner reads both halves three times
        ("greedy", 0.5, [0, 1, 0, 0], [2, 6, 0, 0]),
        ("greedy", 0.9, [0, 0, 1, 1], [2, 2, 6, 1]),  # with the last one the head learns
        ("pairs", 0.4, [1, 1, 0, 0], [6, 6, 0, 0]),
        ("pairs", 0.9, [0, 1, 1, 1], [2, 6, 6, 1]),
        ("simultaneous", 0.0, [1, 1, 1, 1], [6, 6, 6, 1]),
    ],
)
def test_layers_take_turns_and_the_head_comes_with_the_last(order, progress, writes, reads):
    rule, chips = make_rule(widths=(16, 12, 14), order=order, **given_probes("probed"), head_from=1)
    rule.advance(progress)
    rule.step(*batch(10))
    assert counted(chips, "writes") == writes
    assert counted(chips, "reads") == [10 * n for n in reads]


def test_on_its_turn_the_head_learns_what_it_would_with_all():
    found = []
    for order in ("simultaneous", "greedy"):
        rule, _ = make_rule(order=order, head_from=1)
        rule.advance(0.9)
        gradients = capture_gradients(rule)
        rule.step(*batch())
        found.append(gradients)
    for layer in (1, 2):  # the last one and the head
        torch.testing.assert_close(found[0][layer], found[1][layer], rtol=1e-5, atol=1e-7)


def test_in_a_pipeline_the_head_hears_an_image_with_its_own_label():
    """Layers that a step has passed would have changed; at rate 0 the head's step is a delayed copy."""
    (plain, _), (piped, _) = (
        make_rule(order=order, head_from=1, learning_rate=0) for order in ("simultaneous", "pipelined")
    )
    first, second = batch(seed=1), batch(seed=2)
    expected = capture_gradients(plain)
    plain.step(*first)
    found = capture_gradients(piped)
    piped.step(*first)
    assert 2 not in found
    piped.step(*second)
    torch.testing.assert_close(found[2], expected[2], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss", ["hinton", "symba", "swish", "scff"])
@pytest.mark.parametrize("negatives", ["hybrid", "mixed"])
@pytest.mark.parametrize("goodness", ["mean", "sum"])
def test_updates_are_the_gradients_of_each_layers_own_loss(loss, negatives, goodness):
    rule, chips = make_rule(loss=loss, negatives=negatives, goodness=goodness, scale=0.3)
    kept, gradients, (images, labels) = keep_negatives(rule), capture_gradients(rule), batch()
    losses = rule.step(images, labels)
    for chip in range(2):
        x, mean = torch.cat([images, kept[0]]), 0
        for n, weights in enumerate(weights_of(chips)[:-1]):
            x = length_normalize(x).detach()
            w = weights[chip].clone().requires_grad_()
            y = torch.relu(x @ w.T)
            squares = y.square().mean(-1) if goodness == "mean" else y.square().sum(-1)
            theta = 1 if goodness == "mean" else len(w)
            slack = {"slack": theta} if loss == "scff" else {}
            own = LOSSES[loss](*squares.chunk(2), 0.3, theta, **slack).loss.mean()
            own.backward()
            torch.testing.assert_close(gradients[n][chip], w.grad, rtol=1e-4, atol=1e-6)
            x, mean = y, mean + own.item() / 2
        assert losses[chip].item() == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("goodness", ["mean", "sum"])
def test_peers_draw_images_and_no_negatives(goodness):
    """Beside the loss each image adds ``-alpha (dG/dy at y = 1) lambda (mean m - m_j) x``, on or off."""
    (drawn, chips), (plain, _) = (make_rule(goodness=goodness, peer_strength=s) for s in (0.03, 0))
    found, expected = capture_gradients(drawn), capture_gradients(plain)
    means = [torch.full((2, n), 0.5) for n in (16, 12)]
    for seed in range(2):  # the weights stay, and the running means move on
        images, labels = batch(seed=seed)
        drawn.step(images, labels)
        plain.step(images, labels)
        for chip in range(2):
            x = images
            for n, weights in enumerate(weights_of(chips)[:-1]):
                x = length_normalize(x)
                y = torch.relu(x @ weights[chip].T)
                mine = means[n][chip] = 0.9 * means[n][chip] + 0.1 * y.mean(0)
                unit = 2 / len(mine) if goodness == "mean" else 2
                push = drawn.options.scale * unit * 0.03 * (mine.mean() - mine)
                added = found[n][chip] - expected[n][chip]
                torch.testing.assert_close(added, -push[:, None] * x.mean(0), rtol=1e-3, atol=1e-6)
                x = y
    again, _ = make_rule(goodness=goodness, peer_strength=0.03)
    again.load_state_dict(drawn.state_dict())
    for objective, mine in zip(again.objectives, means, strict=True):
        torch.testing.assert_close(objective.peers.mean, mine)


@pytest.mark.parametrize("head_from", [1, 2])
def test_the_head_learns_the_gradient_of_its_cross_entropy_and_answers_by_it(head_from):
    rule, chips = make_rule(head_from=head_from)
    gradients, (images, labels) = capture_gradients(rule), batch()
    answers = rule.predict(images)
    rule.step(images, labels)
    for chip in range(2):
        *layers, v = (w[chip] for w in weights_of(chips))
        v.requires_grad_()
        logits = heard_by(layers, images, head_from - 1) @ v.T
        (wanted,) = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, labels), v)
        torch.testing.assert_close(gradients[2][chip], wanted, rtol=1e-4, atol=1e-6)
        assert torch.equal(answers[chip], logits.argmax(-1))


@pytest.mark.parametrize("negatives", ["hybrid", "mixed"])
def test_no_label_reaches_the_layers(negatives):
    """Learning with the labels of other images changes the head, and no bit of a layer or of the loss."""
    (told, chips), (misled, others) = make_rule(negatives=negatives), make_rule(negatives=negatives)
    images, labels = batch()
    for _ in range(5):
        assert torch.equal(told.step(images, labels), misled.step(images, labels.roll(1)))
    *layers, head = zip(weights_of(chips), weights_of(others), strict=True)
    assert all(torch.equal(a, b) for a, b in layers)
    assert not torch.equal(*head)


def test_no_label_is_written_into_an_image():
    """Every read of the first layer is of an image, a negative of two, or nothing else."""
    rule, _ = make_rule()
    seen, present = [], rule.network.present
    rule.network.present = lambda shown: seen.append(shown) or present(shown)
    kept, (images, labels) = keep_negatives(rule), batch()
    rule.step(images, labels)
    rule.predict(images)
    assert torch.equal(seen[0], torch.cat([images, kept[0]])) and torch.equal(seen[1], images)
    for pixel in range(25):  # each from one image or the other, and from both over the batch
        assert torch.isin(kept[0][:, pixel], images[:, pixel]).all()
    assert (kept[0] != images).any(0).all()


@pytest.mark.parametrize(("slope", "reads"), [("assumed", 2), ("probed", 6)])
def test_reads_of_a_step(slope, reads):
    """Each image and its negative, three times where probed; the head hears the images of that very pass."""
    rule, chips = make_rule(**given_probes(slope))
    rule.step(*batch(10))
    assert [chips.ledger.of(name).reads for name in ("layer 1", "layer 2", "head")] == [10 * reads, 10 * reads, 10]


def test_a_chip_learns_the_same_alone_and_in_a_bank():
    bank, chips = make_rule(seeds=(3, 4, 5), loss="hinton")
    alone, own = make_rule(seeds=(4,), loss="hinton")
    for _ in range(3):
        assert torch.equal(bank.step(*batch(31))[1:2], alone.step(*batch(31)))
    for a, b in zip(weights_of(chips), weights_of(own), strict=True):
        assert torch.equal(a[1:2], b)


def test_negatives_are_drawn_from_the_learning_seed():
    images, _ = batch()
    one, same, other = (make_rule(seed=seed)[0].negatives(images) for seed in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_a_last_batch_of_one_image_teaches_the_layers_nothing():
    rule, _ = make_rule(loss="swish")
    gradients = capture_gradients(rule)
    rule.step(*batch(1))
    assert gradients[0].abs().max() < 1e-5 < 1e-2 < gradients[2].abs().max()


@pytest.mark.parametrize(
    ("widths", "head_from", "inputs"),
    [((16,), 2, 16), ((16, 12), 2, 12), ((16, 12), 1, 28), ((16, 12, 8, 4), 2, 24), ((16, 12, 8, 4), 4, 4)],
)
def test_the_head_hears_all_layers_from_one_on(widths, head_from, inputs):
    """By default all but the first, as in the paper, and the only one where there is one."""
    rule, chips = make_rule(widths=widths, head_from=head_from)
    assert chips.devices[-1].datasheet.n_in == inputs
    assert rule.predict(batch()[0]).shape == (2, 30)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Expected head_from to be one of the 2 layers. Got 3. Take 2"):
        make_rule(head_from=3)
    with pytest.raises(ValueError, match=r'Got a table, whose columns .*Take negatives = "mixed"'):
        make_rule(image=None)
    make_rule(image=None, negatives="mixed")
    options = Rule.Options(head_from=1)
    chips = fabricate_wired([LayerSpec(Curved)] * 2, [(25, 16), (16, 12), (12, 10)], seeds=[0])
    with pytest.raises(ValueError, match="Expected a head with 28 inputs.*Got 12. Fabricate"):
        Rule(chips.seal(Rule.needs(options), image=SQUARE), options, seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"negatives": "mixed", "blurs": 3}, 'negatives = "hybrid" beside it, without which blurs does nothing'),
        ({"loss": "swish", "theta": 2.0}, 'loss = "hinton" beside it, without which theta does nothing'),
        ({"loss": "hinton", "slack": 2.0}, 'loss = "scff" beside it, without which slack does nothing'),
        ({"batch": 1}, "at least 2 images, since one alone is its own negative"),
        ({"blurs": 14}, "less than or equal to 13"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        Rule.Options(**options)


@pytest.mark.slow
@pytest.mark.parametrize("negatives", ["hybrid", "mixed"])
def test_its_goodness_tells_images_from_negatives(negatives):
    """Images of which the left half foretells the right one, as the halves of two do not."""
    rule, _ = make_rule(widths=(64, 64), learning_rate=0.01, negatives=negatives, scale=4.0)
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (100,), generator=generator)
    rows = torch.eye(2)[labels].repeat_interleave(5, 1)[:, [0, 1, 2, 5, 6]]
    images = rows.unsqueeze(1).expand(-1, 5, -1).flatten(1) + 0.1 * torch.rand(100, 25, generator=generator)
    first = rule.step(images, labels)
    for _ in range(150):
        last = rule.step(images, labels)
    assert (last < first - 0.1).all()
    assert (rule.predict(images) == labels).all()


def test_hybrids_of_wide_color_images_take_whole_pixels():
    """2 x 6 pixels of two colors, so that no square would do: each pixel is of the image or of the other, all of it."""
    rule, _ = make_rule(image=ImageShape(2, 2, 6), n_in=24)
    images = torch.arange(3.0)[:, None].expand(-1, 24)  # an image is its number everywhere
    own = (rule.negatives(images) == images).view(3, 2, 6, 2)
    assert torch.equal(own[..., 0], own[..., 1])
    assert own.any() and not own.all()
