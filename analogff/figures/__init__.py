"""Figures of a finished or running study; they read its store and nothing else."""

from analogff.figures.draw import draw_all

__all__ = ["draw_all"]
