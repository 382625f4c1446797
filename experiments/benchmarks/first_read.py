"""A chip that ends the process that reads it: a study's start, and nothing else, is left to be timed."""

import os

from hardware_models.generic.unknown import Unknown


class FirstRead(Unknown):
    """An unknown chip until somebody looks."""

    def measure(self, x, bias=None):  # noqa: D102
        os._exit(0)
