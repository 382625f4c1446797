r"""Read path with non-ideal converters, wires and neurons, as a list of stages, from the numbers of a `Periphery`.

A signal passes the stages of drive, array, sense, neuron and convert, a file each. A chip whose periphery has no errors
has no such list: `hardware_models.kernels.read` reads it.

Sums are converted before the neurons where they are formed in parts, in tiles or bit by bit:

.. math::
    y = f\Big(\sum_t \sum_i \tfrac{2^i}{2^B - 1}\,
        \mathrm{ADC}_t\left[g_t \circ (W_t q_{ti} + \sigma \xi) + o_t + \sigma_r \xi'\right] + b; s\Big)

The neurons are then digital. Gain, offset and noise are those of the amplifier behind each column of each tile. The
bias is a number, and outputs have no converter. With :math:`T` tiles a partial sum is :math:`\sqrt T` times smaller
than the whole one; offsets, noise and range of its converter are too.

Neurons may couple and remember. What the curve gives is clipped to the neurons' range. It then goes through
inhibition, the droop of a shared supply, settling and hysteresis, in this order: coupling is between the circuits and
decides where outputs go, settling is how they get there, hysteresis is in what they move. Noise, 1/f and
white, comes after, and is not remembered. Reads follow one another without a pause, and neurons hold still in a `wait`.

A learned or percentile range of the inputs is left out: a converter that learns from the first signals it sees
would answer otherwise to a batch in two halves, and calibration by signals is no verb of the contract. ``input_max``
is what such a calibration would set.
"""
