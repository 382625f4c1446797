"""The canonical form of a Python source, without comments, docstrings and blank lines."""

import ast
import functools
import hashlib
import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

_STRING = rb'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
_COMMENTS = re.compile(rb"(" + _STRING + rb")|#[^\n]*", re.DOTALL)
_BLANKS = re.compile(rb"(" + _STRING + rb")|[ \t\r\f]*\n(?:[ \t\r\f]*\n)*", re.DOTALL)
_FORMATTED = re.compile(rb"\b[rR]?[fFtT][rR]?['\"]")


class Source(NamedTuple):
    """The relevant content of a Python source."""

    sum: str
    """Checksum that only edits of comments, docstrings and blank lines preserve; of the bytes if it is no Python."""
    imports: frozenset[str]
    """First names of all modules that it imports, at any depth."""


@functools.lru_cache(maxsize=1024)
def read_source(content: bytes) -> Source:
    """Read a source.

    Example:
        >>> read_source(b"x = 1  # volts").sum == read_source(b"x = 1").sum
        True
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = io.TextIOWrapper(io.BytesIO(content), encoding).read().encode()
        statements = list(_statements(ast.parse(text).body))
    except (SyntaxError, ValueError, RecursionError):
        return Source(hashlib.sha256(content).hexdigest(), frozenset())
    kept = _COMMENTS.sub(_without_comment, _without(text, [s for s in statements if _idle(s)]))
    kept = _BLANKS.sub(lambda found: found[1] or b"\n", kept).strip()
    imports = frozenset(name.partition(".")[0] for s in statements for name in _imported(s))
    return Source(hashlib.sha256(kept).hexdigest(), imports)


def _statements(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block, at all depths."""
    for statement in block:
        yield statement
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, name, []))
        for name in ("handlers", "cases"):
            for part in getattr(statement, name, ()):
                yield from _statements(part.body)


def _idle(statement: ast.stmt) -> bool:
    """Return whether a statement is a text alone: a docstring of a module, class, function or field."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _imported(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return (
        [statement.module] if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level else []
    )


def _without(text: bytes, idle: list[ast.stmt]) -> bytes:
    """Cut statements out; positions are in bytes, as in the parser."""
    starts = [0]
    for line in text.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    for node in sorted(idle, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        first = starts[node.lineno - 1] + node.col_offset
        last = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        text = text[:first] + text[last:]
    return text


def _without_comment(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return found[1]
    line = found.string[found.string.rfind(b"\n", 0, found.start()) + 1 : found.start()]
    return found[0] if _FORMATTED.search(line) else b""  # an f-string may contain quotes with a number sign
