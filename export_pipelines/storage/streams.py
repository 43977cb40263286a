"""Reading from a store as an ordinary binary file: a bounded run of bytes, with the store's errors translated."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from export_pipelines.core.errors import ValidationError

BUFFER_BYTES = 256 * 1024

Guard = Callable[[], AbstractContextManager[None]]
"""Makes a context in which the store's own exceptions become ours."""


class Source(Protocol):
    """Anything that fills a buffer."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read up to the buffer's size; 0 at the end."""
        ...


class _BoundedReader(io.RawIOBase):
    """The next ``size`` bytes of a source, or all that are left."""

    def __init__(self, source: Source, *, size: int | None, guard: Guard) -> None:
        self._source = source
        self._left = size
        self._guard = guard

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # typeshed's Buffer needs 3.12 to view
        view = memoryview(buffer)
        if self._left is not None:
            view = view[: self._left]
        with self._guard():
            count = self._source.readinto(view) if len(view) else 0
        taken = count or 0
        if self._left is not None:
            self._left -= taken
        return taken


def bounded(source: Source, *, size: int | None, guard: Guard) -> BinaryIO:
    """A buffered file over the source that ends after ``size`` bytes; None reads to the end."""
    return io.BufferedReader(_BoundedReader(source, size=size, guard=guard), BUFFER_BYTES)


def check_range(key: str, *, offset: int, size: int | None) -> None:
    """Refuse a range no object has.

    Raises:
        ValidationError: offset or size is negative.
    """
    if offset < 0 or (size is not None and size < 0):
        raise ValidationError(f"The range of {key} begins at {offset} for {size} bytes; neither may be negative.")
