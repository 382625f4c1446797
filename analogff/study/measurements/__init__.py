"""Measurements of chips besides their errors."""
