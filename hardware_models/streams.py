"""Names of the independent random streams of one chip; adding one changes no other."""

import enum


class Stream(enum.IntEnum):
    """The last word of a noise address: what a random number is for."""

    INITIAL = 1
    """Weights as fabricated."""
    GAIN = 2
    """Gain mismatch of the neurons."""
    OFFSET = 3
    """Offset mismatch of the neurons."""
    CURVE = 4
    """Steepness of a chip's neuron curve."""
    EFFICIENCY = 5
    """Write efficiency, or step, of the cells."""
    UPPER_BOUND = 6
    """Greatest weight or conductance of the cells."""
    LOWER_BOUND = 7
    """Least weight of the cells."""
    ASYMMETRY = 8
    """Difference of up and down steps of the cells."""
    DEFECT = 9
    """Which cells are stuck."""
    STUCK = 10
    """Where the stuck cells are stuck."""
    DRIFT = 11
    """Drift exponents of the cells."""
    READ = 16
    """Noise of an output sample."""
    WEIGHT_READ = 17
    """Noise of the weights during a read, as it shows in the weighted sum."""
    ROUNDING = 32
    """Stochastic rounding, of a change to whole pulses or of a weight to a state."""
    WRITE = 33
    """Cycle-to-cycle noise of pulses."""
    PROGRAM = 34
    """Error that write-and-verify leaves."""
    REFRESH = 35
    """Error of reprogramming a pair of cells that ran full."""
