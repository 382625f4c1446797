"""Devices without a technology: the ideal one, the unknown one, and a fault around any other."""
