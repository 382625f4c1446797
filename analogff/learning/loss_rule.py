"""Learning from the loss at the end of the network alone."""

from typing_extensions import override

from analogff.device import Observable
from analogff.learning.rule import O, Rule
from analogff.timing import UpdateBeforePass


class LossRule(Rule[O]):
    """A rule that moves the weights, reads the loss, and learns from how it has changed.

    Args:
        network: Sealed at LOSS.
        options: Those of the rule.
        seed: Draws how weights are moved.
    """

    descends = "output"

    @classmethod
    @override
    def needs(cls, options):
        return Observable.LOSS

    @classmethod
    @override
    def schedule(cls, options):
        return UpdateBeforePass()

    @classmethod
    @override
    def pass_clocks(cls, options):
        return ("pass",)

    @classmethod
    @override
    def learns_soft_labels(cls, options):
        return True
