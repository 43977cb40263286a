"""Fields of binary COPY tuples, a column at a time, as Arrow arrays; no object is built for a single value.

Arrays are made of buffers here and not by ``pyarrow.array``, which imports pandas wherever it is installed: half a
second and 55 MiB that no renderer needs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport

Fields = Sequence[bytes | memoryview | None]
"""One column of many rows."""

TYPES = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
}
"""Arrow's types by the names that the schema document gives them."""

_TO_2000 = 946_684_800_000_000
"""Microseconds from 1970, where Parquet's times begin, to 2000, where PostgreSQL's do."""
_MINUS_INFINITY = -(1 << 63)
# The last time of 64 bits is no time to some readers: DuckDB takes it for infinity.
_TOO_LATE = (1 << 63) - 1 - _TO_2000


def texts(column: Fields, name: str) -> Any:  # noqa: ANN401  pyarrow has no types
    """``text`` fields; their UTF-8 is checked.

    Raises:
        IntegrityError: a text is not UTF-8.
    """
    null = _null(column)
    filled = column if null is None else [b"" if field is None else field for field in column]
    ends = np.cumsum(np.fromiter(map(len, filled), np.int32, len(filled)), dtype=np.int32)  # type: ignore[arg-type]
    offsets = np.concatenate((np.zeros(1, np.int32), ends))
    array = _array(pa.binary(), null, len(filled), offsets, b"".join(filled))  # type: ignore[arg-type]  # none is None
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid as error:
        raise IntegrityError(f"column {name} of the frozen rows is not UTF-8; read the database with UTF-8.") from error


def numbers(column: Fields, name: str, *, type_: str) -> Any:  # noqa: ANN401
    """``int4`` fields as ``int32``, ``int8`` as ``int64``, ``float8`` as ``double``, bit by bit."""
    null = _null(column)
    values = _values(column, name, f"{'f' if type_ == 'double' else 'i'}{TYPES[type_].bit_width // 8}")
    return _array(TYPES[type_], null, len(column), values)


def timestamps(column: Fields, name: str, *, ids: Sequence[bytes], report: FidelityReport) -> Any:  # noqa: ANN401
    """``timestamptz`` fields; what has no place among Parquet's times is null, and noted with its row's id."""
    null, values = _null(column), _values(column, name, "i8")
    outside = (values == _MINUS_INFINITY) | (values >= _TOO_LATE)
    if outside.any():
        detail = "the table's times have no infinity and end in the year 294246; null stands for it"
        for row in np.flatnonzero(outside).tolist():
            report.note("timestamp_out_of_range", f"column {name}", detail, example=ids[row].decode())
        null = outside if null is None else null | outside
        values[outside] = 0
    return _array(TYPES["timestamp[us, UTC]"], null, len(column), values + _TO_2000)


def scores(values: Sequence[float | None], type_: str) -> Any:  # noqa: ANN401
    """Scores as ``int64`` or ``double``."""
    null = _null(values)
    kind = np.int64 if type_ == "int64" else np.float64
    return _array(TYPES[type_], null, len(values), np.array([0 if value is None else value for value in values], kind))


def places(values: Sequence[int | None]) -> Any:  # noqa: ANN401
    """Places in another array, to be looked up there; nothing is found at None."""
    return scores(values, "int64")


def _null(column: Sequence[object]) -> Any:  # noqa: ANN401  numpy's arrays of bool
    """Which values are None; None when no one is."""
    return np.fromiter((field is None for field in column), bool, len(column)) if None in column else None


def _values(column: Fields, name: str, kind: str) -> Any:  # noqa: ANN401
    """The numbers in the machine's own order of bytes, 0 for NULL."""
    width = int(kind[1:])
    nothing = bytes(width)
    filled = [nothing if field is None else field for field in column] if None in column else column
    if not set(map(len, filled)) <= {width}:  # type: ignore[arg-type]  # no None is left in it
        raise IntegrityError(f"a frozen row is damaged ({name} is not of {width} bytes); start the export again.")
    return np.frombuffer(b"".join(filled), f">{kind}").astype(kind)  # type: ignore[arg-type]


def _array(type_: Any, null: Any, count: int, *data: Any) -> Any:  # noqa: ANN401
    valid = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(type_, count, [valid, *map(pa.py_buffer, data)])
