"""Binary COPY: one whole tuple a row, whatever the rows hold."""

import json
import math
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from export_pipelines.db.copying import tuples
from export_pipelines.db.sources.source import typed
from export_pipelines_tests.db.binary import read_tuple, read_tuples

COLUMNS = typed(t="text", j="jsonb", i="int4", b="int8", f="float8", o="bool", z="timestamptz")
COPY = """
COPY (
    SELECT v.t::text, v.j::jsonb, v.i::int4, v.b::int8, v.f::float8, v.o::bool, v.z::timestamptz
    FROM (VALUES (0, %(t)s, %(j)s, %(i)s, %(b)s, %(f)s, %(o)s, %(z)s), (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL))
        v (n, t, j, i, b, f, o, z)
    ORDER BY n
) TO STDOUT (FORMAT BINARY)
"""

# What PostgreSQL can hold: no NUL, and in Python's str no lone surrogate.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=200)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
rows = st.fixed_dictionaries(
    {
        "t": texts,
        "j": values.map(Jsonb),
        "i": st.integers(-(2**31), 2**31 - 1),
        "b": st.integers(-(2**63), 2**63 - 1),
        # There are many NaNs in a float, but one in SQL.
        "f": st.floats().map(lambda number: math.nan if math.isnan(number) else number),
        "o": st.booleans(),
        "z": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
    }
)


@pytest.fixture(scope="module")
def connection(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as opened:
        yield opened


@settings(max_examples=150, deadline=None)
@given(row=rows)
def test_every_type_and_value_comes_through(connection: psycopg.Connection[Any], row: dict[str, Any]) -> None:
    # A number in a statement would be numeric first, which has no -0.0.
    written = {**row, "f": repr(row["f"])}
    first, second = read_tuples(tuples(connection, COPY, written), COLUMNS)
    assert set(second.values()) == {None}
    # Bits, because NaN is not equal to itself and -0.0 is equal to 0.0.
    assert struct.pack("!d", first.pop("f")) == struct.pack("!d", row["f"])
    expected = {name: value.obj if isinstance(value, Jsonb) else value for name, value in row.items() if name != "f"}
    # JSONB has no -0.0, and writes 1e+22 in full.
    assert json.loads(json.dumps(first.pop("j")), parse_int=float) == json.loads(
        json.dumps(expected.pop("j")), parse_int=float
    )
    assert first == expected


@pytest.mark.parametrize("count", [0, 1, 2, 10_000])
def test_as_many_tuples_come_as_there_are_rows(connection: psycopg.Connection[Any], count: int) -> None:
    copy = f"COPY (SELECT i::int8 AS i FROM generate_series(1, {count}) i) TO STDOUT (FORMAT BINARY)"
    got = read_tuples(tuples(connection, copy, None), typed(i="int8"))
    assert [row["i"] for row in got] == list(range(1, count + 1))


def test_a_row_of_many_megabytes_is_one_tuple(connection: psycopg.Connection[Any]) -> None:
    copy = "COPY (SELECT repeat('ä', 20000000) AS t) TO STDOUT (FORMAT BINARY)"
    (message,) = tuples(connection, copy, None)
    assert read_tuple(message, typed(t="text")) == {"t": "ä" * 20_000_000}


def test_rows_without_columns_are_rows(connection: psycopg.Connection[Any]) -> None:
    copy = "COPY (SELECT FROM generate_series(1, 3)) TO STDOUT (FORMAT BINARY)"
    assert list(tuples(connection, copy, None)) == [b"\x00\x00"] * 3


def test_a_field_that_looks_like_the_trailer_is_no_trailer(connection: psycopg.Connection[Any]) -> None:
    copy = "COPY (SELECT (-1)::int4 AS i FROM generate_series(1, 3)) TO STDOUT (FORMAT BINARY)"
    assert read_tuples(tuples(connection, copy, None), typed(i="int4")) == [{"i": -1}] * 3


@pytest.mark.parametrize("hostile", ["'; DROP TABLE x; --", "\\'", '"', "%s %(t)s %%", "$1", "{evaluation}", "\\x00"])
def test_parameters_are_quoted(connection: psycopg.Connection[Any], hostile: str) -> None:
    copy = "COPY (SELECT %(t)s::text AS t) TO STDOUT (FORMAT BINARY)"
    assert read_tuples(tuples(connection, copy, {"t": hostile}), typed(t="text")) == [{"t": hostile}]


def test_an_error_in_the_middle_of_the_stream_is_raised(connection: psycopg.Connection[Any]) -> None:
    copy = "COPY (SELECT 1 / (5 - i) FROM generate_series(1, 9) i) TO STDOUT (FORMAT BINARY)"
    with pytest.raises(psycopg.errors.DivisionByZero):
        list(tuples(connection, copy, None))


def test_another_format_is_noticed(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.DataError, match="signature"):
        list(tuples(connection, "COPY (SELECT 1) TO STDOUT", None))
