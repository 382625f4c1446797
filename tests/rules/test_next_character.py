import pytest
import torch
from pydantic import ValidationError

from analogff.device import Observable
from analogff.forward_forward.losses import LOSSES
from analogff.forward_forward.sequences import lines_of, push, windows_of
from analogff.network import LayerSpec, fabricate_wired
from analogff.network.normalization import length_normalize
from analogff.rules.next_character import NextCharacter
from tests.helpers.fakes import Curved, capture_gradients, given_probes, weights_of

SYMBOLS, SIZE = 6, 4


def make(seeds=(0, 1), widths=(16, 12), **options):
    chosen = NextCharacter.Options(**{"slope": "assumed", **options})
    shapes = NextCharacter.layer_shapes(chosen, SIZE * SYMBOLS, widths, SYMBOLS)
    chips = fabricate_wired([LayerSpec(Curved)] * len(widths), shapes, seeds=seeds)
    return NextCharacter(chips.seal(NextCharacter.needs(chosen)), chosen, seed=0), chips


def make_windows(strings=4, length=14, seed=0):
    drawn = torch.randint(0, SYMBOLS, (strings, length), generator=torch.Generator().manual_seed(seed))
    windows, following = windows_of(drawn, SIZE)
    return lines_of(windows, SYMBOLS), following


def expected(positive, negative, weights, scale):
    """Return the gradient of each layer's own loss, by autograd on an ideal rectifier."""
    x, gradients = torch.cat([positive, negative]), []
    for w in weights:
        x, w = length_normalize(x).detach(), w.clone().requires_grad_()
        y = torch.relu(x @ w.T)
        LOSSES["swish"](*y.square().mean(-1).chunk(2), scale, 1.0).loss.mean().backward()
        gradients.append(w.grad)
        x = y
    return gradients


@pytest.mark.parametrize("negatives", ["teacher-forcing", "roll-out"])
def test_layers_learn_real_windows_against_the_networks_own(negatives, monkeypatch):
    rule, chips = make(negatives=negatives, scale=3.0)
    lines, following = make_windows()
    kept = {}
    if negatives == "roll-out":
        rule.sleep(lines[::10], 10)
        draw = rule._dreamt
        rule._dreamt = lambda batch: kept.setdefault("negative", draw(batch))
    else:
        from analogff.rules import next_character

        plain = next_character.hard_labels
        monkeypatch.setattr(next_character, "hard_labels", lambda *a: kept.setdefault("wrong", plain(*a)))
    gradients = capture_gradients(rule)
    rule.step(lines, following)
    if "wrong" in kept:
        assert (kept["wrong"] != following).all()
        kept["negative"] = push(lines, kept["wrong"], SYMBOLS)
    for chip in range(2):
        weights = [w[chip] for w in weights_of(chips)[:-1]]
        answers = expected(push(lines, following, SYMBOLS), kept["negative"][chip], weights, 3.0)
        for n, gradient in enumerate(answers):
            torch.testing.assert_close(gradients[n][chip], gradient, rtol=1e-4, atol=1e-6)


def test_the_readout_learns_its_cross_entropy_from_all_layers():
    rule, chips = make(negatives="none")
    gradients, (lines, following) = capture_gradients(rule), make_windows()
    loss = rule.step(lines, following)
    assert set(gradients) == {2}
    for chip in range(2):
        first, second, head = (w[chip] for w in weights_of(chips))
        y1 = torch.relu(length_normalize(lines) @ first.T)
        y2 = torch.relu(length_normalize(y1) @ second.T)
        head.requires_grad_()
        logits = torch.cat([length_normalize(y1), length_normalize(y2)], -1) @ head.T
        entropy = torch.nn.functional.cross_entropy(logits, following)
        torch.testing.assert_close(loss[chip], entropy.detach(), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(gradients[2][chip], torch.autograd.grad(entropy, head)[0], rtol=1e-4, atol=1e-6)


def test_it_dreams_windows_that_follow_from_each_other():
    rule, _ = make(negatives="roll-out")
    lines, _ = make_windows()
    rule.sleep(lines[:3], 5)
    assert rule.dreams.shape == (2, 15, SIZE * SYMBOLS)
    steps = torch.cat([lines[:3].expand(2, 3, -1), rule.dreams], 1).view(2, 6, 3, -1)
    assert torch.equal(steps[:, 1:, :, SYMBOLS:], steps[:, :-1, :, :-SYMBOLS])
    assert (steps.view(2, 6, 3, SIZE, SYMBOLS).sum(-1) == 1).all()


@pytest.mark.parametrize(("negatives", "slope", "reads"), [("teacher-forcing", "probed", 7), ("none", "probed", 1)])
def test_reads_of_a_step(negatives, slope, reads):
    rule, chips = make(negatives=negatives, **given_probes(slope))
    lines, following = make_windows()
    rule.step(lines, following)
    assert chips.ledger.of("layer 2").reads == 40 * reads
    assert chips.ledger.of("head").reads == 40


def test_reads_of_sleep():
    rule, chips = make(negatives="roll-out")
    rule.sleep(make_windows()[0][:3], 5)
    assert chips.ledger.of("layer 1").reads == chips.ledger.of("head").reads == 15


@pytest.mark.parametrize("negatives", ["teacher-forcing", "roll-out", "none"])
def test_a_chip_is_bitwise_the_same_alone_and_in_a_bank(negatives):
    def life(seeds):
        rule, chips = make(seeds, negatives=negatives, learning_rate=0.01)
        for seed in range(3):
            rule.sleep(make_windows(seed=seed)[0][:6], 4)
            rule.step(*make_windows(seed=seed))
        return [w[-1] for w in weights_of(chips)]

    assert all(torch.equal(a, b) for a, b in zip(life((0, 5, 1)), life((1,)), strict=True))


def test_it_learns_a_language():
    """Strings that count on by one or by two from their first two characters."""
    steps = torch.tensor([1, 2]).repeat(6).unsqueeze(-1)
    strings = (torch.arange(12).unsqueeze(-1) // 2 + steps * torch.arange(12)) % SYMBOLS
    windows, following = windows_of(strings, SIZE)
    rule, _ = make(widths=(48, 48), learning_rate=0.003, head_learning_rate=0.01)
    for _ in range(80):
        rule.step(lines_of(windows, SYMBOLS), following)
    assert (rule.predict(lines_of(windows, SYMBOLS)) == following).float().mean() > 0.95


def test_without_negatives_an_activity_is_enough():
    assert NextCharacter.needs(NextCharacter.Options(negatives="none")) == Observable.ACTIVITY
    assert NextCharacter.needs(NextCharacter.Options()) == Observable.PROBE


def test_its_memory_survives_a_file(tmp_path):
    rule, _ = make(negatives="roll-out")
    rule.sleep(make_windows()[0][:6], 4)
    rule.step(*make_windows())
    torch.save(rule.state_dict(), tmp_path / "rule.pt")
    other, _ = make(negatives="roll-out")
    other.load_state_dict(torch.load(tmp_path / "rule.pt", weights_only=True))
    assert torch.equal(other.dreams, rule.dreams)


def test_a_step_before_sleep_says_what_to_do():
    with pytest.raises(ValueError, match="Call sleep"):
        make(negatives="roll-out")[0].step(*make_windows())


@pytest.mark.parametrize("options", [{"negatives": "none", "scale": 3.0}, {"theta": 2.0}])
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ValidationError):
        NextCharacter.Options(**options)
