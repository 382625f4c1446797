"""Parts: Parquet files, one for each task and kind, each with a checksum of its rows."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analogff.support.atomic import replacing

PATTERN = "part-" + 16 * "[0-9a-f]" + ".parquet"
"""Pattern of part names for `Path.glob`; other files in the folder are not ours."""
_SUM, _BESIDE = b"analogff.sha256", b"analogff.beside"
_WRITTEN: dict[str, Any] = {
    "write_page_checksum": True,
    # A part has few rows, so column metadata dominates its file.
    "use_dictionary": False,
    "write_statistics": False,
    "store_schema": False,
    "compression": "zstd",
}


class StoreError(ValueError):
    """A folder does not hold what it should."""


def part_name(task: str) -> str:
    """Return the file name of the parts of a task."""
    return f"part-{task}.parquet"


def parts_in(folder: Path) -> list[Path]:
    """Return the parts in a folder.

    Raises:
        StoreError: If there is another Parquet file, since a reader of the folder would take it for a part.
    """
    there = sorted(folder.glob("*.parquet"))
    other = [path.name for path in there if not re.fullmatch(PATTERN.replace(".", r"\."), path.name)]
    if other:
        raise StoreError(
            f"Expected only parts of the results in {folder}. Got {', '.join(other[:5])}, which analogff did not name "
            "so. Move it elsewhere."
        )
    return there


def write_part(table: pa.Table, path: Path, beside: Sequence[str] = ()) -> None:
    """Write a part atomically, with its checksum.

    Args:
        table: Its rows.
        path: The file.
        beside: Other kinds of the same task, which are there already.
    """
    told = {_SUM: _sum_of(table, beside), _BESIDE: json.dumps(list(beside))}
    with replacing(path) as temporary, pq.ParquetWriter(temporary, table.schema, **_WRITTEN) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({**(table.schema.metadata or {}), **told})


def read_part(path: Path) -> tuple[pa.Table, list[str]]:
    """Return the rows of a part, and the other kinds that its task has.

    Raises:
        StoreError: If it is not what was written.
    """
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        told = table.schema.metadata or {}
        beside = json.loads(told.get(_BESIDE, "[]"))
        intact = _SUM in told and told[_SUM].decode() == _sum_of(table, beside)
    except Exception as error:  # a reader may raise anything on damage
        raise StoreError(damaged(path, path, " ".join(str(error).split()).rstrip("."))) from error
    if not intact:
        got = (
            "content that does not match its checksum" if _SUM in told else "one without a checksum, of another program"
        )
        raise StoreError(damaged(path, path, got))
    return table, beside


def kinds_beside(path: Path) -> list[str]:
    """Return the other kinds that the task of a part has, without its rows."""
    return json.loads((pq.read_metadata(path).metadata or {}).get(_BESIDE, "[]"))


def damaged(path: Path, remove: Path, got: str) -> str:
    """Return the error of a part, with how its runs are redone."""
    return f"Expected {path} as analogff wrote it. Got {got}. Remove {remove}; its runs will be done again."


def is_ours(path: Path) -> bool:
    """Return whether a file is a part written by analogff, which may be removed."""
    try:
        return _SUM in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        return False


def _sum_of(table: pa.Table, beside: Sequence[str]) -> str:
    """Return the checksum of names, types and values, which a file preserves."""
    types = [str(kind) for kind in table.schema.types]  # values of an empty column do not show its type
    return hashlib.sha256(json.dumps([list(beside), types, table.to_pydict()], default=repr).encode()).hexdigest()
