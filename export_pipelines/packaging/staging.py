"""The little that packaging asks of storage: take bytes for a new object, read a run of bytes of an old one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Segment, StagedObject

CHUNK_BYTES = 256 * 1024


class Writer(Protocol):
    """Takes bytes, in order."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take more bytes."""
        ...


class StagingWriter(Writer, Protocol):
    """A writer whose bytes become an object in staging when its ``with`` block ends well."""

    @property
    def staged(self) -> StagedObject:
        """Key, size and SHA-256; asked for only after the block."""
        ...


Stage = Callable[[str], AbstractContextManager[StagingWriter]]
"""Opens a new object in this attempt's staging; the name is its last component, like ``archive-directory``."""

OpenSegment = Callable[[Segment], AbstractContextManager[BinaryIO]]
"""Opens a run of bytes of a staged object: ``lambda s: store.open(s.key, offset=s.offset, size=s.size)``."""


def whole(staged: StagedObject) -> Segment:
    """All of a staged object, or of the run of bytes that is meant."""
    return Segment(key=staged.key, offset=staged.offset, size=staged.size)


def chunks_of(source: BinaryIO, *, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """What is left to read, in chunks."""
    while chunk := source.read(size):
        yield chunk


def read_segment(open_segment: OpenSegment, segment: Segment, *, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The segment's bytes in chunks, never more and never fewer than it states.

    Raises:
        IntegrityError: the object ends too early, or goes on too long.
    """
    left = segment.size
    with open_segment(segment) as source:
        while left and (chunk := source.read(min(left, chunk_bytes))):
            left -= len(chunk)
            yield chunk
    if left:
        raise IntegrityError(
            f"Staged object {segment.key} ends {left} bytes before the end of bytes {segment.offset} to "
            f"{segment.offset + segment.size}, which the file is made of; run the export again."
        )
