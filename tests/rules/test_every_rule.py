"""What every rule must pass; installing one adds its tests."""

import dataclasses
import itertools
import typing
from functools import partial

import pytest
import torch

from analogff.catalog import resolve_rule, rule_names
from analogff.data import Dataset, ImageShape, Split
from analogff.device import BlackBoxError, ContractError, Device, Observable
from analogff.network import LayerSpec, fabricate_wired
from analogff.timing import Schedule
from analogff.training.checkpoint import load_checkpoint, save_checkpoint
from analogff.training.loop import train
from analogff.training.progress import Progress
from tests.helpers import fakes
from tests.helpers.memory import choices, differences

N_IN, WIDTHS, CLASSES = 25, (16, 12), 10  # square images, for rules that cut them
make_batch = partial(fakes.make_batch, n_in=N_IN, classes=CLASSES)

DRAWS_NOTHING = {"competitive-forward"}  # of which the learning seed decides the order of the data alone
DRAWS_LABELS = {"forward-forward", "recurrent-forward-forward", "centroid-forward"}  # where labels are soft
LEARNS_ONCE = {  # of those that learn several times a step
    "recurrent-forward-forward": {"learn_from": 8},
    "phyll": {"inner_steps": 1},
}
WRITES_NOTHING = {"phyll"}  # but digital maps of its own


def make(name, level=None, seed=0, seeds=(0, 1), widths=WIDTHS, **told):
    rule = resolve_rule(name)
    options = rule.Options(**told)
    shapes = rule.layer_shapes(options, N_IN, widths, CLASSES)
    layers = [LayerSpec(fakes.Curved)] * len(widths)
    chips = fabricate_wired(layers, shapes, seeds=seeds, writes=options.write_hardware)
    network = chips.seal(rule.needs(options) if level is None else level, image=ImageShape(1, 5, 5))
    return rule(network, options, seed=seed), chips


@pytest.mark.parametrize("name", rule_names())
def test_it_lives_on_what_it_declares(name):
    rule, chips = make(name)
    images, labels = make_batch()
    loss = rule.step(images, labels)
    assert loss.shape == (2,) and torch.isfinite(loss).all() and not loss.requires_grad
    answers = rule.predict(images)
    assert answers.shape == (2, 30) and answers.min() >= 0 and answers.max() < 10
    assert (sum(fakes.counted(chips, "writes")) == 0) == (name in WRITES_NOTHING)


@pytest.mark.parametrize("name", rule_names())
def test_it_answers_by_its_scores(name):
    rule, _ = make(name)
    images, _ = make_batch()
    if rule.needs(rule.options) == Observable.LOSS:
        with pytest.raises(BlackBoxError, match="declared LOSS"):
            rule.scores(images)
        return
    scores = rule.scores(images)
    assert scores.shape == (2, 30, CLASSES)
    assert torch.equal(scores.argmax(-1), rule.predict(images))


