"""The contract of a device: the only thing that physics and learning share."""

import abc
import inspect
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, final

import torch

from analogff.device.admission import check_signal
from analogff.device.backward_guard import without_backward
from analogff.device.datasheet import Datasheet, PerChip, column_of
from analogff.device.errors import ContractError
from analogff.device.lines import InputLines
from analogff.device.numerics.coincidences import coincidences
from analogff.device.numerics.counting import cells_asked
from analogff.device.numerics.precision import single_precision
from analogff.device.owned import is_alone
from analogff.device.shared_inputs import SharedInputs


class Truth(NamedTuple):
    """What a simulator knows about the mean response around one operating point; see `Device.oracle`."""

    slope: torch.Tensor
    """True derivative of each mean output with respect to its weighted sum, ``(chips, batch, n_out)``."""
    weights: torch.Tensor
    """True weights of that sum, ``(chips, n_out, n_in)``."""


class Device(torch.nn.Module, abc.ABC):
    r"""A physical layer that can be used but not looked into.

    .. math:: y = f(W x + b) \quad\text{with } f, W \text{ unknown, noisy and drifting}

    Only `measure` is required. A class that overrides `pulse` has weights of its own; one that does not is a
    fixed black box, and is placed behind a digital weight layer.

    Shapes:
        A class with ``banked = True`` holds many chips: ``x`` is ``(chips, batch, n_in)``, ``y`` is
        ``(chips, batch, n_out)``, ``change`` and ``weights`` are ``(chips, n_out, n_in)``. One without it is
        one chip and sees the same without the leading axis; `Bank` puts many side by side.

    Args:
        n_in: Input lines.
        n_out: Output lines.
        seed: What makes this chip this chip; one integer, or with ``banked`` a sequence of them.
        datasheet: What its maker prints. A plain one is made if none is given.

    Example:
        >>> class Tanh(Device):
        ...     def measure(self, x, bias=None):
        ...         return torch.tanh(x if bias is None else x + bias)
        >>> Tanh(3, 3, seed=0)(torch.zeros(2, 3)).shape
        torch.Size([2, 3])
    """

    banked: ClassVar[bool] = False
    """Whether one object holds many chips, takes a sequence of seeds and per-chip parameter tensors."""
    datasheet: Datasheet

    def __init__(self, n_in: int, n_out: int, *, seed: Any = 0, datasheet: Datasheet | None = None):
        super().__init__()
        self.datasheet = datasheet or _plain_datasheet(type(self), n_in, n_out)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "forward" in cls.__dict__:
            raise TypeError(
                f"Expected {cls.__name__} to leave forward alone, since it guards the black box. Got an override. "
                "Put the physics into measure."
            )
        if "measure" in cls.__dict__:
            for shortcut in ("measure_marked", "measure_biased"):  # a parent's are not this class's physics any more
                if shortcut not in cls.__dict__:
                    setattr(cls, shortcut, getattr(Device, shortcut))

    @classmethod
    def check_size(cls, n_in: int, n_out: int, **parameters: Any) -> None:  # noqa: B027 (most fit any size)
        """Raise a `ContractError` where parameters do not fit a layer; a study asks once its layers are known.

        A constructor should not: every device is first tried with a few lines.

        Args:
            n_in: Input lines.
            n_out: Output lines.
            parameters: What the study says, with defaults in their places.
        """

    @classmethod
    def check_image(  # noqa: B027 (most hear lines in any order)
        cls, n_in: int, image: tuple[int, int, int] | None, **parameters: Any
    ) -> None:
        """Raise a `ContractError` where parameters do not fit the images that a first layer hears; as `check_size`.

        Args:
            n_in: Input lines; those of the image are the last.
            image: Its channels, height and width: row by row, the channels of a pixel together; None for a table.
            parameters: What the study says, with defaults in their places.
        """

    @classmethod
    def on_lines(cls, lines: InputLines, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return parameters, with those filled in that were left to the layer; a study asks before it makes chips.

        Args:
            lines: What comes with the signal on the input lines of the layer.
            parameters: What the study says, with defaults in their places.
        """
        return parameters

    @abc.abstractmethod
    def measure(self, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Put inputs on, and read the outputs; every call is a new read with its own noise.

        Args:
            x: Inputs.
            bias: Added at the summing node, before the nonlinearity; broadcasts to the output.

        Returns:
            The outputs, in memory that no later read or write fills anew.
        """

    def measure_marked(self, x: SharedInputs, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Answer as `measure` does to the same inputs written out, up to rounding.

        To be overridden for speed only, by a simulation that can share what the variants have in common.
        """
        return _read(self, x.whole(), bias)

    def measure_biased(self, x: torch.Tensor | SharedInputs, biases: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Answer as `measure` does to the same inputs with one bias after another, up to rounding.

        Each is a read of its own, with noise of its own. To be overridden for speed only, by a simulation that can
        share the weighted sums.
        """
        answers = (_measure(self, x, bias) for bias in biases)
        return [y if is_alone(y) else y.clone() for y in answers]  # the next read may fill the same buffer

    def sums(self, x: torch.Tensor) -> torch.Tensor:
        """Return the currents of the columns, before neurons and converters, with the array's noise; see `Tiles`.

        Args:
            x: Inputs, as in `measure`.
        """
        raise ContractError(f"{type(self).__name__} shows no currents in front of its neurons")

    def pulse(self, change: torch.Tensor) -> torch.Tensor | None:
        """Ask for a change of the weights; it lands as the physics lets it.

        A change of zero is not asked for: a chip whose changes are all zero stays as it is, its noise included.

        Args:
            change: The wanted change of each weight.

        Returns:
            Elementary write steps spent by each chip, ``(chips,)``, or None to have the cells asked counted.
        """
        raise ContractError(f"Expected a device with weights. Got {type(self).__name__}, which has no pulse port.")

    def pulse_trains(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        r"""Fire trains of pulses at input and output lines; a cell takes a step wherever both of its lines fire.

        .. math:: n_{ji} = \mathrm{sign}(r_i c_j) \sum_t r_{it} c_{jt}

        Vectors are fired one after another, each in up to 31 slots. To be overridden for speed only.

        Args:
            rows: When each input line fires, ``(chips, vectors, n_in)``, int32: bit ``t`` of its magnitude is slot
                ``t``, and its sign that of the pulses.
            columns: The same of the output lines, ``(chips, vectors, n_out)``.

        Returns:
            Elementary write steps, as `pulse`.
        """
        if self.datasheet.change_step is None:
            raise ContractError(
                f"Expected a device that is written by pulses. Got {type(self).__name__}, whose datasheet prints no "
                'change_step. Take a device such as reram, or write = "digital".'
            )
        spent, step = 0, column_of(self.datasheet.change_step).to(rows.device)
        for vector in range(rows.shape[1]):
            counts = coincidences(rows[:, vector], columns[:, vector])
            steps = self.pulse(step * counts)
            spent = spent + (cells_asked(counts) if steps is None else steps)
        return torch.as_tensor(spent)

    def program(self, weights: torch.Tensor) -> torch.Tensor | None:
        """Ask for absolute weights (write and verify).

        Args:
            weights: The wanted weights.

        Returns:
            Elementary write steps, as `pulse`.
        """
        raise ContractError(
            f"Expected a device that can be programmed. Got {type(self).__name__}, which does not override program. "
            "Write `def program(self, weights)`, or take a rule that begins from the weights as fabricated."
        )

    def wait(self, seconds: PerChip) -> None:  # noqa: B027 (a device without memory has nothing to do)
        """Let hardware time pass: drift, relaxation, temperature.

        Args:
            seconds: How long, in the device's own time; a banked class must take a tensor ``(chips,)`` too, since
                chips that spend more pulses take longer.
        """

    def oracle(self, x: torch.Tensor, bias: torch.Tensor | None = None) -> Truth:
        """Return the simulator's true derivative of the noiseless response; a bound, never a measurement.

        Args:
            x: Inputs.
            bias: As in `measure`.
        """
        raise ContractError(f"Expected a device that knows its own derivative. Got {type(self).__name__}.")

    def pullback(self, x: torch.Tensor, error: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor | None:
        r"""Return the errors of the weighted sums where an output depends on several of them; a bound, as `oracle`.

        .. math:: \delta_k = \sum_j \epsilon_j \, \partial y_j / \partial a_k

        None, as here, where each depends on its own sum alone: then it is the error times the slope of `oracle`.

        Args:
            x: Inputs.
            error: Derivative of a loss by each mean output, ``(chips, batch, n_out)``.
            bias: As in `measure`.
        """
        return None

    def knows_truth(self) -> bool:
        """Tell whether `oracle` works here; so it does where a class overrides it."""
        return type(self).oracle is not Device.oracle

    @property
    def array(self) -> "Device":
        """What a controller of writes addresses line by line: the device itself, unless an array is read in windows."""
        return self

    def can_be_recorded(self) -> bool:
        """Tell whether a CUDA graph may hold reads and pulses of this device.

        It may where all state is in buffers that change in place, no operation waits for the GPU, and none is chosen by
        numbers that change.
        """
        return False

    @final
    def forward(self, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Call `measure` so that no gradient gets through.

        Raises:
            BlackBoxError: From a later ``backward`` through the output.
            ContractError: If the inputs have not the axes or numbers that the class takes.
        """
        whole = x.shared if isinstance(x, SharedInputs) else x
        check_signal(whole, self.datasheet.n_in, self.buffers(), type(self).__name__, banked=self.banked)
        with torch.no_grad():
            y = _measure(self, x, bias)
        return without_backward(y, type(self).__name__)


def _measure(device: Device, x: torch.Tensor | SharedInputs, bias: torch.Tensor | None) -> torch.Tensor:
    if 0 in x.shape:  # no read, so there is nothing that a device would have to think of
        like = x.shared if isinstance(x, SharedInputs) else x
        return like.new_zeros((*x.shape[:-1], device.datasheet.n_out))
    with single_precision():
        y = device.measure_marked(x, bias) if isinstance(x, SharedInputs) else _read(device, x, bias)
    if not isinstance(y, torch.Tensor):
        raise ContractError(
            f"Expected measure of {type(device).__name__} to return a tensor. Got {type(y).__name__}. Return "
            "torch.as_tensor(...) with one row a sample."
        )
    return y.detach()


def _read(device: Device, x: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Read; a device without a bias port need not name one."""
    return device.measure(x) if bias is None else device.measure(x, bias)


def has_weights(model: type[Device]) -> bool:
    """Tell whether a class has weights of its own, which is to override `Device.pulse`."""
    return model.pulse is not Device.pulse


def _plain_datasheet(model: type[Device], n_in: int, n_out: int) -> Datasheet:
    takes_bias = "bias" in inspect.signature(model.measure).parameters
    return Datasheet(n_in=n_in, n_out=n_out, bias_port=takes_bias)
