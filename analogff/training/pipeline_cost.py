"""What a training takes on a chip in full, with converters, buffers and digital logic around its arrays."""

from typing import NamedTuple

import numpy as np
import torch

from analogff.learning.rule import Rule
from analogff.network import Chips
from analogff.system import Prices
from analogff.timeline import Architecture, Hardware, estimate


class PipelineCost(NamedTuple):
    """Time, energy and load by closed formulas, ``(chips,)`` each; NaN without a dataflow or with convolutions."""

    seconds: np.ndarray
    """Time of the training so far."""
    joules: np.ndarray
    """Its energy."""
    samples_per_second: np.ndarray
    """Images learned from."""
    array_utilization: np.ndarray
    """Share of the time in which arrays are in use, the mean over layers that have one."""


def pipeline_cost(
    rule: Rule, chips: Chips, images: int, architecture: Architecture | None = None, prices: Prices | None = None
) -> PipelineCost:
    """Return what a training takes by its rule's dataflow; see `analogff.timeline.estimate` for where that is exact.

    Reads and digital work are those of the dataflow, and pulses those of the ledger.

    Args:
        rule: The rule.
        chips: Its chips.
        images: Images that it has learned from.
        architecture: What stands around the arrays; the default one if None.
        prices: Of digital work; those of 45 nm if None.
    """
    layers = (*rule.network.layers, rule.network.head)
    sheets = [layer.datasheet for layer in layers]
    shapes, batch = [(sheet.n_in, sheet.n_out) for sheet in sheets], rule.options.batch
    stated = rule.options.write == "digital" and all(sheet.windows is None for sheet in sheets)
    flows = rule.dataflows(rule.options, shapes, batch) if stated else ()
    if not flows:
        return PipelineCost(*(np.full(chips.chips, np.nan) for _ in PipelineCost._fields))
    kept, found = rule.kept_bytes(rule.options, shapes, batch), []
    for chip, pulses in enumerate(_pulses_of_an_update(chips)):
        hardware = Hardware.of(sheets, architecture, prices, kept, chip, pulses)
        found.append(estimate(flows, hardware))
    seconds, joules, utilization = np.array(found).T
    return PipelineCost(images * seconds, images * joules, 1 / seconds, utilization)


def _pulses_of_an_update(chips: Chips) -> list[list[float]]:
    """Return the mean pulses of an update of each layer, for each chip; 0 of a layer that was never written."""
    counts = [chips.ledger.of(name) for name in chips.names]
    pulses, writes = (
        torch.stack([torch.as_tensor(getattr(c, name)).double().cpu().expand(chips.chips) for c in counts], 1)
        for name in ("pulses", "writes")
    )
    return (pulses / writes.clamp(min=1)).tolist()
