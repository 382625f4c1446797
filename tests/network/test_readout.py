"""Weights that are read out are the true ones, up to the noise of the reads that were averaged."""

from pathlib import Path

import pytest
import torch

from analogff.catalog import resolve_device
from analogff.device import Datasheet, Observable, Sealed, fabricate
from analogff.network.readout import read_weights, why_unreadable, window_of

N_IN, N_OUT = 40, 30
QUIET = {"adc_bits": 0, "dac_bits": 0, "mismatch": 0.0}


def sealed(name, **parameters):
    device = fabricate(resolve_device(name, Path(".")), N_IN, N_OUT, seeds=[0, 1], parameters=parameters)
    return device, Sealed(device, chips=2, level=Observable.TWIN)


@pytest.mark.parametrize("reads", [1, 9])
def test_the_error_is_that_of_the_noise(reads):
    r"""The noise ``s`` of a read is that of a sum, where the slope is 1: ``s^2 (1 + 1 / n_in) / (u^2 R)``."""
    device, chips = sealed("pcm", **QUIET, read_noise=0.05, flicker_noise=0.0)
    error = read_weights(chips, reads) - device.weights
    expected = 0.05 * ((1 + 1 / N_IN) / reads) ** 0.5 / window_of(chips.datasheet).amplitude
    assert error.std() == pytest.approx(expected, rel=4 / (2 * error.numel()) ** 0.5)
    assert chips.ledger.total("reads") == 2 * N_IN * reads


@pytest.mark.parametrize("name", ["reram", "diode", "differential-pair", "photodetector", "mzi-mesh"])
def test_curves_are_inverted(name):
    device, chips = sealed(name, **QUIET)
    assert (read_weights(chips, 64) - device.weights).std() < 0.05 * device.weights.std()


def test_reads_under_many_biases_see_between_the_steps_of_a_converter():
    quiet = QUIET | {"adc_bits": 5, "read_noise": 0.0, "flicker_noise": 0.0}
    device, chips = sealed("pcm", **quiet)
    once, often = ((read_weights(chips, reads) - device.weights).std() for reads in (1, 32))
    assert often < once / 8


def _sheet(curve, **rest):
    return Datasheet(n_in=4, n_out=4, neuron=curve, **rest)


def test_what_cannot_be_inverted_is_refused():
    assert "prints no neuron curve" in why_unreadable(_sheet(None, bias_port=True))
    assert "flat or turns" in why_unreadable(_sheet(torch.zeros_like, bias_port=True))
    assert "flat or turns" in why_unreadable(_sheet(torch.relu))  # without a bias it is read at its kink
    assert "flat or turns" in why_unreadable(_sheet(torch.square))
    for sheet in (_sheet(torch.relu, bias_port=True), _sheet(torch.square, bias_port=True), _sheet(torch.tanh)):
        assert why_unreadable(sheet) is None
