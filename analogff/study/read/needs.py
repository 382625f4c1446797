"""What rules need of devices, and the refusal of a pair that does not fit."""

import dataclasses
import functools
from collections.abc import Mapping

from analogff.device import Observable
from analogff.learning.rule_options import RuleOptions
from analogff.study.case import DeviceChoice, RuleChoice
from analogff.support.mistakes import Mistake, shown
from analogff.writes.make import refused

_TO_BE_PROGRAMMED = (
    "Override program(weights) in its class, or take a rule that begins from the weights as fabricated, such as "
    "forward-forward."
)


@dataclasses.dataclass(frozen=True)
class TriedDevice:
    """A device whose chips were made and used."""

    choice: DeviceChoice
    """The device."""
    hidden: Mapping[Observable, str | None]
    """Why it does not show what a rule may need; None where it does."""
    fixed: str | None
    """Why it cannot be programmed; None if it can."""
    unreadable: str | None = None
    """Why its weights cannot be read out; None if they can."""
    digital: bool = False
    """Whether its weights are digital numbers."""
    apart: str | None = None
    """Why its arrays cannot share their neurons; None if they can."""
    pulsed: bool = False
    """Whether its datasheet prints the change of a write pulse."""
    from_zero: bool = False
    """Whether its converters cut off inputs below 0."""


@dataclasses.dataclass(frozen=True)
class AskedRule:
    """A rule with what it needs."""

    choice: RuleChoice
    """The rule."""
    needs: Observable
    """What its devices must show."""
    programs: bool
    """Whether it begins from known weights."""
    learns_soft_labels: bool = False
    """Whether it takes a probability of each class in place of labels."""
    gives_scores: bool = False
    """Whether its chips answer with a score of each class."""
    writes: RuleOptions = dataclasses.field(default_factory=RuleOptions)
    """How it writes."""

    @functools.cached_property
    def described(self) -> str:
        """Its name, with the option that most decides what it needs."""
        given = ", ".join(f"{k} = {shown(v)}" for k, v in self.choice.options.items() if k in ("through", "slope"))
        return f"{self.choice.name} ({given})" if given else self.choice.name


def refusal(rule: AskedRule, device: TriedDevice, path: str) -> Mistake | None:
    """Return the mistake of a rule that needs more than a device shows or can do."""
    if why := device.hidden[rule.needs]:
        expected = f"a device that shows {rule.needs.name}, which {rule.described} needs"
        advice = "Take another rule or option for this device, or another device."
        return Mistake(path, expected, f"{device.choice.reference}: {why}", advice)
    if device.fixed and rule.programs:
        expected = f"a device that can be programmed, since {rule.described} begins from known weights"
        return Mistake(path, expected, f"{device.choice.reference}: {device.fixed}", _TO_BE_PROGRAMMED)
    untrue = device.hidden[Observable.ORACLE]
    wrong = refused(rule.writes, pulsed=device.pulsed, unreadable=device.unreadable, untrue=untrue, apart=device.apart)
    if wrong:
        advice = 'Take a device such as reram, or write = "digital".'
        return Mistake(f"{path}.write", wrong[0], f"{device.choice.reference}: {wrong[1]}", advice)
    return None


def cuts_off(device: TriedDevice, normalization: str, path: str) -> Mistake:
    """Return the mistake of a device that takes no inputs below 0 beside a normalization that makes them."""
    expected = f'a device whose inputs may be below 0, as normalization = "{normalization}" makes them'
    got = f"{device.choice.reference}, whose converters begin at 0"
    advice = 'Write normalization = "length", or signed_inputs = true beside the model of an array of the zoo.'
    return Mistake(path, expected, got, advice)
