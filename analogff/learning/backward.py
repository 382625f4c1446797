"""The ways in which backprop can see a layer."""

import abc
from collections.abc import Sequence
from typing import ClassVar

import torch
from typing_extensions import override

from analogff.device import Sealed, columns_of, derive_seed, errors_back, reads_of, weighted_sums, whole
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.network import Network
from analogff.network.fitted_curve import OPERATIONS, FittedCurves, Share, fit_work
from analogff.network.forward import Passed
from analogff.network.normalization import length_normalize
from analogff.network.twin import Register, Response, Twin, believed
from analogff.slopes.max_step import MaxStep
from analogff.slopes.slopes import Slope
from analogff.system import Work, work

REACH = 3.0
"""Longest calibration input, in units of the typical one."""


class BackwardView(abc.ABC):
    """A layer as backprop sees it.

    Args:
        layer: The layer.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    """What is believed, if it changes while the rule learns."""

    def __init__(self, layer: Sealed):
        self.layer = layer

    @abc.abstractmethod
    def respond(self, x: torch.Tensor) -> Response:
        """Return the answer to ``x`` that is carried forward, and the derivative that is believed."""

    def pull_back(self, response: Response, x: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
        """Return errors of the weighted sums from those of the outputs.

        Args:
            response: What `respond` returned to ``x``.
            x: Inputs, ``(chips, batch, n_in)``.
            error: Derivative of the loss by each output, ``(chips, batch, n_out)``.
        """
        return error * response.slope

    @abc.abstractmethod
    def learn(self, optimizer: PulseOptimizer, errors: torch.Tensor, x: torch.Tensor) -> None:
        """Take one optimizer step down ``sum_b e_bj x_bi``."""

    def finish_epoch(self) -> None:  # noqa: B027 (only a model has something to deploy)
        """Do what is due before the chip is tested."""


class ThroughTwin(BackwardView):
    """Forward on the chip; the twin's derivative, at the inputs that the chip really had.

    Args:
        layer: The layer, which is programmed with what the twin believes.
        twin: Of the layer.
    """

    state_names = ("twin",)

    def __init__(self, layer: Sealed, twin: Twin):
        super().__init__(layer)
        self.twin = twin
        layer.program(twin.weights)

    @override
    def respond(self, x):
        return self.twin.respond(x)._replace(y=self.layer.measure(x))

    @override
    def learn(self, optimizer, errors, x):
        self.twin.change(optimizer.told(errors, x))


class ThroughFit(ThroughTwin):
    r"""As `ThroughTwin`, with a curve fitted to reads of the programmed chip.

    The chip is read with vectors of random direction, whose mean square is :math:`u^2` with ``u`` uniform up to 3, so
    that sums beyond today's are seen, too. These reads are counted as any others.

    Args:
        layer: The layer, which is programmed.
        seed: Draws the weights to begin with, and the inputs.
        reads: How many vectors.
        share: Whether the neurons of a ``layer`` have one curve, or each ``neuron`` its own.
    """

    state_names = ("curves",)

    def __init__(self, layer: Sealed, seed: int, reads: int, share: Share):
        super().__init__(layer, Twin(layer, seed, believed(layer, "linear")))
        self.curves: FittedCurves | None = None
        if layer.datasheet.all_digital:
            return
        windows = layer.datasheet.windows
        x = _calibration_inputs(layer, derive_seed(seed, "calibration"), max(1, reads // reads_of(windows)))
        read, (n_out, n_in) = x.shape[1] * reads_of(windows), layer.datasheet.weight_shape
        layer.compute(*work.product(read, n_in, n_out))
        layer.compute(*fit_work(read, n_out, share))
        sums, y = weighted_sums(x, self.twin.weights, windows), layer.measure(x)
        self.curves = FittedCurves(columns_of(sums, windows), columns_of(y, windows), share)
        self.twin.curve, self.twin.operations = self.curves, OPERATIONS


class ThroughProbes(BackwardView):
    """Forward on the chip, slopes from biased reads beside it, weights from the register of requested changes.

    Args:
        layer: The layer, which is programmed with what the register begins with.
        seed: Draws that.
        slope: How slopes are read.
    """

    state_names = ("register", "slope")

    def __init__(self, layer: Sealed, seed: int, slope: Slope):
        super().__init__(layer)
        self.register, self.slope = Register(layer, seed), slope
        layer.program(self.register.weights)

    @override
    def respond(self, x):
        if self.layer.datasheet.all_digital:
            y = self.layer.measure(x)
            return Response(y, torch.ones_like(y), self.register.weights)
        y, slope = self.slope.read(self.layer, x)
        assert slope is not None
        return Response(y, slope, self.register.weights)

    @override
    def learn(self, optimizer, errors, x):
        self.register.change(optimizer.told(errors, x))


class BesideTwin(ThroughTwin):
    """Forward and back in the twin alone, beside a chip that nobody looks into; steps are the chip's as well."""

    @override
    def respond(self, x):
        return self.twin.respond(x)


