"""How a file begins, as a small table for people: its columns, and its first rows as cut texts."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

CELL_CHARACTERS = 200
"""Of a cell; who wants all of it exports the file."""
_LARGEST_CELL = 1 << 31
"""The csv module refuses cells over 128 KiB otherwise; a response may be longer."""


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Columns and rows; a cell is None where there is no value."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()


def csv_beginning(data: bytes) -> Beginning:
    """Of a CSV file's header and whole rows."""
    csv.field_size_limit(_LARGEST_CELL)
    # newline="": line ends inside cells are as they are.
    columns, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return Beginning(columns=tuple(columns), rows=tuple(tuple(map(_cut, row)) for row in rows))


def jsonl_beginning(data: bytes) -> Beginning:
    """Of lines that are objects; the columns are the names that the first has."""
    # The standard library's reader also takes lone surrogates, and numbers too large for a double.
    found = [json.loads(line) for line in data.split(b"\n") if line]
    columns = tuple(found[0]) if found else ()
    return Beginning(columns=columns, rows=tuple(tuple(_shown(each.get(name)) for name in columns) for each in found))


def parquet_beginning(data: bytes) -> Beginning:
    """Of a whole Parquet file that has few rows."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only this function needs it
    from pyarrow import parquet  # noqa: PLC0415

    table = parquet.read_table(pa.BufferReader(data), use_threads=False)
    # Times as text by Arrow itself: Python's own end with the year 9999.
    columns = [
        column.cast(pa.string()) if pa.types.is_timestamp(column.type) else column for column in table.columns
    ]  # fmt: skip
    values = [[_shown(value) for value in column.to_pylist()] for column in columns]
    return Beginning(columns=tuple(table.column_names), rows=tuple(zip(*values, strict=True)))


def _shown(value: Any) -> str | None:  # noqa: ANN401 - whatever a cell holds
    if value is None:
        return None
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _cut(text: str) -> str:
    """The beginning of the text, without what UTF-8 does not have."""
    short = text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"
    return short.encode("utf-8", "replace").decode()
