"""What training took so far, on the chips and around them."""

from typing import NamedTuple

import numpy as np

from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.system import Prices, SystemCost, Work, system_cost, work
from analogff.timing import cost


class Spent(NamedTuple):
    """Cost of a training; arrays are ``(chips,)``."""

    seconds: np.ndarray
    """Hardware time."""
    joules: np.ndarray
    """Energy by the datasheets."""
    system: SystemCost
    """Of the chips and all digital work."""


def spent(rule: Rule, chips: Chips, prices: Prices) -> Spent:
    """Return the cost of all training that a ledger has counted.

    Args:
        rule: The rule.
        chips: Its chips.
        prices: Of digital work.
    """
    layers = (*rule.network.layers, rule.network.head)
    sheets, counts = [layer.datasheet for layer in layers], [chips.ledger.of(layer.name) for layer in layers]
    seconds, joules = cost(sheets, counts, rule.schedule(rule.options), chips.chips)
    done = work.total(Work(count.macs, count.moved_bytes) for count in counts)
    shapes = [(sheet.n_in, sheet.n_out) for sheet in sheets]
    kept = rule.kept_bytes(rule.options, shapes, rule.options.batch)
    return Spent(seconds, joules, system_cost(sheets, counts, done, kept, seconds, prices))
