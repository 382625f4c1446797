"""Copying of weights from chips to others, through the contract alone."""

from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.network import Chips, Network


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
            weights = digital_weights(device)
            digital_weights(other).copy_(weights)
            new.compute(0.0, 8.0 * weights[0].numel())
        elif register.weights is None:
            continue
        elif register.absolute:
            new.program(register.weights)
        else:
            PulseOptimizer(new, 0.0).move(register.weights)
    for register, other in zip(source.requested, target.requested, strict=True):
        other.load_state_dict(register.state_dict())


def digital_weights(device):
    """Return the tensor of a layer's digital weights, by the name that such devices give it."""
    state = device.state_dict()
    return state["weights"] if "weights" in state else state["digital.weights"]
