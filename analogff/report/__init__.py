"""A report of a study: one HTML page that holds everything and opens from disk."""

from analogff.report.write import page, write_report

__all__ = ["page", "write_report"]
