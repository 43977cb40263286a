"""Rows are counted by the footer alone, and what is no Parquet file is told."""

import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.parquet_rows import count_parquet_rows


def table_of(groups: list[int]) -> bytes:
    file = io.BytesIO()
    schema = pa.schema([("n", pa.int32()), ("text", pa.string())])
    with parquet.ParquetWriter(file, schema) as writer:
        for rows in groups:
            writer.write_table(pa.table({"n": range(rows), "text": ["x" * 50] * rows}, schema))
    return file.getvalue()


@given(groups=st.lists(st.integers(1, 9), max_size=4), cut=st.integers(1, 99))
def test_rows_of_all_row_groups_are_counted_however_the_file_comes(groups, cut) -> None:
    data = table_of(groups)
    assert count_parquet_rows(data[at : at + cut] for at in range(0, len(data), cut)) == sum(groups)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\xff" * 4 + b"PAR1", table_of([3])[:-1]])
def test_what_does_not_end_like_one_is_refused(data) -> None:
    with pytest.raises(IntegrityError, match="does not end like a Parquet file"):
        count_parquet_rows([data])


def test_a_footer_that_says_nothing_is_refused() -> None:
    with pytest.raises(IntegrityError, match="its metadata cannot be read"):
        count_parquet_rows([b"PAR1" + b"\xff" * 20 + (20).to_bytes(4, "little") + b"PAR1"])
