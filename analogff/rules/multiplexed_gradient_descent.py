"""Multiplexed gradient descent: all weights are perturbed all the time, each in a code of its own."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, field_validator
from typing_extensions import override

from analogff.learning import codes, lock_in, step_work
from analogff.learning.loss_rule import LossRule
from analogff.learning.perturbation import draw, moved_work
from analogff.learning.rule import RuleOptions, refuse_idle
from analogff.learning.search_space import LogUniform
from analogff.support.state import state_of
from analogff.system import work


class MultiplexedGradientDescentOptions(RuleOptions):
    """Options of multiplexed gradient descent."""

    size: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    """Size of the perturbation of every weight: small compared with the curvature, large compared with the noise."""
    code: codes.Code = "signs"
    """What tells the weights apart. `signs`: random signs. `walsh`: rows of a Walsh matrix. `time`: one weight after
    another. `frequency`: a sine for each weight. All but the first are exact after a period of at least as many
    perturbations as there are weights."""
    detection: Literal["sums", "filters"] = "sums"
    """How the loss is correlated with the code. `sums`: its differences to a loss without perturbations, times them,
    are summed until an update. `filters`, the analog variant: it passes a high-pass filter, and its products with
    them a low-pass filter; every unit of time has an update, and no loss is read without perturbations."""
    sample_time: Annotated[int, Field(ge=1)] = 4
    """Time for which a batch is shown, in reads of the perturbed loss: tau_x."""
    update_time: Annotated[int, Field(ge=1)] = 4
    """Time over which the gradient is summed before an update, in the same unit: tau_theta. It may be longer than
    that of a batch. With `filters` the time constant of the low-pass filter."""
    perturbation_time: Annotated[int, Field(ge=1)] = 1
    """Time for which a perturbation lasts, in the same unit: tau_p."""
    highpass_time: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.6
    """Time constant of the high-pass filter, in the same unit: tau_hp. Only with `filters`."""

    @field_validator("sample_time")
    @classmethod
    def _a_batch_has_changes(cls, value, info):
        if info.data.get("detection") == "filters" and value < 2:
            raise ValueError('at least 2 beside detection = "filters", so that the loss can change within a batch')
        return value

    @field_validator("update_time")
    @classmethod
    def _updates_meet_batches(cls, value, info):
        other = None if info.data.get("detection") == "filters" else info.data.get("sample_time")
        return _divisible(value, other, "sample_time")

    @field_validator("perturbation_time")
    @classmethod
    def _perturbations_meet_baselines(cls, value, info):
        times = [info.data.get("sample_time"), info.data.get("update_time")]
        if info.data.get("detection") == "filters":
            return _divides(value, times[0])
        least = min(times) if None not in times else None
        return _divisible(value, least, "the lesser of sample_time and update_time")

    @field_validator("highpass_time")
    @classmethod
    def _losses_are_filtered(cls, value, info):
        return refuse_idle(cls, info, value, user="detection", used_by="filters")

    @property
    def baseline_time(self) -> int:
        """Time after which perturbations are taken back: when the batch or, in sums, the weights change."""
        return self.sample_time if self.detection == "filters" else min(self.sample_time, self.update_time)


class MultiplexedGradientDescent(LossRule[MultiplexedGradientDescentOptions]):
    r"""Gradients by lock-in detection: a loss is correlated with the code of every weight.

    .. math:: G = \frac{1}{\tau_\theta} \sum_{t=1}^{\tau_\theta} (C_t - C_0)\,
              \frac{\tilde\theta_t}{\Delta\theta^2}, \qquad \Delta w \propto -G \text{ every } \tau_\theta

    with perturbations :math:`\tilde\theta_t = \Delta\theta\, c(\lfloor t / \tau_p \rfloor)` in a code ``c`` (see
    `analogff.learning.codes`) and a loss :math:`C_0` without any. It is read anew whenever the batch or the weights
    have changed. A batch is shown for :math:`\tau_x`, and costs a read of each image and layer for every unit of time
    and for every :math:`C_0`. Three time constants span a family. With :math:`\tau_x = \tau_\theta = \tau_p = 1` it is
    one-sided weight perturbation by one direction. Code `time` with a period between updates is finite differences,
    and :math:`\tau_\theta > \tau_x` is a batch in time.

    On a chip whose only port is the pulse a change of the perturbation is a write. Perturbations are taken back before
    a batch ends, so that nobody is tested with them.

    The analog variant (`detection` is `filters`) has two filters in place of :math:`C_0` and the sum:

    .. math:: \tilde C_t = \frac{\tau_{hp}}{\tau_{hp} + 1} \left(\tilde C_{t-1} + C_t - C_{t-1}\right), \qquad
              G_t = \frac{1}{\tau_\theta + 1} \left(\tilde C_t \frac{\tilde\theta_t}{\Delta\theta^2}
              + \tau_\theta G_{t-1}\right), \qquad \Delta w \propto -G_t \text{ every } t

    Where a batch begins :math:`C_{t-1} = C_t`, so that a change of the loss is none of the data. Filters keep what they
    hold from batch to batch. Under random signs that last for :math:`\tau_p = 1` the mean of :math:`G` is the gradient
    times :math:`a (1 - \tfrac{1}{\tau_x})`, :math:`a = \tfrac{\tau_{hp}}{\tau_{hp} + 1}`. Relative to that the variance
    which weights cause each other is :math:`\tfrac{2}{1 + a}` times that of differences to a known :math:`C_0`: a short
    :math:`\tau_{hp}` forgets a drift of the loss soon, and is noisier. Other codes are not exact after a period, since
    the filter mixes perturbations that follow each other.

    Args:
        network: Sealed at LOSS.
        options: See `MultiplexedGradientDescentOptions`.
        seed: Draws the signs, the same for all chips.

    Reference:
        McCaughan et al., Multiplexed gradient descent (APL Machine Learning 1, 2023, 026118), algorithm 1; theirs
        steps along the sum. The analog variant is that of their program (amccaugh/multiplexed-gradient-descent-paper,
        ``cpu/wmgd.jl``), which takes plain steps.
    """

    name = "multiplexed-gradient-descent"
    Options = MultiplexedGradientDescentOptions
    convolves = True

    state_names = ("time", "code", "sums", "high_pass")

    def __init__(self, network, options, *, seed):
        super().__init__(network, options, seed=seed)
        self.time = 0
        layers = [o.layer for o in self.optimizers]
        self._shapes = [layer.datasheet.weight_shape for layer in layers]
        places = [(shape, layer.torch_device) for shape, layer in zip(self._shapes, layers, strict=True)]
        self.code = [torch.zeros(shape, device=device) for shape, device in places]
        """The present perturbation in units of its size, ``(n_out, n_in)`` each."""
        self.sums = [torch.zeros(network.chips, *shape, device=device) for shape, device in places]
        """What was summed since the last update, or what the low-pass filters hold, ``(chips, n_out, n_in)`` each."""
        self.high_pass = lock_in.HighPass(network.chips, options.highpass_time, network.head.torch_device)
        self._applied: list[torch.Tensor] = []  # what the weights are perturbed by; nothing between steps

    @classmethod
    @override
    def digital_work(cls, options, shapes, batch):
        return lock_in.digital_work(options, shapes, batch)

    @classmethod
    @override
    def dataflows(cls, options, shapes, batch):
        return lock_in.dataflows(options, shapes, batch)

    @classmethod
    @override
    def kept_bytes(cls, options, shapes, batch):
        """Return registers, a perturbation and the sums."""
        return super().kept_bytes(options, shapes, batch) + 2 * step_work.weights(shapes)

    @classmethod
    @override
    def search_space(cls, options):
        return super().search_space(options) | {"size": LogUniform(1e-3, 0.1)}

    @override
    def step(self, images, labels):
        return (self._filter if self.options.detection == "filters" else self._sum)(images, labels)

    @override
    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict({"high_pass": state_of(self.high_pass)} | state)  # chips kept by version 18 have none

    def _sum(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take a step whose gradient is a sum of differences to losses without perturbations."""
        given, losses = self.options, []
        for _ in range(given.sample_time):
            if self.time % given.baseline_time == 0:
                losses.append(self.network.loss(images, labels))
            self._perturb_next()
            self._add(self.network.loss(images, labels) - losses[-1])
            self.time += 1
            if self.time % given.baseline_time == 0:
                self._perturb([])
            if self.time % given.update_time == 0:
                for optimizer, gradient in zip(self.optimizers, self.sums, strict=True):
                    optimizer.step(gradient)
                    gradient.zero_()
        return torch.stack(losses).mean(0)

    def _filter(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take a step at each read, down what filters let pass."""
        losses: list[torch.Tensor] = []
        for _ in range(self.options.sample_time):
            self._perturb_next()
            losses.append(self.network.loss(images, labels))
            self.network.head.compute(*lock_in.high_pass_work())
            passed = self.high_pass(losses[-1] - losses[-2] if len(losses) > 1 else 0.0)
            share = (passed / self.options.size).view(-1, 1, 1)
            for optimizer, held, code in zip(self.optimizers, self.sums, self.code, strict=True):
                optimizer.layer.compute(*lock_in.low_pass_work(code.numel()))
                lock_in.low_pass(held, share * code, self.options.update_time)
                optimizer.step(held)
            self.time += 1
        self._perturb([])
        return torch.stack(losses).mean(0)

    def _perturb_next(self) -> None:
        """Go on to the next perturbation, if this one has lasted."""
        if self.time % self.options.perturbation_time == 0:
            self.code = self._next()
        self._perturb(self.code)

    def _next(self) -> list[torch.Tensor]:
        """Return the next perturbation of the code."""
        layers = [o.layer for o in self.optimizers]
        if self.options.code == "signs":
            return [draw(layer, "signs", self.generator) for layer in layers]
        sizes = [n_out * n_in for n_out, n_in in self._shapes]
        values = codes.perturbation(self.options.code, self.time // self.options.perturbation_time, sizes)
        for layer, size in zip(layers, sizes, strict=True):
            layer.compute(*lock_in.drawn_work(self.options, size))
        every = zip(values, self._shapes, layers, strict=True)
        return [value.view(shape).to(layer.torch_device) for value, shape, layer in every]

    def _perturb(self, code: list[torch.Tensor]) -> None:
        """Write what leads from the present perturbation to another one; an empty one is none."""
        self.pass_over(1)
        if code is self._applied:
            return
        for n, optimizer in enumerate(self.optimizers):
            change = torch.zeros_like(self.code[n]) if not code else code[n]
            change = change - self._applied[n] if self._applied else change
            between = code and self._applied and self.options.code != "time"
            optimizer.layer.compute(*(lock_in.changed_work if between else moved_work)(self._active(change)))
            optimizer.move((self.options.size * change).expand(self.network.chips, -1, -1))
        self._applied = code
        self.pass_over(1)  # writes take time too

    def _add(self, difference: torch.Tensor) -> None:
        """Add what the loss has changed by, times the present perturbation, to the sums."""
        share = (difference / (self.options.size * self.options.update_time)).view(-1, 1, 1)
        for optimizer, total, code in zip(self.optimizers, self.sums, self.code, strict=True):
            optimizer.layer.compute(*work.difference(self._active(code)))
            total += share * code

    def _active(self, code: torch.Tensor) -> int:
        """Return how many weights of a layer digital logic is at work for."""
        return int(code.count_nonzero()) if self.options.code == "time" else code.numel()


def _divisible(value: int, other: int | None, name: str) -> int:
    if other is not None and value % other and other % value:
        raise ValueError(f"a multiple or a divisor of {name}, which is {other}, so that they end together")
    return value


def _divides(value: int, other: int | None) -> int:
    if other is not None and (other % value or value == other):
        raise ValueError(
            f"a divisor of sample_time, which is {other}, and less, so that the loss can change in a batch"
        )
    return value
