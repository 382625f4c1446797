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
    ADC_GAIN = 40
    """Gain errors of the output converters."""
    ADC_OFFSET = 41
    """Offset errors of the output converters."""
    ADC_STEPS = 42
    """Elements of the output converters, which decide their nonlinearity."""
    ADC_NOISE = 43
    """Noise of a conversion."""
    DAC_GAIN = 44
    """Gain errors of the input converters."""
    DAC_STEPS = 45
    """Elements of the input converters."""
    DEAD_ROW = 48
    """Which input lines are dead."""
    DEAD_COLUMN = 49
    """Which output lines are dead."""
    TELEGRAPH = 50
    """States of the traps behind telegraph noise."""
    TELEGRAPH_PHASE = 51
    """At which read a trap starts a new block."""
    FLICKER = 52
    """Contributions to 1/f noise of the neurons, of all octaves."""
    FLICKER_PHASE = 53
    """At which read each of them starts a new block."""
    STUCK_CELL = 46
    """Which cells of an array are at an end of their range for good."""
    FAULT = 54
    """Which output lines fail during use."""
    SLOPE_UP = 64
    """How steps up shrink with the state of a cell."""
    SLOPE_DOWN = 65
    """How steps down shrink with the state of a cell."""
    LIFETIME = 66
    """Lifetime of a cell's charge."""
    RELAXATION = 67
    """Which way a cell relaxes after it was written."""
    THRESHOLD = 68
    """Switching voltage of a magnetic cell."""
    SWITCHING = 69
    """Whether a pulse switches a magnetic cell."""
    TRANSISTOR = 80
    """Threshold of the transistor of a neuron; of its n-channel one where there are two."""
    TRANSISTOR_P = 81
    """Threshold of its p-channel transistor."""
    INPUT_OFFSET = 82
    """Offset voltage at a neuron's input."""
    JUNCTION = 83
    """Saturation current of a neuron's diode."""
    P_BIT = 84
    """Which way a stochastic neuron falls."""
    PHASE_ERROR = 95
    """What calibration leaves of the errors of phase shifters."""
    PHASE_WRITE = 96
    """Error of setting a phase."""
    COUPLER = 97
    """Splitting errors of couplers."""
    SHOT = 98
    """Noise of a detector's current."""
    ABSORPTION = 99
    """Depth of a neuron's absorber."""
    RESPONSIVITY = 100
    """Responsivity of a neuron's detector."""
    MEASURED_COPY = 105
    """Which measured neuron each one is."""
    MEASURED_CELL = 106
    """Which measured cell each one is."""
    MEASURED_NOISE = 107
    """Noise of a measured neuron."""
    FEATURE_FREQUENCY = 112
    """Frequencies of the random features that make up a neuron's own curve."""
    FEATURE_WEIGHT = 113
    """Cosine and sine weights of those features."""
    COUPLED_WITH = 114
    """Which neurons act on which."""
    COUPLING_WEIGHT = 115
    """Sign and strength of a coupling."""
    RESERVOIR_IN = 116
    """Weights from the sums into a reservoir."""
    RESERVOIR_SHIFT = 117
    """Operating points of its units."""
    RESERVOIR_OUT = 118
    """Weights from a reservoir to the outputs."""
    PENDULUM_COUPLING = 125
    """Couplings of pendula."""
    PENDULUM_STIFFNESS = 126
    """Natural frequencies of pendula."""


def of_conversion(stream: Stream, number: int) -> int:
    """Return the address of a noise in the several conversions of one read; that of the first is the stream itself."""
    return stream + 256 * number