class InModel(BackwardView):
    """Forward in the twin too, with the printed noise; the chip is programmed with the result.

    Args:
        layer: The layer.
        twin: Of the layer.
        generator: Draws the noise; None for none.
    """

    state_names = ("twin", "on_chip")

    def __init__(self, layer: Sealed, twin: Twin, generator: torch.Generator | None):
        super().__init__(layer)
        self.twin = twin
        self.generator = generator
        self.on_chip = False
        """Whether the chip has been programmed for the last time, and learns on as through a twin."""

    def tune(self) -> None:
        """Program the chip for the last time; from now on it carries the signal and takes the steps."""
        if not self.on_chip:
            self.layer.program(self.twin.weights)
            self.on_chip = True

    @override
    def respond(self, x):
        response = self.twin.respond(x)
        if self.on_chip:
            return response._replace(y=self.layer.measure(x))
        if self.generator is None:
            return response
        sigma = torch.as_tensor(self.layer.datasheet.read_noise, dtype=x.dtype, device=x.device).view(-1, 1, 1)
        self.layer.compute(*noise_work(response.y[0].numel()))
        noise = torch.randn(response.y.shape[1:], generator=self.generator).to(x.device)
        return response._replace(y=response.y + sigma * noise)

    @override
    def learn(self, optimizer, errors, x):
        take = optimizer.told if self.on_chip else optimizer.wanted
        self.twin.change(take(errors, x))

    @override
    def finish_epoch(self):
        if not self.on_chip:
            self.layer.program(self.twin.weights)


class ThroughOracle(BackwardView):
    """Forward on the chip; the simulator's own derivative, with all that neurons do to each other if it knows.

    Where it knows, slopes of single neurons are of no use, and from the second step on they are not asked for: of some
    systems they are slow to find.
    """

    _pulls = False

    @override
    def respond(self, x):
        return Response(self.layer.measure(x), *self.layer.oracle(x[:, :0] if self._pulls else x))

    @override
    def pull_back(self, response, x, error):
        pulled = self.layer.pullback(x, error)
        self._pulls = pulled is not None
        return super().pull_back(response, x, error) if pulled is None else pulled

    @override
    def learn(self, optimizer, errors, x):
        optimizer.descend(errors, x)


def carry_back(
    network: Network,
    passed: Sequence[Passed[Response]],
    views: Sequence[BackwardView],
    optimizers: Sequence[PulseOptimizer],
    error: torch.Tensor,
    max_steps: Sequence[MaxStep] = (),
) -> None:
    """Carry an error from the head's output to the first layer, writing each layer on the way.

    Args:
        network: The chips.
        passed: All layers as they were passed, the head last.
        views: How each is seen.
        optimizers: Of each.
        error: Derivative of the loss by each output of the head, ``(chips, batch, classes)``.
        max_steps: Limits of the hidden layers' steps; none if they are free.
    """
    for layer in reversed(passed):
        n, x = layer.layer, whole(layer.x)
        error = views[n].pull_back(layer.reading, x, error)
        errors, chip = error, optimizers[n].layer
        chip.compute(*work.modulation(error[0].numel()))
        if n > 0:
            windows, (n_out, n_in) = chip.datasheet.windows, chip.datasheet.weight_shape
            chip.compute(*work.product(x.shape[1] * reads_of(windows), n_out, n_in))
            error = network.backward(errors_back(error, layer.reading.weights, windows), x, passed[n - 1])
        if n < len(max_steps):
            optimizers[n].share = max_steps[n].of(network.layers[n], x)
        views[n].learn(optimizers[n], errors, x)


def _calibration_inputs(layer: Sealed, seed: int, reads: int) -> torch.Tensor:
    """Draw inputs that are not negative, ``(chips, reads, n_in)``, the same for all chips."""
    generator = torch.Generator().manual_seed(seed)
    x = length_normalize(torch.randn(reads, layer.datasheet.n_in, generator=generator).abs())
    sizes = REACH * torch.rand(reads, 1, generator=generator)
    return (x * sizes).to(layer.torch_device).expand(layer.chips, -1, -1)


def noise_work(n: int) -> Work:
    """Return the digital work of adding noise to so many numbers: drawn, scaled and added."""
    return work.elementwise(n, operations=3, operands=1)
