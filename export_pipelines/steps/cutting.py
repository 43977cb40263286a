"""Cutting a stream of rows into shards: at row boundaries, by bytes, whoever reads them."""

from collections.abc import Iterable, Iterator
from typing import Protocol


class OnBatch(Protocol):
    """Hears of every batch that went into a shard."""

    def __call__(self, *, rows: int, size: int) -> None:
        """So many more rows, of so many bytes."""
        ...


class RowStream:
    """The rows that are still to come; knows whether there is one without taking it."""

    def __init__(self, rows: Iterable[bytes], *, on_batch: OnBatch) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)
        self.on_batch = on_batch

    @property
    def has_more(self) -> bool:
        """Whether a row is left."""
        return self._next is not None

    def take(self) -> bytes:
        """The next row."""
        row = self._next
        if row is None:
            raise StopIteration
        self._next = next(self._rows, None)
        return row


class Cut:
    """One shard's worth of the stream, in runs of about ``batch_bytes``; may be gone through once.

    Attributes:
        rows, bytes: what went through so far.
    """

    def __init__(self, stream: RowStream, *, limit: int, batch_bytes: int) -> None:
        self.rows = 0
        self.bytes = 0
        self._stream = stream
        self._limit = limit
        self._batch_bytes = batch_bytes

    def __iter__(self) -> Iterator[bytes]:
        stream = self._stream
        while stream.has_more and self.bytes < self._limit:
            yield self._batch()

    def _batch(self) -> bytes:
        stream, batch, held = self._stream, [], 0
        while stream.has_more and held < self._batch_bytes and self.bytes + held < self._limit:
            row = stream.take()
            batch.append(row)
            held += len(row)
        self.rows += len(batch)
        self.bytes += held
        stream.on_batch(rows=len(batch), size=held)
        return b"".join(batch)


def cuts(stream: RowStream, *, limit: int, batch_bytes: int) -> Iterator[Cut]:
    """The stream as shards of at most about ``limit`` bytes; each has to be gone through before the next.

    Even a stream without rows gives one shard, an empty one.
    """
    first = True
    while first or stream.has_more:
        first = False
        yield Cut(stream, limit=limit, batch_bytes=batch_bytes)
