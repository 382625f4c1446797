"""Learning rules, one a file."""

from analogff.rules.base import Rule, RuleOptions

__all__ = ["Rule", "RuleOptions"]
