"""How a file begins, as a table for people: every cell in its place, whatever it holds."""

import csv
import io
import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from export_pipelines.packaging.beginnings import CELL_CHARACTERS, csv_beginning, jsonl_beginning, parquet_beginning

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_a_tables_cells_come_as_they_were_written(rows: list[tuple[str, str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
    for mark in ("utf-8", "utf-8-sig"):
        found = csv_beginning(written.getvalue().encode(mark))
        assert (found.columns, *found.rows) == tuple(rows)


def test_long_cells_are_cut_and_larger_ones_than_the_csv_module_takes_by_itself_are_read() -> None:
    found = csv_beginning(b'a,b\r\n"' + b"x" * 500_000 + b'",1\r\n')
    assert found.rows == (("x" * CELL_CHARACTERS + "…", "1"),)


def test_lines_show_the_names_of_the_first_and_values_as_json() -> None:
    lines = [{"id": "1", "n": 1.5, "at": None, "more": {"é": [1]}}, {"id": "2", "other": 1}]
    found = jsonl_beginning("\n".join(map(json.dumps, lines)).encode() + b'\n{"id": "\\ud800"}\n')
    assert found.columns == ("id", "n", "at", "more")
    assert found.rows == (("1", "1.5", None, '{"é": [1]}'), ("2", None, None, None), ("?", None, None, None))
    assert jsonl_beginning(b"").columns == ()


def test_a_parquet_file_shows_its_columns_in_order_and_times_beyond_pythons() -> None:
    times = pa.array([253402300800000000, None], pa.timestamp("us", tz="UTC"))
    table = pa.table({"id": ["a", "b"], "at": times, "n": [1, None], "flag": [True, False]})
    out = io.BytesIO()
    parquet.write_table(table, out)
    found = parquet_beginning(out.getvalue())
    assert found.columns == ("id", "at", "n", "flag")
    assert found.rows[0][1] is not None
    assert found.rows[0][1].startswith("10000-01-01")
    assert [row[:1] + row[2:] for row in found.rows] == [("a", "1", "true"), ("b", None, "false")]


def test_an_empty_parquet_file_has_columns_and_no_rows() -> None:
    out = io.BytesIO()
    parquet.write_table(pa.table({"id": pa.array([], pa.string())}), out)
    assert parquet_beginning(out.getvalue()).columns == ("id",)
    assert parquet_beginning(out.getvalue()).rows == ()
