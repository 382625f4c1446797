"""A layer that answers nothing: the control of an experiment without its device."""

import torch
from typing_extensions import override

from analogff.device.datasheet import Datasheet
from analogff.device.protocol import Device, Truth
from analogff.device.seeds import chip_seeds
from analogff.device.shared_inputs import SharedInputs


class Silent(Device):
    r"""A layer without physics, ``y = 0`` whatever it is read with and told.

    What a network of such layers still gets right comes from what is around its devices. It costs nothing.

    Args:
        n_in: Inputs.
        n_out: Outputs.
        seed: One seed a chip, of which only the number matters.
    """

    banked = True

    def __init__(self, n_in: int, n_out: int, *, seed):
        sheet = Datasheet(
            n_in=n_in,
            n_out=n_out,
            bias_port=True,
            neuron=_zero,
            settle_seconds=0.0,
            dac_seconds=0.0,
            adc_seconds=0.0,
            dacs=0,
            adcs=0,
            pulse_seconds=0.0,
            pulse_joules=0.0,
        )
        super().__init__(n_in, n_out, datasheet=sheet)
        self.zero: torch.Tensor
        self.register_buffer("zero", torch.zeros(len(chip_seeds(seed)), 1, 1))

    @override
    def measure(self, x, bias=None):
        return x.new_zeros(*x.shape[:2], self.datasheet.n_out)

    @override
    def measure_marked(self, x, bias=None):
        return self.measure(x.whole())

    @override
    def measure_biased(self, x, biases):
        x = x.whole() if isinstance(x, SharedInputs) else x
        return [self.measure(x) for _ in biases]

    @override
    def can_be_recorded(self):
        return True

    @override
    def pulse(self, change):
        return torch.zeros(len(self.zero), dtype=torch.int64, device=self.zero.device)

    @override
    def program(self, weights):
        return self.pulse(weights)

    @override
    def oracle(self, x, bias=None):
        y = self.measure(x)
        return Truth(y, self.zero.expand(-1, self.datasheet.n_out, self.datasheet.n_in))


def _zero(a: torch.Tensor) -> torch.Tensor:
    return 0 * a
