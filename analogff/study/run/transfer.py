"""Copying of weights from chips to others, through the contract alone."""

from analogff.device import Observable, Sealed
from analogff.device.ledger import TRAINING
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.network import Chips, Network
from analogff.network.readout import read_weights


def transfer(source: Chips, known: Network, target: Chips, network: Network) -> None:
    """Write the weights of chips onto others, as far as they are known.

    Digital numbers are read and written. Of an array only the register of requests is known: weights that were
    programmed once are programmed onto the other chips; changes from unknown weights are pulsed onto theirs.

    Args:
        source: Chips that have learned, with registers of what was asked of them; see `Chips.keep_requests`.
        known: Their network, whose datasheets say which weights are digital.
        target: The other chips, as fabricated.
        network: Their network, which counts the writes.
    """
    layers = zip((*known.layers, known.head), (*network.layers, network.head), strict=True)
    for register, (old, new), device, other in zip(
        source.requested, layers, source.devices, target.devices, strict=True
    ):
        if old.datasheet.readable_weights and new.datasheet.readable_weights:
            _move_numbers(device, other, new)
        elif register.weights is None:
            continue
        elif register.absolute:
            new.program(register.weights)
        else:
            PulseOptimizer(new, 0.0).move(register.weights)
    for register, other in zip(source.requested, target.requested, strict=True):
        other.load_state_dict(register.state_dict())


def read_out(source: Chips, target: Chips, network: Network, reads: int) -> None:
    """Read the weights of chips with one input line on at a time, and program them onto others.

    Digital numbers are read and written as by `transfer`.

    Args:
        source: Chips that have learned; their reads are counted.
        target: The other chips, as fabricated.
        network: Their network, which counts the writes.
        reads: Reads of each line that are averaged; see `analogff.network.readout`.
    """
    source.ledger.phase = TRAINING
    layers = zip(source.seal_arrays(Observable.TWIN), (*network.layers, network.head), strict=True)
    for (old, new), device, other in zip(layers, source.devices, target.devices, strict=True):
        if old.datasheet.readable_weights and new.datasheet.readable_weights:
            _move_numbers(device, other, new)
        else:
            new.program(digital_weights(device) if old.datasheet.readable_weights else read_weights(old, reads))


def _move_numbers(device, other, new: Sealed) -> None:
    """Write digital weights of one layer onto another, and count the bytes."""
    weights = digital_weights(device)
    digital_weights(other).copy_(weights)
    new.compute(0.0, 8.0 * weights[0].numel())


def digital_weights(device):
    """Return the tensor of a layer's digital weights, by the name that such devices give it."""
    state = device.array.state_dict()
    return state["weights"] if "weights" in state else state["digital.weights"]
