"""What rules need of devices, and the refusal of a pair that does not fit."""

import dataclasses
import functools
from collections.abc import Mapping

from analogff.device import Observable
from analogff.study.case import DeviceChoice, RuleChoice
from analogff.support.mistakes import Mistake, shown

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


@dataclasses.dataclass(frozen=True)
class AskedRule:
    """A rule with what it needs."""

    choice: RuleChoice
    """The rule."""
    needs: Observable
    """What its devices must show."""
    programs: bool
    """Whether it begins from known weights."""

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
    return None
