"""The command line."""

from analogff.cli.arguments import main

__all__ = ["main"]