@pytest.mark.parametrize("name", rule_names())
def test_soft_labels_that_are_sure_teach_what_labels_do(name):
    """Exactly, but for rules that draw from them and so shift their other draws: these learn the same in a step."""
    told = {"negatives": "all"} if name == "forward-forward" else {}
    (hard, chips), (soft, others) = make(name, **told), make(name, **told)
    if not hard.learns_soft_labels(hard.options):
        pytest.skip("has no use for them")
    if name in DRAWS_LABELS:
        hard.generator, soft.generator = torch.Generator(), torch.Generator()
    images, labels = make_batch()
    one_hot = torch.nn.functional.one_hot(labels, CLASSES).float()
    if name in DRAWS_LABELS:
        torch.rand(len(labels), generator=hard.generator)
    torch.testing.assert_close(soft.step(images, one_hot), hard.step(images, labels))
    for ours, theirs in zip(chips.devices.buffers(), others.devices.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("name", rule_names())
def test_it_needs_what_it_declares(name):
    """A rule that declares more than it uses would be refused chips that it could live on."""
    needs = make(name)[0].needs(resolve_rule(name).Options())
    if needs == Observable.LOSS:
        pytest.skip("nothing is less")
    with pytest.raises(BlackBoxError, match=f"declared {Observable(needs - 1).name}"):
        make(name, Observable(needs - 1))[0].step(*make_batch())


class Unset(fakes.Curved):
    """A chip whose weights can be changed, and never set."""

    program = Device.program  # type: ignore[assignment]


@pytest.mark.parametrize("name", rule_names())
def test_it_programs_only_if_it_says_so(name, monkeypatch):
    monkeypatch.setattr(fakes, "Curved", Unset)
    monkeypatch.setattr(fakes.Digital, "program", Device.program)
    rule = resolve_rule(name)
    if rule.programs(rule.Options()):
        with pytest.raises(ContractError, match="Got Unset, which does not override program. Write"):
            make(name)
    else:
        made, _ = make(name)
        made.step(*make_batch())
        made.finish_epoch()


@pytest.mark.slow
@pytest.mark.parametrize("name", rule_names())
def test_the_seed_decides_everything(name):
    def losses(seed):
        rule, _ = make(name, seed=seed)
        return torch.stack([rule.step(*make_batch()) for _ in range(3)])

    assert torch.equal(losses(1), losses(1))
    assert torch.equal(losses(1), losses(2)) == (name in DRAWS_NOTHING)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decay_from", "progress", "left"), [(0.5, 0.4, 1.0), (0.5, 0.75, 0.5), (0.0, 0.25, 0.75), (1.0, 0.9, 1.0)]
)
@pytest.mark.parametrize("name", rule_names())
def test_its_rate_falls_as_it_is_told(name, decay_from, progress, left):
    """The first step of Adam is as long as the rate."""

    def moved(**told):
        widths = (
            WIDTHS[:1] if name == "phyll" else WIDTHS
        )  # whose next layer hears what the one before has just learned
        rule, chips = make(name, widths=widths, **told, **LEARNS_ONCE.get(name, {}))

        def weights():
            digital = [lines.weights.clone() for lines in rule.lines] if name in WRITES_NOTHING else []
            return [*(w.clone() for w in fakes.weights_of(chips)), *digital]

        before = weights()
        rule.advance(progress)
        rule.step(*make_batch())
        return [after - w for after, w in zip(weights(), before, strict=True)]

    constant = moved(decay_from=1.0)
    assert any(full.any() for full in constant)
    for faded, full in zip(moved(decay_from=decay_from), constant, strict=True):
        torch.testing.assert_close(faded, left * full, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", rule_names())
def test_it_supplies_a_schedule_with_a_time_to_write(name):
    schedule = resolve_rule(name).schedule(resolve_rule(name).Options())
    assert isinstance(schedule, Schedule) and schedule.writes == (name not in WRITES_NOTHING)


class Ending(fakes.Curved):
    """A chip whose converter ends in the middle of what its neurons show, and says so."""

    def __init__(self, *sizes, **told):
        super().__init__(*sizes, **told, curve=lambda a: a.clamp(0, 1))
        written = dict(change_step=0.01, weight_max=0.1)  # for writes that go by pulses
        self.datasheet = dataclasses.replace(self.datasheet, output_min=0.0, output_max=1.0, **written)


def cases():
    """Yield every rule with every choice of its options; choices that another rule has had are slow."""
    had = set()
    for name in rule_names():
        for told in choices(resolve_rule(name).Options):
            always = not told or not told.items() <= had
            had |= told.items()
            words = " ".join(f"{option}={value}" for option, value in told.items())
            yield pytest.param(name, told, id=f"{name} {words}", marks=() if always else pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "told"), cases())
def test_a_checkpoint_restores_all_that_a_rule_remembers(name, told, tmp_path, monkeypatch):
    """A rule that goes on from a file is the one that never stopped: each register, counter and generator of it."""

    def two_steps(rule, seed):
        rule.advance(0.6)
        return torch.stack([rule.step(*make_batch(10, seed=n)) for n in (seed, seed + 1)])

    monkeypatch.setattr(fakes, "Curved", Ending)
    told = LEARNS_ONCE.get(name, {}) | told
    widths = (*WIDTHS, 10) if told.get("order") == "pairs" else WIDTHS
    (rule, chips), (other, fresh) = (make(name, widths=widths, **told) for _ in range(2))
    two_steps(rule, 0)
    rule.finish_epoch()
    save_checkpoint(tmp_path / "run.pt", rule, chips, Progress())
    load_checkpoint(tmp_path / "run.pt", other, fresh)
    assert not differences(rule.state_dict(), other.state_dict())
    assert torch.equal(two_steps(rule, 2), two_steps(other, 2))
    assert not differences(rule, other)
    assert not differences(chips.state_dict(), fresh.state_dict())


