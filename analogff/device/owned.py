"""Answers that belong to whoever asked: a device may fill one buffer again and again, or hand out its own state."""

import torch

_TRIALS = 4
"""Answers of a shape that lie elsewhere than all before, until memory that torch did not allocate is taken for new."""


class Owner:
    """Copies the answers of one device that may still change, and passes on the others as they are."""

    def __init__(self):
        self._met: dict[torch.Size, list[torch.Tensor]] = {}
        self._new: set[torch.Size] = set()

    def own(self, y: torch.Tensor) -> torch.Tensor:
        """Return an answer, copied unless its memory is shown to be the answer's alone."""
        if is_alone(y) or (_holders(y) == _ALONE and self._is_new(y)):
            return y
        return y.clone()

    def _is_new(self, y: torch.Tensor) -> bool:
        """Tell whether a device that answers with a NumPy array makes a new one each time.

        The first answers of a shape are kept, so that memory which is met again was not free in between.
        """
        met = self._met.setdefault(y.shape, [])
        if y.shape not in self._new and all(y.data_ptr() != before.data_ptr() for before in met):
            met.append(y.detach())
        if len(met) == _TRIALS:
            self._new.add(y.shape)
            met.clear()
            return False  # it was met just now, and is kept no longer
        return y.shape in self._new


def is_alone(y: torch.Tensor) -> bool:
    """Tell whether nothing else has a tensor's memory, as far as torch knows; False where a NumPy array may have it."""
    return _holders(y) == _ALONE and y.untyped_storage().resizable()


def _holders(y: torch.Tensor) -> int:
    """Return how many tensors share a tensor's memory, and its storage."""
    return torch._C._storage_Use_Count(y.untyped_storage()._cdata)


_ALONE = _holders(torch.empty(1))
