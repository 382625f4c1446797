"""Cells that learn by pulses or by programming, one technology a file."""
