"""Arrow tables to Parquet files: one row group a table, the same bytes for the same rows.

Nothing in a file depends on machine or moment: no times, no paths; ``created_by`` is the name and version of the
library, which the lock file pins. Arrow's own copy of the schema is left out, since every type here is Parquet's own.
"""

import io
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from pyarrow import parquet

GROUPS_A_FILE = 10
"""Row groups in one file, which is held in memory until it is whole: 40 MiB of frozen rows.

A shard of the usual size makes two; one of twice the size takes 10 MiB more memory.
"""

_NO_DICTIONARY = frozenset({"transcript_id", "created_at", "target_response", "content"})
"""Columns whose values hardly repeat; a dictionary of them would be made and thrown away."""


def write_files(tables: Iterator[Any], schema: Any) -> Iterator[tuple[bytes, int]]:  # noqa: ANN401  pyarrow has no types
    """The files with their numbers of rows; at least one, so that there always is a schema to read.

    A table is compressed by a thread of its own while the next is made: neither needs the interpreter for long.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        table = next(tables, None)
        while True:
            file = _File(schema, pool)
            for _ in range(GROUPS_A_FILE):
                if table is None:
                    break
                file.add(table)
                table = next(tables, None)
            yield file.finish()
            if table is None:
                return


class _File:
    """One file as it grows."""

    def __init__(self, schema: Any, pool: ThreadPoolExecutor) -> None:  # noqa: ANN401
        self._bytes = io.BytesIO()
        self._pool = pool
        self._rows = 0
        self._writing: Future[None] | None = None
        self._writer = parquet.ParquetWriter(
            self._bytes,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in schema.names if name not in _NO_DICTIONARY],
            store_schema=False,
        )

    def add(self, table: Any) -> None:  # noqa: ANN401
        """Begin to write a row group, once the one before is written."""
        self._wait()
        self._rows += table.num_rows
        self._writing = self._pool.submit(self._writer.write_table, table, row_group_size=table.num_rows)

    def finish(self) -> tuple[bytes, int]:
        """The file, and how many rows it has."""
        self._wait()
        self._writer.close()
        return self._bytes.getvalue(), self._rows

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
