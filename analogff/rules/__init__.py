"""Learning rules, one a file."""

from analogff.learning.rule import Rule, RuleOptions

__all__ = ["Rule", "RuleOptions"]
