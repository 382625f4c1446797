"""Figures of a finished or running study, from its store alone."""

from analogff.figures.draw import draw_all
from analogff.figures.results import LeftOut, Missing

__all__ = ["LeftOut", "Missing", "draw_all"]
