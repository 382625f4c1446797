"""What training took so far, on the chips and around them."""

from typing import NamedTuple

import numpy as np

from analogff.device import Datasheet
from analogff.device.ledger import Count
from analogff.learning.rule import Rule
from analogff.learning.step_work import shape_of
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
    sheets, counts, further = _counted(rule, chips)
    seconds, joules = cost(sheets, counts, rule.schedule(rule.options), chips.chips, further)
    shapes = list(map(shape_of, sheets))
    kept = rule.kept_bytes(rule.options, shapes, rule.options.batch) + sum(
        optimizer.more_bytes for optimizer in rule.optimizers
    )
    pairs = [*zip(sheets, counts, strict=True), *(pair for own in further for pair in own)]
    sheets, counts = [sheet for sheet, _ in pairs], [count for _, count in pairs]
    done = work.total(Work(count.macs, count.moved_bytes) for count in counts)
    return Spent(seconds, joules, system_cost(sheets, counts, done, kept, seconds, prices))


def device_seconds(rule: Rule, chips: Chips) -> np.ndarray:
    """Return the hardware time of all training that a ledger has counted, ``(chips,)``; see `analogff.timing.cost`."""
    sheets, counts, further = _counted(rule, chips)
    return cost(sheets, counts, rule.schedule(rule.options), chips.chips, further)[0]


def _counted(rule: Rule, chips: Chips) -> tuple[list[Datasheet], list[Count], list[list[tuple[Datasheet, Count]]]]:
    """Return the datasheet and the count of each layer, and those of the arrays beside it."""
    layers, beside = (*rule.network.layers, rule.network.head), rule.network.beside
    further = [[(array.datasheet, chips.ledger.of(array.name)) for array in own] for own in beside]
    return [layer.datasheet for layer in layers], [chips.ledger.of(layer.name) for layer in layers], further
