"""What `analogff devices NAME` tells: everything a study file may write, with its limits and where it comes from."""

import inspect
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Lt

from analogff import Device
from analogff.catalog import device_names, resolve_device, resolve_rule, rule_names
from analogff.catalog.descriptions import describe, describe_rule
from analogff.catalog.parameters import parameters_of
from analogff.rules import Rule


class Lamp(Device):
    r"""A lamp that glows.

    .. math:: y = x^2 / \Omega

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: One seed.
        ohm: Resistance, which may
            be said in two lines.
        gas: What is in it.

    Reference:
        Nobody,
        2026.
    """

    def __init__(self, n_in, n_out, *, seed, ohm: Annotated[float, Ge(1), Lt(9)] = 2.0, gas: Literal["argon", "none"]):
        super().__init__(n_in, n_out)

    def measure(self, x, bias=None):
        return x


def test_a_class_is_told_by_its_own_words():
    told = describe(Lamp)
    assert (told.summary, told.source) == ("A lamp that glows.", "Nobody, 2026.")
    assert r"y = x^2 / \Omega" in told.about and "Args" not in told.about
    ohm, gas = told.parameters
    assert (ohm.name, ohm.default, ohm.limits) == ("ohm", "2.0", "at least 1, below 9")
    assert ohm.meaning == "Resistance, which may be said in two lines."
    assert (gas.default, gas.limits, gas.meaning) == ("required", "one of argon, none", "What is in it.")


@pytest.mark.parametrize("name", device_names())
def test_every_parameter_of_a_registered_device_is_explained(name):
    model = resolve_device(name, Path())
    told = describe(model)
    assert [line.name for line in told.parameters] == list(parameters_of(model)[0])
    assert not [line.name for line in told.parameters if not line.meaning]
    assert told.source or name == "ideal"


@pytest.mark.parametrize("name", rule_names())
def test_every_option_of_a_registered_rule_is_explained(name):
    model = resolve_rule(name)
    told = describe_rule(model)
    common = list(Rule.Options.model_fields)
    own = [name for name in model.Options.model_fields if name not in common]
    assert [line.name for line in told.parameters] == own + common
    assert not [line.name for line in told.parameters if not line.meaning]
    assert told.source and told.summary.endswith(".")


def test_a_class_that_says_nothing_is_told_too():
    class Silent(Device):
        def measure(self, x, bias=None):
            return x

    assert inspect.isclass(Silent) and describe(Silent).parameters == ()
