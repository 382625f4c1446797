"""Learning rules, one a file."""

from analogff.rules.base import Options, Rule

__all__ = ["Options", "Rule"]
