"""Coincidences of pulse trains."""

import torch

_SLOTS = 31


def coincidences(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Return how often the lines of each cell fire together, with sign, ``(chips, n_out, n_in)``.

    Args:
        rows: When each input line fires, ``(chips, n_in)``, int32: bit ``t`` of its magnitude is slot ``t``.
        columns: The same of the output lines, ``(chips, n_out)``.
    """
    if rows.device.type == "cpu":
        from analogff.device.numerics.coincidences_cpu import count  # here, since it takes a second to import

        counts = torch.empty(len(rows), columns.shape[1], rows.shape[1])
        count(rows.contiguous().numpy(), columns.contiguous().numpy(), counts.numpy())
        return counts
    return _slots(columns) @ _slots(rows).mT


def _slots(fired: torch.Tensor) -> torch.Tensor:
    """Return the pulses of each line by slot, -1, 0 or 1: ``(chips, n)`` to ``(chips, n, 31)``."""
    slots = torch.arange(_SLOTS, device=fired.device, dtype=fired.dtype)
    fires = (fired.abs().unsqueeze(-1) >> slots) & 1
    return fires.float() * fired.sign().unsqueeze(-1)
