"""What learning rules are made of: options, layer-local descent, the head, and the optimizer that writes by pulses."""
