"""One thread a process, as in studies: tests share the cores already, and waiting threads would keep them busy."""

import os

import pytest

for library in ("OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # before anything loads them


@pytest.fixture
def blank_figures(monkeypatch):
    """Every figure is a blank page, for tests of commands, files and numbers beside figures."""
    from matplotlib.figure import Figure

    from analogff.figures.drawing import Drawing

    monkeypatch.setattr(Drawing, "figure", property(lambda _: Figure((1, 1))))
