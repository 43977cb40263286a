"""Rows of Parquet files as items: what DuckDB finds to differ, in memory that does not grow with the file."""

import io
import math
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.differences import State, differences
from export_pipelines.packaging.parquet_items import COLUMNS, Window, parquet_items
from export_pipelines.packaging.records import PART, RECORD, fields_of

TIMES = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("transcript_id", pa.string(), nullable=False),
        ("score", pa.float64()),
        ("whole", pa.int64()),
        ("at", TIMES),
        ("text", pa.string()),
        ("content", pa.string()),
    ]
)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
ROW = st.fixed_dictionaries(
    {
        "score": st.none() | st.sampled_from([0.0, -0.0, 1.0, 1.5, math.nan, math.inf, -math.inf, 1e300, 2.0**60]),
        "whole": st.none() | st.integers(0, 2) | INT64,
        # Beyond Python's own times, and short of those that DuckDB takes for infinite.
        "at": st.none() | st.integers(-(1 << 56), 1 << 56),
        "text": st.none() | st.sampled_from(["", "x", "NaN", "日本"]),
        "content": st.none() | st.sampled_from(['{"a": 1}', '{"a": 2, "b": []}', "[]", "no JSON"]),
    }
)
TABLES = st.dictionaries(st.sampled_from("abcdef"), ROW, max_size=6)


def written(rows: dict[str, dict], *, schema: pa.Schema = SCHEMA, group: int = 2) -> bytes:
    file = io.BytesIO()
    columns = [pa.array(list(rows), pa.string())]
    for field in schema:
        if field.name != "transcript_id":
            values = pa.array([row[field.name] for row in rows.values()])
            columns.append(values.cast(pa.int64()).cast(field.type) if field.type == TIMES else values.cast(field.type))
    with parquet.ParquetWriter(file, schema) as writer:
        table = pa.Table.from_arrays(columns, schema=schema)
        writer.write_table(table, row_group_size=group)
    return file.getvalue()


def items(data: bytes) -> list:
    return list(parquet_items(io.BytesIO(data), id_name="transcript_id"))


@settings(max_examples=40)
@given(before=TABLES, after=TABLES)
def test_the_rows_that_differ_are_those_that_duckdb_finds(before, after, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("tables")
    found = differences(lambda: iter(items(written(before))), lambda: iter(items(written(after))), folder=folder)
    assert {(d.id, d.state) for d in found.listed} == by_duckdb(before, after, folder)
    assert found.compared == ({RECORD: len(before)} if before else {}) | {PART: 1}


def by_duckdb(before, after, folder: Path) -> set[tuple[str, State]]:
    for name, rows in (("before", before), ("after", after)):
        (folder / name).write_bytes(written(rows))
    one, other = (f"read_parquet('{folder / name}')" for name in ("before", "after"))
    fields = [name for name in SCHEMA.names if name != "transcript_id"]
    differs = " OR ".join(f"a.{name} IS DISTINCT FROM b.{name}" for name in fields)
    queries = {
        State.MISSING: f"SELECT a.transcript_id FROM {one} a ANTI JOIN {other} b USING (transcript_id)",
        State.EXTRA: f"SELECT b.transcript_id FROM {other} b ANTI JOIN {one} a USING (transcript_id)",
        State.CHANGED: f"SELECT transcript_id FROM {one} a JOIN {other} b USING (transcript_id) WHERE {differs}",
    }
    return {(id_, state) for state, query in queries.items() for (id_,) in duckdb.sql(query).fetchall()}


def test_a_row_has_its_cells_by_name_and_the_document_its_own_fields() -> None:
    row = {"score": math.nan, "whole": None, "at": 5, "text": "", "content": '{"turns": []}'}
    columns, found = items(written({"a": row}))
    assert (columns.kind, columns.id, fields_of(columns)["whole"]) == (PART, COLUMNS, "int64")
    assert (found.kind, found.id) == (RECORD, "a")
    assert fields_of(found) == {"transcript_id": "a", "score": "nan", "at": 5, "text": "", "content": {"turns": []}}


def test_a_column_that_took_its_first_fraction_changes_no_other_row() -> None:
    rows = {"a": {"whole": 3}, "b": {"whole": -4}}
    whole = pa.schema([SCHEMA.field("transcript_id"), ("whole", pa.int64())])
    double = pa.schema([SCHEMA.field("transcript_id"), ("whole", pa.float64())])
    assert items(written(rows, schema=whole))[1:] == items(written(rows, schema=double))[1:]


@pytest.mark.parametrize("data", [b"", b"PAR1" * 5, written({})[:-9]])
def test_what_is_no_table_or_lacks_the_id_is_damaged(data) -> None:
    with pytest.raises(IntegrityError, match="the table cannot be read"):
        items(data)
    with pytest.raises(IntegrityError, match="the table has no column other"):
        list(parquet_items(io.BytesIO(written({})), id_name="other"))


def test_memory_is_that_of_a_row_group_however_many_there_are() -> None:
    def most(groups: int) -> int:
        rows = {f"c{n}": {"text": f"{n}" * 2_000} for n in range(groups * 20)}
        data = written(rows, schema=pa.schema([SCHEMA.field("transcript_id"), ("text", pa.string())]), group=20)
        before = pa.total_allocated_bytes()
        return max(
            pa.total_allocated_bytes() - before for _ in parquet_items(io.BytesIO(data), id_name="transcript_id")
        )

    assert 0 < most(40) < 2 * most(4)


@given(data=st.binary(max_size=40), start=st.integers(0, 50), size=st.integers(0, 50), at=st.integers(-60, 60))
def test_a_window_is_a_file_of_its_own(data, start, size, at) -> None:
    inside = data[start : start + size]
    window, same = Window(io.BytesIO(data), offset=start, size=len(inside)), io.BytesIO(inside)
    for whence in (io.SEEK_SET, io.SEEK_CUR, io.SEEK_END):
        place = max(at, 0) if whence == io.SEEK_SET else at
        assert window.seek(place, whence) == same.seek(place, whence) == window.tell()
        assert window.read(7) == same.read(7)
