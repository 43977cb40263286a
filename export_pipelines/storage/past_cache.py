"""Writing a large file past the system's page cache, where the file system has a way past it.

A file that nobody reads soon only drives other things out of the cache, the database's among them, and copying it
there is dear: 2.2 GB took 0.5 to 3.8 s of the processor through the cache, and 0.1 s past it.
"""

import errno
import fcntl
import mmap
import os
from typing import Protocol

from export_pipelines.storage.tally import Bytes

PIECE_BYTES = 2 << 20
"""What is written at once: whole pages and blocks of any system, in memory and in the file."""

_PAST_CACHE = getattr(os, "O_DIRECT", 0)
_NO_WAY_PAST = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What file systems without one say, to the flag or to the first write."""


class Sink(Protocol):
    """What takes bytes."""

    def write(self, data: Bytes, /) -> int:
        """Take all of them."""
        ...


class PastCache:
    """Collects whole pieces for an open, empty file; the last, which seldom is whole, goes through the cache."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # Memory that begins with a page, as a way past the cache needs it.
        self._piece = mmap.mmap(-1, PIECE_BYTES)
        self._filled = 0
        self._is_past = False
        self._tried = False

    def write(self, data: Bytes, /) -> int:
        """Take all of the bytes."""
        view = memoryview(data).cast("B")
        at, size = 0, len(view)
        while at < size:
            count = min(PIECE_BYTES - self._filled, size - at)
            self._piece[self._filled : self._filled + count] = view[at : at + count]
            self._filled += count
            at += count
            if self._filled == PIECE_BYTES:
                self._write_piece()
        return size

    def finish(self) -> None:
        """Write the rest; the file is whole then, though not yet safe from a power cut."""
        self._switch(past=False)
        self._write_piece()
        self._piece.close()

    def _write_piece(self) -> None:
        if not self._tried and self._filled == PIECE_BYTES:
            self._tried = True
            self._switch(past=True)
        with memoryview(self._piece)[: self._filled] as piece:
            at = 0
            while at < len(piece):
                at += self._write_from(piece, at)
        self._filled = 0

    def _write_from(self, piece: memoryview, at: int) -> int:
        if at:
            # Whatever cut the piece short, a signal or a quota, the rest need not begin with a page.
            self._switch(past=False)
        try:
            return os.write(self._descriptor, piece[at:])
        except OSError as error:
            if not self._is_past or error.errno not in _NO_WAY_PAST:
                raise
            self._switch(past=False)
            return 0

    def _switch(self, *, past: bool) -> None:
        if past == self._is_past or not _PAST_CACHE:
            return
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags | _PAST_CACHE if past else flags & ~_PAST_CACHE)
        except OSError as error:
            if not past or error.errno not in _NO_WAY_PAST:
                raise
            return
        self._is_past = past
