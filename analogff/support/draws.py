"""Random numbers of a learning rule: drawn on the CPU, so that they are the same wherever the chips are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

Draw = Callable[[], torch.Tensor]
_TAPE: ContextVar["Tape | None"] = ContextVar("tape", default=None)


class Tape:
    """What a recorded step draws: places on the device, filled anew before each replay.

    The places are made in a rehearsal. Made while a graph is recorded, they would lie in the memory of that graph,
    which writes other things there before it comes to them.
    """

    def __init__(self):
        self._drawn: list[tuple[Draw, torch.Tensor]] = []
        self._next: int | None = None  # None in the rehearsal

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        """Draw as ever inside, and make a place for each draw."""
        self._drawn, self._next = [], None
        with self._taking():
            yield

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Give the places to whoever draws inside, in the order of the rehearsal."""
        self._next = 0
        with self._taking():
            yield

    @contextmanager
    def _taking(self) -> Iterator[None]:
        before = _TAPE.set(self)
        try:
            yield
        finally:
            _TAPE.reset(before)

    def take(self, draw: Draw, device: torch.device) -> torch.Tensor:
        """Return the numbers of ``draw``, or where they will be."""
        if self._next is None:
            self._drawn.append((draw, draw().to(device)))
            return self._drawn[-1][1].clone()
        self._drawn[self._next] = (draw, self._drawn[self._next][1])
        self._next += 1
        return self._drawn[self._next - 1][1]

    def refill(self) -> None:
        """Draw all numbers of the next replay, in the order in which the step asks for them."""
        for draw, there in self._drawn:
            there.copy_(draw(), non_blocking=True)


def uniform(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> torch.Tensor:
    """Draw from [0, 1)."""
    return _drawn(lambda: torch.rand(shape, generator=generator), device)


def integers(
    low: int, high: int, shape: tuple[int, ...], generator: torch.Generator, device: torch.device
) -> torch.Tensor:
    """Draw whole numbers from ``low`` up to ``high``, which is left out."""
    return _drawn(lambda: torch.randint(low, high, shape, generator=generator), device)


def _drawn(draw: Draw, device: torch.device) -> torch.Tensor:
    tape = _TAPE.get()
    # from memory that is not pinned such a copy is staged before it returns, so that nothing waits and nothing races
    return draw().to(device, non_blocking=True) if tape is None else tape.take(draw, device)
