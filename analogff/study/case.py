"""One point of a study for one rule, with all values resolved."""

import dataclasses
from typing import Any

from analogff.study.events import Event
from analogff.study.settings import Settings

NO_DEVICE, LINEAR_DIGITAL, SAME_SIZE_DIGITAL = "no device", "linear digital", "same size digital"
"""Controls of a case, see `analogff.study.read.controls`."""


@dataclasses.dataclass(frozen=True)
class DeviceChoice:
    """A device of a study file."""

    reference: str
    """As written: a name, ``package.module:Class`` or ``file.py:Class``."""
    parameters: dict[str, Any]
    """All parameters, defaults included."""
    per_chip: frozenset[str]
    """Parameters that can differ between the chips of a bank."""
    fingerprint: str
    """The version of the class."""
    copies: float = 1.0
    """Single-precision numbers that a chip keeps for each weight; used to plan memory."""


@dataclasses.dataclass(frozen=True)
class RuleChoice:
    """A rule of a study file."""

    name: str
    """As registered."""
    options: dict[str, Any]
    """All options, defaults included."""
    fingerprint: str
    """The version of the class."""
    written: tuple[str, ...] = ()
    """Options that the file sets; others may be tuned."""
    label: str | None = None
    """Name in tables and figures; None to use the options that distinguish it."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One event of a life as it will be done; of repeated ones, each time."""

    event: Event
    """The event."""
    changes: tuple[dict[str, Any], ...] = ()
    """Parameters that it sets, of each device."""
    rule: RuleChoice | None = None
    """The rule that teaches from then on, if it changes."""
    devices: tuple[DeviceChoice, ...] = ()
    """Devices of the chip that takes the place of the old one, one for each layer, if they are others."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One point of a study for one rule."""

    settings: Settings
    """The plain fields."""
    devices: tuple[DeviceChoice, ...]
    """One for each layer, and one for a head that is a device."""
    rule: RuleChoice
    """The learning rule."""
    values: dict[str, Any]
    """Values of the swept paths; None if the rule has no such option."""
    steps: tuple[Step, ...] = ()
    """What happens to its chips after training."""
    trial: bool = False
    """Whether it is a trial of `[tune]`, which never sees the test set."""
    control: str = ""
    """Which control it is; empty if it is none."""
    control_of: RuleChoice | None = None
    """The rule that a control belongs to, if another one teaches it."""

    @property
    def later(self) -> list["Case"]:
        """The same case as it is once events have changed its rule or the kind of its devices, for each such event."""
        cases, now = [], self
        for step in {id(step): step for step in self.steps}.values():  # repeated ones once
            if step.rule or step.devices:
                rule, devices = step.rule or now.rule, step.devices or now.devices
                now = dataclasses.replace(now, rule=rule, devices=devices)
                cases.append(now)
        return cases

    @property
    def shown(self) -> RuleChoice:
        """The rule that tables name."""
        return self.control_of or self.rule

    @property
    def labels(self) -> dict[str, Any]:
        """Columns that identify the case in a table: the rule, its options and the swept paths."""
        options = {f"rule.{name}": value for name, value in self.shown.options.items()}
        named = {} if self.shown.label is None else {"label": self.shown.label}
        control = {"control": self.control} if self.control else {}
        return {"rule": self.shown.name} | named | control | options | self.values
