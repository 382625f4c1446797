"""Devices without a technology: the ideal one, those that nobody has a model of, and a fault around any other."""
