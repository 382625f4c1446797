"""Parts of what a notebook shows."""

from collections.abc import Mapping
from html import escape


def table_html(title: str, rows: Mapping[str, str]) -> str:
    """Return names and values as a small table for a notebook."""
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
    return f"<table><caption>{escape(title)}</caption>{cells}</table>"
