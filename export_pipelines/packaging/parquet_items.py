"""The rows of a Parquet file as items to compare, a row group's share at a time."""

import io
import math
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.records import PART, RECORD, Item

COLUMNS = "columns"
"""The id of the part that says which columns there are."""

_DOCUMENT = "content"
"""The column of JSON text: where it differs, its own fields are named."""
_ROWS_AT_ONCE = 256
_EXACT = 1 << 53
"""Up to here a double that is a whole number is that number and no other."""


def parquet_items(source: BinaryIO | io.RawIOBase, *, id_name: str) -> Iterator[Item]:
    """The columns as one part, then every row by its id; memory is bounded by a row group.

    Cells without a value are left out, and a number is the same number as ``int64`` and as ``double``: so a new, empty
    column changes no row, and neither does a column that took its first fraction.

    Args:
        source: the file, seekable; is left open.
        id_name: the column that is the id.

    Raises:
        IntegrityError: it is no Parquet file, or has no such column.
    """
    import pyarrow as pa  # noqa: PLC0415  heavy, and most verifications need none of it
    from pyarrow import parquet  # noqa: PLC0415

    try:
        file = parquet.ParquetFile(source, pre_buffer=False)
        schema = file.schema_arrow
        if id_name not in schema.names:
            raise IntegrityError(f"the table has no column {id_name}")
        yield Item(kind=PART, id=COLUMNS, data=orjson.dumps({field.name: str(field.type) for field in schema}))
        for group in range(file.num_row_groups):
            # One by one: a batch that is asked of the whole file may span many groups of long rows.
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, row_groups=[group], use_threads=False):
                for row in _comparable(batch, pa).to_pylist():
                    yield Item(kind=RECORD, id=row[id_name], data=_row(row))
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"the table cannot be read ({error})") from error


def _comparable(batch: Any, pa: Any) -> Any:  # noqa: ANN401  pyarrow has no types
    """The batch with times as numbers: Python's own end with the year 9999."""
    columns = [
        column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column for column in batch.columns
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _row(row: Mapping[str, Any]) -> bytes:
    cells = {name: _cell(value) for name, value in row.items() if value is not None}
    document = cells.get(_DOCUMENT)
    if isinstance(document, str):
        cells[_DOCUMENT] = orjson.Fragment(document)
    return orjson.dumps(cells)


def _cell(value: object) -> object:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        # JSON has no such numbers; null would hide that one became another.
        return str(value)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


class Window(io.RawIOBase):
    """A run of bytes of a file as a file of its own; both move the same position, so one is read at a time."""

    def __init__(self, source: BinaryIO, *, offset: int, size: int) -> None:
        super().__init__()
        self._source = source
        self._offset = offset
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def seekable(self) -> bool:
        """Parquet is read from its end."""
        return True

    def tell(self) -> int:
        """Bytes from where the run begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a byte of the run."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what BufferedReader passes
        """Fill the buffer as far as the run goes."""
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._source.seek(self._offset + self._at)
        data = self._source.read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
