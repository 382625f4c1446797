"""Random numbers of a learning rule: drawn on the CPU, so that they do not depend on the chips' device."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

Draw = Callable[[], torch.Tensor]
_TAPE: ContextVar["Tape | None"] = ContextVar("tape", default=None)


class Tape:
    """Draws of a recorded step: buffers on the device, refilled before each replay.

    The buffers are allocated in a rehearsal. Buffers allocated during recording would lie in the graph's own memory,
    which the graph overwrites.
    """

    def __init__(self):
        self._drawn: list[tuple[Draw, torch.Tensor]] = []
        self._next: int | None = None  # None in the rehearsal

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        """Draw normally inside, and allocate a buffer for each draw."""
        self._drawn, self._next = [], None
        with self._taking():
            yield

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Return the buffers to draws inside, in the order of the rehearsal."""
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
        """Return the numbers of ``draw``, or the buffer that will hold them."""
        if self._next is None:
            self._drawn.append((draw, draw().to(device)))
            return self._drawn[-1][1].clone()
        self._drawn[self._next] = (draw, self._drawn[self._next][1])
        self._next += 1
        return self._drawn[self._next - 1][1]

    def refill(self) -> None:
        """Draw all numbers of the next replay, in the order of the step's draws."""
        for draw, there in self._drawn:
            there.copy_(draw(), non_blocking=True)


def uniform(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> torch.Tensor:
    """Draw from [0, 1)."""
    return _drawn(lambda: torch.rand(shape, generator=generator), device)


def integers(
    low: int, high: int, shape: tuple[int, ...], generator: torch.Generator, device: torch.device
) -> torch.Tensor:
    """Draw whole numbers from ``low`` to ``high``, exclusive."""
    return _drawn(lambda: torch.randint(low, high, shape, generator=generator), device)


def _drawn(draw: Draw, device: torch.device) -> torch.Tensor:
    tape = _TAPE.get()
    # a copy from pageable memory is staged before it returns, so nothing waits and nothing races
    return draw().to(device, non_blocking=True) if tape is None else tape.take(draw, device)
