"""Stochastic pulse trains, and the running scales that they go by."""

from collections.abc import Callable

import torch

from analogff.device import chipwise
from analogff.support import draws
from analogff.system import Work, work

MOMENTUM = 0.99
"""Of a running scale, once it has seen so many values."""


class Generators:
    r"""Pulse generators at the lines of an array: their coincidences are an outer product.

    .. math::
        P(r_{it} = 1) = \frac{|x_i|}{\max |x|} \sqrt{K / T}, \quad
        P(c_{jt} = 1) = \frac{|e_j|}{\max |e|} \sqrt{K / T}, \quad
        K = \min(s \max |x| \max |e|, T)

    in each of ``T`` slots, so that a cell takes :math:`s |x_i e_j|` steps on average, unless that is more than ``T``
    somewhere. Random numbers are those of all chips.

    Args:
        slots: ``T``.
        seed: Draws when lines fire.

    Reference:
        Gokmen and Vlasov, Frontiers in Neuroscience 10, 333 (2016); update management as in aihwkit.
    """

    state_names = ("generator",)

    def __init__(self, slots: int, seed: int):
        self.slots = slots
        self.generator = torch.Generator().manual_seed(seed)

    def fire(self, errors: torch.Tensor, x: torch.Tensor, size: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return when input and output lines fire, as `Sealed.pulse_trains` takes them.

        Args:
            errors: ``e``, ``(chips, vectors, n_out)``.
            x: ``x``, ``(chips, vectors, n_in)``.
            size: ``s``, ``(chips, 1, 1)``.
        """
        loudest, worst = greatest(x), greatest(errors)
        root = ((size * loudest * worst).clamp(max=self.slots) / self.slots).sqrt()
        return self._fired(x, loudest, root), self._fired(errors, worst, root)

    def _fired(self, values: torch.Tensor, most: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
        chance = torch.where(most > 0, values.abs() / most * root, 0.0)
        slots = self.slots, *values.shape[1:]
        drawn = draws.uniform(slots, self.generator, values.device)
        fired = torch.zeros(values.shape, dtype=torch.int32, device=values.device)
        for slot in range(self.slots):
            fired += (drawn[slot] < chance).int() << slot
        return fired * values.sign().int()


def greatest(values: torch.Tensor) -> torch.Tensor:
    """Return the greatest magnitude of each vector, ``(chips, vectors, 1)``."""
    return values.abs().amax(-1, keepdim=True)


def trains_work(vectors: int, n_in: int, n_out: int) -> Work:
    """Return the digital work of handing vectors to pulse generators: the greatest number, and a scale, of each."""
    return work.elementwise(vectors * (n_in + n_out), operations=2, operands=1)


class RunningScale:
    """The running mean of a size, one a chip: the mean of all values, later with a momentum."""

    state_names = ("seen", "mean")

    def __init__(self):
        self.seen = 0
        self.mean: torch.Tensor | None = None

    def update(self, values: torch.Tensor) -> torch.Tensor:
        """Take a value of each chip, ``(chips, 1, 1)``, and return the mean."""
        self.seen += 1
        share = max(1 / self.seen, 1 - MOMENTUM)
        self.mean = values.clone() if self.mean is None else self.mean + share * (values - self.mean)
        return self.mean


def mean_of_chips(function: Callable[..., torch.Tensor], *values: torch.Tensor) -> torch.Tensor:
    """Return the mean of a function of some tensors for each chip, ``(chips, 1, 1)``, the same alone and in a bank."""
    return chipwise(lambda *own: function(*own).double().mean((-2, -1), keepdim=True).float(), *values)


def over(rate: torch.Tensor | float, size: torch.Tensor) -> torch.Tensor:
    """Return a rate over a size, 0 where that is 0."""
    return torch.where(size > 0, rate / size, 0.0)
