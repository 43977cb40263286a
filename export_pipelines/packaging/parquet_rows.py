"""Counts the rows of a Parquet file by its footer, without reading any of them.

A file ends with its metadata, their length in four bytes, and ``PAR1`` (Apache Parquet, "File Format").
"""

from collections.abc import Iterable

from export_pipelines.core.errors import IntegrityError

_MAGIC = b"PAR1"
_TAIL = 8
_FOOTER_MAX = 8 << 20
"""Bytes from a file's end that are kept: a footer takes some KB for each of its row groups."""


def count_parquet_rows(chunks: Iterable[bytes]) -> int:
    """How many rows the file has, by its footer; memory is bounded by the footer's size.

    Raises:
        IntegrityError: it is no Parquet file.
    """
    import pyarrow as pa  # noqa: PLC0415  heavy, and most verifications need none of it
    from pyarrow import parquet  # noqa: PLC0415

    tail = _last_bytes(chunks, _FOOTER_MAX)
    size = int.from_bytes(tail[-_TAIL:-4], "little") + _TAIL
    if tail[-4:] != _MAGIC or size > len(tail):
        raise IntegrityError("it does not end like a Parquet file")
    try:
        # A file without any data is enough for its metadata.
        metadata = parquet.read_metadata(pa.BufferReader(_MAGIC + tail[-size:]))
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"its metadata cannot be read ({error})") from error
    groups = sum(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups))
    if groups != metadata.num_rows:
        raise IntegrityError(f"its row groups have {groups} rows, its metadata state {metadata.num_rows}")
    return int(metadata.num_rows)


def _last_bytes(chunks: Iterable[bytes], size: int) -> bytes:
    kept = bytearray()
    for chunk in chunks:
        kept += chunk
        if len(kept) > 2 * size:
            del kept[:-size]
    return bytes(kept[-size:])
