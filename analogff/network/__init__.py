"""Sealed layers and a head, the normalization between them, and the twin that an experimenter believes."""

from analogff.network.chips import Chips, LayerSpec, chain, fabricate_chips, fabricate_wired
from analogff.network.network import LOGIT_RANGE, Network, evaluating, logit_scale

__all__ = [
    "LOGIT_RANGE",
    "Chips",
    "LayerSpec",
    "Network",
    "chain",
    "evaluating",
    "fabricate_chips",
    "fabricate_wired",
    "logit_scale",
]
