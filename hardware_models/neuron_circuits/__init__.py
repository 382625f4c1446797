"""Neurons that are an electronic circuit, one a file."""
