"""A learning rule of your own: what it may see, a step, and when it writes."""

from typing import Annotated

import torch
from pydantic import Field

from analogff.device import Observable
from analogff.rules import Rule, RuleOptions
from analogff.timing import LocalUpdates


class MyOptions(RuleOptions):
    """Options, each with its range; a study file sets them."""

    strength: Annotated[float, Field(gt=0)] = 1.0
    """Factor on the change."""


class MyRule(Rule[MyOptions]):
    r"""Decorrelated Hebbian learning of every layer; the head is not trained.

    .. math:: \Delta W \propto (y - \bar y) x^T

    Reference:
        Name your paper and its equation here.
    """

    name = "my-rule"
    Options = MyOptions

    # OUTPUT, ACTIVITY, PROBE (two biased reads), TWIN (the datasheet's curve) or ORACLE (a bound).
    @classmethod
    def needs(cls, options: MyOptions) -> Observable:
        """Return what the rule must see; the seal refuses more."""
        return Observable.ACTIVITY

    @classmethod
    def schedule(cls, options: MyOptions) -> LocalUpdates:
        """Return how reads and writes are laid out in time."""
        return LocalUpdates()

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Learn from a batch, and return the loss of each chip."""
        for passed in self.network.forward(self.network.present(images)):
            centered = passed.y - passed.y.mean(1, keepdim=True)
            # Down the gradient: a negative one strengthens.
            self.optimizers[passed.layer].descend(-self.options.strength * centered / len(labels), passed.x)
        return torch.zeros(self.network.chips)
