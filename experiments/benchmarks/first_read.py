"""A chip that ends the process that reads it: a study's start, and nothing else, is left to be timed."""

import os
import signal

from hardware_models.generic.unknown import Unknown


class FirstRead(Unknown):
    """An unknown chip until the study reads it, and not the tiny one that it is tried on before."""

    def measure(self, x, bias=None):
        """Read as `Unknown`, on the tiny chip only."""
        if self.datasheet.n_in < 64:
            return super().measure(x, bias)
        os.kill(os.getpid(), signal.SIGKILL)  # an exit is caught and reported, which takes time of its own