@pytest.mark.parametrize("name", [*rule_names(), "analogff.rules.next_character:NextCharacter"])
def test_it_is_composed_and_not_inherited(name):
    """A rule, or a rule whose layers learn from losses of their own, and nothing between."""
    for model in (resolve_rule(name), resolve_rule(name).Options):
        assert depth(model) <= 3


def depth(model):
    """Return the number of our classes on the longest way from a class to its last ancestor."""
    return model.__module__.startswith("analogff") + max(map(depth, model.__bases__), default=0)


@pytest.mark.parametrize("name", rule_names())
def test_its_paper_is_named(name):
    assert "Reference:" in (resolve_rule(name).__doc__ or "")


@pytest.mark.parametrize("name", rule_names())
def test_a_chip_is_bitwise_the_same_alone_and_in_a_bank(name):
    def after_three_steps(seeds):
        rule, chips = make(name, seeds=seeds)
        losses = torch.stack([rule.step(*make_batch(seed=n)) for n in range(3)])
        return losses, fakes.weights_of(chips)

    (loss, weights), (losses, bank) = after_three_steps((1,)), after_three_steps((0, 1, 2))
    assert torch.equal(loss[:, 0], losses[:, 1])
    assert all(torch.equal(one[0], three[1]) for one, three in zip(weights, bank, strict=True))


@pytest.mark.parametrize("name", rule_names())
def test_it_says_where_its_passes_end_if_it_tells_them_apart(name):
    rule, _ = make(name, batch=10)
    passes = []
    rule.between_passes = passes.append
    rule.step(*make_batch(10))
    clocks = rule.pass_clocks(rule.options)
    assert (len(passes) > 0) == ("pass" in clocks) and (10 in passes) == ("interleaved" in clocks)
    assert set(passes) <= {1, 10}


@pytest.mark.slow
@pytest.mark.parametrize("rate", [1e9, 3e38])
@pytest.mark.parametrize("name", rule_names())
def test_a_rate_beyond_all_measure_ends_as_a_record_and_not_as_an_error(name, rate):
    """Sums overflow, and what follows from them is no number; the seal refuses that, but a study has asked for it."""
    rule, chips = make(name, learning_rate=rate, batch=10)
    images, labels = make_batch()
    some = Split(images, labels)
    data = Dataset(name="noise", train=some, validation=some, test=some, n_in=N_IN, classes=CLASSES)
    *_, last = train(rule, chips, data, epochs=3)
    assert last.diverged.all() or rate < 1e38
    assert ((last.test_error >= 0) & (last.test_error <= 100)).all()


@pytest.mark.parametrize("name", rule_names())
def test_its_search_space_is_valid_at_every_corner_and_leaves_what_it_sees(name):
    """Also for each other value of an option in words, on which the space may depend."""
    rule = resolve_rule(name)
    variants = [{}]
    for option, field in rule.Options.model_fields.items():
        variants += [{option: word} for word in typing.get_args(field.annotation) if isinstance(word, str)]
    for told in variants:
        try:
            options = rule.Options(**told)
        except ValueError:  # not beside the defaults of the others
            continue
        space = rule.search_space(options)
        assert 2 <= len(space) <= 4 and {"learning_rate", "batch"} <= set(space)
        for option, values in space.items():
            share = values.share(getattr(options, option))
            assert share is None or 0 <= share <= 1, f"the default of {option} lies beyond its range"
        for corner in itertools.product(*([values.value(0.0), values.value(0.999)] for values in space.values())):
            tuned = rule.Options(**options.model_dump() | dict(zip(space, corner, strict=True)))
            assert rule.needs(tuned) == rule.needs(options) and rule.programs(tuned) == rule.programs(options)
