"""A source's rows in their order, read by one connection or by several at once from the same snapshot.

Readers take ranges of the key in turn, each a few megabytes, and are held up when they are too far ahead of the one
whose rows come next. So the rows, and what is made of them, are the same however many read.
"""

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.sources.source import Source, Split

RANGE_ROWS = 1024
"""Rows of one range: 5 MB of transcripts, and a statement of a millisecond before them."""

_BATCH_BYTES = 64 * 1024
_AHEAD_BYTES = 8 << 20
"""What all readers together hold beside the range that is being taken from."""
_OF_CURRENT_BYTES = 1 << 20
_CANCEL_AGAIN_SECONDS = 0.1


def rows_of(snapshot: Snapshot, source: Source, *, readers: int = 1, range_rows: int = RANGE_ROWS) -> Iterator[bytes]:
    """The rows as binary COPY tuples.

    Raises:
        DatabaseUnavailableError: the server is away, or gave up.
    """
    split = source.split
    if split is None or readers < 2 or source.counted_rows <= range_rows:
        yield from snapshot.copy(source.whole, source.params)
        return
    found = snapshot.rows(split.boundaries, {**source.params, "range_rows": range_rows})
    ranges = list(_ranges(source, split, found))
    yield from _Readers(snapshot, ranges).in_order(min(readers, len(ranges)))


def first_rows(snapshot: Snapshot, source: Source, *, most: int, most_bytes: int) -> list[bytes]:
    """The rows that come first, as binary COPY tuples: ``most`` of them, or fewer once they take ``most_bytes``.

    Raises:
        DatabaseUnavailableError: the server is away, or gave up.
    """
    found: list[bytes] = []
    held = 0
    for row in snapshot.copy(f"{source.whole}\nLIMIT {most:d}", source.params):
        found.append(row)
        held += len(row)
        if held >= most_bytes:
            break
    return found


@dataclass(kw_only=True)
class _Range:
    """A run of rows: how to read it, and what was read and not yet taken."""

    sql: str
    params: Mapping[str, Any]
    batches: deque[tuple[list[bytes], int]] = field(default_factory=deque)
    held: int = 0
    ended: bool = False


def _ranges(source: Source, split: Split, boundaries: list[dict[str, Any]]) -> Iterator[_Range]:
    """The first range has no beginning and the last no end, so that together they leave nothing out."""
    last = len(boundaries) - 1
    for number, begin in enumerate(boundaries):
        params = {**source.params, **_named("from", begin)}
        if number < last:
            params |= _named("to", boundaries[number + 1])
        yield _Range(sql=split.statement(source.sql, begins=number > 0, ends=number < last), params=params)


def _named(prefix: str, key: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in key.items()}


class _StoppedError(Exception):
    """Unwinds a reader that nobody listens to any more."""


class _Readers:
    """Threads that read ranges in turn, and the one place where their rows come together."""

    def __init__(self, snapshot: Snapshot, ranges: list[_Range]) -> None:
        self._snapshot = snapshot
        self._ranges = ranges
        self._changed = threading.Condition()
        self._begun = 0
        self._current = 0
        self._ahead = 0
        self._stopped = False
        self._error: BaseException | None = None

    def in_order(self, readers: int) -> Iterator[bytes]:
        """All rows; the readers have ended when this has, however it ends."""
        with ThreadPoolExecutor(max_workers=readers, thread_name_prefix="reader") as pool:
            reading: list[Future[None]] = []
            # Leaving the pool waits for the readers: wherever this thread is interrupted, they have to hear of it.
            try:
                for _ in range(readers):
                    reading.append(pool.submit(self._read))
                    reading[-1].add_done_callback(self._reader_ended)
                for number, range_ in enumerate(self._ranges):
                    self._go_on_to(number)
                    while (batch := self._taken(range_)) is not None:
                        yield from batch
            finally:
                self._stop(reading)

    def _go_on_to(self, number: int) -> None:
        with self._changed:
            if number != self._current:
                self._current = number
                self._ahead -= self._ranges[number].held
                self._changed.notify_all()

    def _taken(self, range_: _Range) -> list[bytes] | None:
        """The next batch of the range, None behind its last."""
        with self._changed:
            while not range_.batches and not range_.ended and self._error is None:
                self._changed.wait()
            if self._error is not None:
                raise self._error
            if not range_.batches:
                return None
            batch, size = range_.batches.popleft()
            range_.held -= size
            self._changed.notify_all()
            return batch

    def _stop(self, reading: Sequence[Future[None]]) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            at_work = not all(range_.ended for range_ in self._ranges)
        while at_work:
            # Again and again, since a reader may be on its way to its next statement just now.
            self._snapshot.cancel_readers()
            at_work = bool(wait(reading, timeout=_CANCEL_AGAIN_SECONDS).not_done)

    def _read(self) -> None:
        with self._snapshot.reader() as reader:
            while (number := self._next()) is not None:
                self._read_range(reader, number)

    def _reader_ended(self, reader: Future[None]) -> None:
        with self._changed:
            self._error = self._error or reader.exception()
            self._changed.notify_all()

    def _next(self) -> int | None:
        with self._changed:
            if self._stopped or self._begun == len(self._ranges):
                return None
            self._begun += 1
            return self._begun - 1

    def _read_range(self, reader: Snapshot, number: int) -> None:
        range_ = self._ranges[number]
        batch: list[bytes] = []
        size = 0
        for row in reader.copy(range_.sql, range_.params):
            batch.append(row)
            size += len(row)
            if size >= _BATCH_BYTES:
                self._put(number, batch, size)
                batch, size = [], 0
        self._put(number, batch, size)
        with self._changed:
            range_.ended = True
            self._changed.notify_all()

    def _put(self, number: int, batch: list[bytes], size: int) -> None:
        range_ = self._ranges[number]
        with self._changed:
            while not self._stopped and not self._has_room(number):
                self._changed.wait()
            if self._stopped:
                raise _StoppedError
            range_.batches.append((batch, size))
            range_.held += size
            if number != self._current:
                self._ahead += size
            self._changed.notify_all()

    def _has_room(self, number: int) -> bool:
        """The range that comes next always has some, or everybody would wait for everybody."""
        if number == self._current:
            return self._ranges[number].held < _OF_CURRENT_BYTES
        return self._ahead < _AHEAD_BYTES
