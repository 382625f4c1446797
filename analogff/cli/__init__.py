"""The command line.

Signals are handled before anything else is imported, so that Ctrl-C never gives a traceback.
"""

import sys
from collections.abc import Sequence

from analogff.cli.interrupts import INTERRUPTED, handled, say_interrupted

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit with its status."""
    with handled():
        try:
            status = _run(sys.argv[1:] if arguments is None else arguments)
        except KeyboardInterrupt:  # between imports, before the guard or after it
            say_interrupted()
            status = INTERRUPTED
    sys.exit(status)


def _run(arguments: Sequence[str]) -> int:
    from analogff.cli.boundary import guard

    def act() -> int:
        from analogff.cli.commands import perform

        return perform(arguments)

    return guard(act)
