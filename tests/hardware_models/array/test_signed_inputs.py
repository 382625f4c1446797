"""Inputs of both signs: two's complement, whatever the converters and however inputs are sent."""

import pytest
import torch

from analogff.device import ContractError, Observable, Sealed, SharedInputs, fabricate
from analogff.network.readout import read_weights
from hardware_models.array.crossbar import Crossbar
from hardware_models.effects.tiles import serial
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.pcm import PCM
from tests.helpers.devices import EXPORTED

QUIET = dict(mismatch=0.0, read_noise=0.0, curve_spread=0.0, family="relu", adc_bits=0, signed_inputs=True)
ARRAYS = [model for model in EXPORTED if issubclass(model, Crossbar)]


def _signed(chips: int, batch: int, n_in: int) -> torch.Tensor:
    return torch.randn(chips, batch, n_in, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("bits", [2, 6, 8])
def test_inputs_land_on_the_levels_of_twos_complement(bits):
    chip, step = Unknown(1, 1, seed=[0], **QUIET, dac_bits=bits), 8.0 / 2 ** (bits - 1)
    exact = Unknown(1, 1, seed=[0], **QUIET, dac_bits=0, input_max=100.0)
    x = torch.linspace(-10, 10, 401).view(1, -1, 1)
    level = (x / step).round().clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) * step
    biased = torch.tensor(9.0)  # so that the rectifier is nowhere at its end
    torch.testing.assert_close(chip(x, biased), exact(level, biased), atol=2e-6, rtol=0)
    assert (chip.datasheet.input_min, chip.datasheet.input_max) == (-8.0, 8.0 - step)


@pytest.mark.parametrize("model", ARRAYS)
def test_every_array_hears_inputs_below_zero_if_told_so(model):
    """With the same noise, since each chip is read for the first time."""

    def read(x: torch.Tensor, signed: bool) -> torch.Tensor:
        return fabricate(model, 4, 30, seeds=[0], parameters=dict(signed_inputs=signed))(x)

    none, below = torch.zeros(1, 1, 4), torch.tensor([[[0.0, -1.0, 0.0, 0.0]]])
    assert torch.equal(read(none, False), read(below, False))
    assert torch.equal(read(none, False), read(none, True))  # a silent line is silent
    assert not torch.equal(read(none, True), read(below, True))


def test_the_bits_of_twos_complement_make_up_the_number():
    step = torch.tensor(1.0 / 16)
    code = torch.arange(-128.0, 128.0)
    bits = torch.stack([serial(code * step, step, bit) for bit in range(8)])
    worth = 2.0 ** torch.arange(8.0) * torch.tensor([1.0] * 7 + [-1.0])
    assert set(bits.unique().tolist()) == {0.0, 1.0}
    assert torch.equal((bits * worth[:, None]).sum(0), code)


@pytest.mark.parametrize(
    "parts", [dict(rows_per_tile=5), dict(bit_serial=True), dict(bit_serial=True, rows_per_tile=5)]
)
@pytest.mark.parametrize("dac_bits", [2, 6, 8])
def test_the_parts_are_the_whole(parts, dac_bits):
    numbers = QUIET | dict(dac_bits=dac_bits)
    whole, split = Unknown(13, 7, seed=[3, 1], **numbers), Unknown(13, 7, seed=[3, 1], **numbers, **parts)
    x, bias = _signed(2, 20, 13), torch.linspace(-1, 1, 7)
    torch.testing.assert_close(split(x, bias), whole(x, bias), atol=1e-5, rtol=2e-6)


@pytest.mark.parametrize("model", [Unknown, PCM])
def test_chips_of_other_resolutions_are_the_same_alone_and_cost_the_same(model):
    seeds, bits, x = [3, 1, 4], torch.tensor([0.0, 8.0, 5.0]), 4 * _signed(3, 5, 13)
    together = fabricate(model, 13, 7, seeds=seeds, parameters=dict(signed_inputs=True, dac_bits=bits))
    bank = Sealed(together, chips=3, level=Observable.PROBE, name="bank")
    y = bank.measure(x)
    for c, seed in enumerate(seeds):
        parameters = dict(signed_inputs=True, dac_bits=bits[c : c + 1])
        own = Sealed(fabricate(model, 13, 7, seeds=[seed], parameters=parameters), chips=1, level=Observable.PROBE)
        assert torch.equal(own.measure(x[c : c + 1]), y[c : c + 1])
        assert own.ledger.total("mean_squares") == bank.ledger.total("mean_squares")[c]


def test_marks_are_what_is_written_out():
    chip = Unknown(13, 7, seed=[3, 1], signed_inputs=True, read_noise=0.0)
    again = Unknown(13, 7, seed=[3, 1], signed_inputs=True, read_noise=0.0)
    variants = SharedInputs(_signed(2, 5, 13), _signed(2, 10, 3).unflatten(1, (2, 5)))
    variants.shared[..., :3] = 0
    torch.testing.assert_close(chip(variants), again(variants.whole()), atol=1e-5, rtol=0)


def test_weights_are_read_out_on_levels_of_the_converter():
    chip = Unknown(13, 7, seed=[3, 1], **QUIET, prints="family")
    read = read_weights(Sealed(chip, chips=2, level=Observable.TWIN, name="layer"), reads=1)
    torch.testing.assert_close(read, chip.weights, atol=1e-4, rtol=1e-3)


def test_one_bit_is_refused():
    with pytest.raises(ContractError, match="Expected dac_bits of 0, or at least 2, beside signed_inputs"):
        Unknown(13, 7, seed=[0], signed_inputs=True, dac_bits=1)
