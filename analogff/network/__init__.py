"""Sealed layers and a head, the normalization between them, and the twin that an experimenter believes."""

from analogff.network.chips import Chips, LayerSpec, chain, fabricate_chips, fabricate_wired
from analogff.network.layers import ConvolutionLayer, DenseLayer, Layer, Planned, layer_text, plan_layers
from analogff.network.network import LOGIT_RANGE, Network, evaluating, logit_scale
from analogff.network.pooling import Pooling, Width, heard, kinds_of_neurons
from analogff.network.write_hardware import WriteHardware

__all__ = [
    "LOGIT_RANGE",
    "Chips",
    "ConvolutionLayer",
    "DenseLayer",
    "Layer",
    "LayerSpec",
    "Network",
    "Planned",
    "Pooling",
    "Width",
    "WriteHardware",
    "chain",
    "evaluating",
    "fabricate_chips",
    "fabricate_wired",
    "heard",
    "kinds_of_neurons",
    "layer_text",
    "logit_scale",
    "plan_layers",
]
