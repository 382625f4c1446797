"""Sealed layers and a head, the normalization between them, and the twin that an experimenter believes."""

from analogff.network.network import (
    LOGIT_RANGE,
    Chips,
    LayerSpec,
    Network,
    chain,
    evaluating,
    fabricate_chips,
    fabricate_wired,
    logit_scale,
)

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
