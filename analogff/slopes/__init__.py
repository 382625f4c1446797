"""Slopes of neurons without a model: assumed, probed, fitted, and the oracle bound; their probe and largest step."""
