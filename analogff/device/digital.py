"""Digital weights: the exact layer of a head, and the layer in front of a fixed black box."""

import dataclasses

import torch
from typing_extensions import override

from analogff.device.datasheet import Datasheet
from analogff.device.numerics.product import product
from analogff.device.owned import Owner
from analogff.device.protocol import Device, Truth
from analogff.device.seeds import chip_seeds
from analogff.device.shared_inputs import SharedInputs


class Digital(Device):
    r"""An exact linear layer, ``y = W x + b``, computed by digital logic.

    Weights start as ``N(0, 1/n_in)`` from the chip's seed. A read costs its multiplications
    (0.2 pJ an 8-bit multiply-accumulate), and no conversions.

    Args:
        n_in: Inputs.
        n_out: Outputs.
        seed: One seed a chip.
    """

    banked = True

    def __init__(self, n_in: int, n_out: int, *, seed):
        sheet = Datasheet(
            n_in=n_in,
            n_out=n_out,
            bias_port=True,
            readable_weights=True,
            neuron=_identity,
            settle_seconds=n_in * 1e-9,
            dac_seconds=0.0,
            adc_seconds=0.0,
            dacs=0,
            adcs=0,
            read_joules=n_in * n_out * 0.2e-12,
            pulse_seconds=1e-9,
            parallel_pulses=n_out,
            pulse_joules=0.2e-12,
            source="Horowitz, ISSCC 2014, figure 1.1.9: digital energy per operation",
        )
        super().__init__(n_in, n_out, datasheet=sheet)
        self.weights: torch.Tensor
        self.register_buffer("weights", torch.stack([_initial_weights(n_in, n_out, s) for s in chip_seeds(seed)]))

    @override
    def measure(self, x, bias=None):
        return self._sum(x, bias)

    @override
    def measure_marked(self, x, bias=None):
        return self._sum(x, bias)

    @override
    def measure_biased(self, x, biases):
        a = product(x, self.weights)
        return [a + bias for bias in biases]

    def _sum(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None) -> torch.Tensor:
        a = product(x, self.weights)
        return a if bias is None else a.add_(bias)

    @override
    def can_be_recorded(self):
        return True

    @override
    def pulse(self, change):
        self.weights += change

    @override
    def program(self, weights):
        self.weights.copy_(weights)

    @override
    def oracle(self, x, bias=None):
        return Truth(x.new_ones(()).expand(*x.shape[:2], self.datasheet.n_out), self.weights)


class BehindWeights(Device):
    r"""A fixed black box behind digital weights, ``y = f(W x + b)``.

    The arrangement of physical neural network experiments (Wright et al., Nature 2022, figure 2; Momeni et
    al., Science 2023, figure 1): parameters are encoded digitally, the physics transforms.

    Args:
        n_in: Inputs of the weights.
        seed: One seed a chip, for the initial weights.
        box: The black box, ``n_out -> n_out``. Its oracle, if it has one, is taken to act neuron by neuron, unless it
            has a `pullback`, by its inputs.
    """

    banked = True

    def __init__(self, n_in: int, *, seed, box: Device):
        n_out = box.datasheet.n_in
        digital = Digital(n_in, n_out, seed=seed)
        sheet = _behind(digital.datasheet, box.datasheet)
        super().__init__(n_in, box.datasheet.n_out, datasheet=sheet)
        self.digital, self.box = digital, box
        self._owner = Owner()

    @override
    def measure(self, x, bias=None):
        return self.box.measure(self.digital.measure(x, bias))

    @override
    def measure_marked(self, x, bias=None):
        return self.box.measure(self.digital.measure_marked(x, bias))

    @override
    def measure_biased(self, x, biases):
        answers = (self.box.measure(a).detach() for a in self.digital.measure_biased(x, biases))
        return [self._owner.own(y) for y in answers]  # the next read of a box may fill the same buffer

    @override
    def pulse(self, change):
        return self.digital.pulse(change)

    @override
    def program(self, weights):
        return self.digital.program(weights)

    @override
    def wait(self, seconds):
        self.box.wait(seconds)

    @override
    def oracle(self, x, bias=None):
        slope, _ = self.box.oracle(self.digital.measure(x, bias))
        return Truth(slope, self.digital.weights)

    @override
    def pullback(self, x, error, bias=None):
        return self.box.pullback(self.digital.measure(x, bias), error)

    @override
    def knows_truth(self):
        return self.box.knows_truth()


def _behind(digital: Datasheet, box: Datasheet) -> Datasheet:
    """Return the sheet of both together: the digital sum makes every box's input a bias port."""
    return dataclasses.replace(
        box,
        n_in=digital.n_in,
        dacs=box.conversions[0],
        input_min=None,
        input_max=None,
        bias_port=True,
        readable_weights=True,
        settle_seconds=box.settle_seconds + digital.settle_seconds,
        read_joules=box.read_joules + box.signal_joules + digital.read_joules,  # sums are typically 1
        signal_joules=0.0,
        change_max=digital.change_max,
        change_step=digital.change_step,
        pulse_seconds=digital.pulse_seconds,
        parallel_pulses=digital.parallel_pulses,
        pulse_joules=digital.pulse_joules,
    )


def _initial_weights(n_in: int, n_out: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(int(seed))
    return torch.randn(n_out, n_in, generator=generator) / n_in**0.5


def _identity(a: torch.Tensor) -> torch.Tensor:
    return a
