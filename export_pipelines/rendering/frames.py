"""Binary COPY tuples, from a stream cut anywhere, into rows.

A tuple is an int16 number of fields, then for each field an int32 length and that many bytes; length -1 is NULL
(PostgreSQL documentation, COPY, "Binary Format"). Frozen shards hold tuples only: no signature, no header, no trailer.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import chain

from export_pipelines.core.errors import IntegrityError
from export_pipelines.rendering.base import Row

BLOCK_BYTES = 1 << 18
"""Smaller chunks are gathered to blocks of this size, so that few rows are cut and read twice."""

_count_at = struct.Struct(">h").unpack_from
_length_at = struct.Struct(">i").unpack_from


def read_frames(chunks: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a stream, in memory bounded by its longest row.

    Raises:
        IntegrityError: the stream ends inside a row, or is no run of tuples of one width.
    """
    stream = iter(chunks)
    rest, width, done = b"", None, 0
    while block := _next_block(stream, rest):
        reader = _Block(block, width=width, first_row=done)
        yield from reader
        rest, width, done = block[reader.read :], reader.width, reader.row
    if rest:
        raise IntegrityError(
            f"the frozen rows end inside row {done}, with {len(rest)} bytes left over; the shard is damaged, start the "
            "export again."
        )


def _next_block(stream: Iterator[bytes], rest: bytes) -> bytes:
    """``rest`` and what follows it, empty at the end; at least doubled, so that a huge row is not re-read for ever."""
    wanted = max(BLOCK_BYTES, len(rest))
    gathered: list[bytes] = []
    size = 0
    for chunk in stream:
        gathered.append(chunk)
        size += len(chunk)
        if size >= wanted:
            break
    return b"".join(chain((rest,), gathered)) if size else b""


class _Block:
    """The whole rows of one block.

    Attributes:
        read: bytes that the rows given out so far took.
        row: number of the next row in the stream, from 0.
        width: fields of every row, None before the first.
    """

    def __init__(self, data: bytes, *, width: int | None, first_row: int) -> None:
        self.read = 0
        self.row = first_row
        self.width = width
        self._data = data

    def __iter__(self) -> Iterator[Row]:
        # The one loop that every byte of an export goes through: no calls but the two unpackers, no checks but one a
        # field. A slice beyond the end is merely short, so that the end is looked at once a row.
        data, end, position = self._data, len(self._data), 0
        try:
            while True:
                (width,) = _count_at(data, position)
                if width != self.width:
                    self._first_width(width)
                position += 2
                fields: list[bytes | None] = []
                add = fields.append
                for _ in range(width):
                    (length,) = _length_at(data, position)
                    position += 4
                    if length < 0:
                        self._check_null(length)
                        add(None)
                    else:
                        after = position + length
                        add(data[position:after])
                        position = after
                if position > end:
                    return
                self.read = position
                self.row += 1
                yield tuple(fields)
        except struct.error:
            return  # The block ends inside a number: the row is continued in the next block.

    def _first_width(self, width: int) -> None:
        if self.width is not None or width < 1:
            raise self._malformed(f"has {width} fields, where {self.width or 'at least 1'} belong")
        self.width = width

    def _check_null(self, length: int) -> None:
        if length != -1:
            raise self._malformed(f"has a field of length {length}")

    def _malformed(self, what: str) -> IntegrityError:
        return IntegrityError(
            f"row {self.row} of the frozen rows {what}; the shard is damaged, start the export again."
        )
