"""Whether the model of wires holds for an array of a given size."""

from typing import Any

import torch

from analogff.device import ContractError
from hardware_models.array.periphery import Periphery
from hardware_models.effects import wires
from hardware_models.effects.tiles import tiles


def require_short_wires(
    periphery: Periphery, n_in: int, n_out: int, wire_ohm: torch.Tensor, siemens: torch.Tensor
) -> None:
    """Refuse an array for whose lines the model of wires does not hold.

    Args:
        periphery: What stands around it.
        n_in: Input lines.
        n_out: Output lines.
        wire_ohm: Of each chip.
        siemens: Mean conductance behind a weight, of each chip.

    Raises:
        ContractError: If the wires would take too much of a sum.
    """
    rows = max(lines.stop - lines.start for lines in tiles(n_in, periphery.rows_per_tile))
    drop = torch.as_tensor(wires.farthest_drop(rows, n_out, wire_ohm, siemens)).max().item()
    if drop > wires.MOST_DROP:
        ohm = wire_ohm.max().item()
        raise ContractError(
            f"Expected wires that lose little, a drop of at most {wires.MOST_DROP:g} at the farthest cell, since they "
            f"are modeled to first order. Got {drop:.2g} with wire_ohm={ohm:g} in an array of {rows} rows and {n_out} "
            f"outputs. Lower wire_ohm to {ohm * wires.MOST_DROP / drop:.2g}, split rows by rows_per_tile, or take "
            "fewer outputs."
        )


def check_wires(model: Any, n_in: int, n_out: int, parameters: dict[str, Any]) -> None:
    """Ask a small array of a class, which is soon made, whether its wires suit a layer."""
    if torch.as_tensor(parameters.get("wire_ohm", 0)).any():
        chips = max([1, *(value.numel() for value in parameters.values() if isinstance(value, torch.Tensor))])
        model(1, 1, seed=[0] * chips, **parameters).require_short_wires(n_in, n_out)
