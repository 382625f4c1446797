"""One thread a process, as in studies: tests share the cores already, and waiting threads would keep them busy."""

import os

for library in ("OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # before anything loads them
