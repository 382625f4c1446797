"""The observability ladder: what one read yields, and so which rule can live on a device."""

import enum


class Observable(enum.IntEnum):
    """What a rule must see, or a device shows; each step includes the ones below it."""

    LOSS = 1
    """One number at the end of the network: weight perturbation, evolution strategies."""
    OUTPUT = 2
    """The final output vector: direct feedback alignment."""
    GOODNESS = 3
    """One number per layer (a power meter): layer-local perturbation."""
    ACTIVITY = 4
    """Every neuron's output: Forward-Forward with the Hebbian term, node perturbation."""
    PROBE = 5
    """ACTIVITY, and again with a small common bias: Forward-Forward with measured slopes."""
    TWIN = 6
    """A differentiable model that the experimenter believes: physics-aware and hardware-aware backprop."""
    ORACLE = 7
    """The simulator's true derivative: nothing that could be built, an upper bound."""
