import pytest
from pydantic import ValidationError

from analogff.catalog import resolve_rule, rule_names
from analogff.rules.backprop import Backprop
from analogff.rules.forward_forward import ForwardForward


@pytest.mark.parametrize(
    ("options", "idle", "used_by"),
    [
        (lambda: ForwardForward.Options(slope="assumed", probe=0.3), "probe", 'slope = "probed" or slope = "fitted"'),
        (lambda: ForwardForward.Options(loss="swish", theta=0.5), "theta", 'loss = "hinton"'),
        (
            lambda: ForwardForward.Options(negatives="random", head_learning_rate=0.1),
            "head_learning_rate",
            'negatives = "hard" or prediction = "head"',
        ),
        (lambda: Backprop.Options(through="twin", noise_aware=False), "noise_aware", 'through = "deployed"'),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(options, idle, used_by):
    with pytest.raises(ValidationError, match=f"{used_by} beside it, without which {idle} does nothing"):
        options()


@pytest.mark.parametrize("use", [{"negatives": "hard"}, {"negatives": "random", "prediction": "head"}])
def test_the_rate_of_a_head_that_is_used_is_taken(use):
    assert ForwardForward.Options(head_learning_rate=0.1, **use).head_learning_rate == 0.1


@pytest.mark.parametrize("name", rule_names())
def test_options_are_their_own_round_trip(name):
    """A worker is sent all options, also those at their defaults."""
    options = resolve_rule(name).Options()
    assert resolve_rule(name).Options(**options.model_dump()) == options


@pytest.mark.parametrize("name", rule_names())
def test_every_option_is_described_and_bounded(name):
    rule = resolve_rule(name)
    for option, field in rule.Options.model_fields.items():
        assert field.description, f"Describe {name} {option}."


def test_a_chip_decides_what_has_a_unit_unless_a_number_is_given():
    options = resolve_rule("forward-forward").Options
    assert (options().probe, options().scale) == ("measured", "measured")
    assert (options(probe=0.6).probe, options(scale=12).scale) == (0.6, 12)
    assert options(goodness="cosine").scale == 4.5
    with pytest.raises(ValidationError, match="a number beside a cosine, which has no unit"):
        options(goodness="cosine", scale="measured")


def test_a_newcomer_gets_what_was_found_for_chips_of_unknown_units():
    recipe = {"slope": "probed", "label_strength": 3.0, "learning_rate": 0.0015, "saturation_gradient": True}
    assert ForwardForward.Options() == ForwardForward.Options(max_step="auto", scale="measured", **recipe)
    assert not ForwardForward.Options(slope="assumed").saturation_gradient
    assert Backprop.Options().learning_rate == 0.001
