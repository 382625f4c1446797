"""Layers and neurons of light, one a file."""
