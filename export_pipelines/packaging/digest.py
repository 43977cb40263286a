"""SHA-256 of a file that exists as segments only, reading ahead while hashing."""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from export_pipelines.core.frozen import Segment
from export_pipelines.packaging.codecs import blocks
from export_pipelines.packaging.staging import OpenSegment, read_segment

_BLOCK_BYTES = 1024 * 1024


def read_ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks (none of them empty), the next one read by a thread of its own while the last is worked on."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        ahead = pool.submit(next, chunks, b"")
        while chunk := ahead.result():
            ahead = pool.submit(next, chunks, b"")
            yield chunk


def segment_chunks(open_segment: OpenSegment, segments: Iterable[Segment]) -> Iterator[bytes]:
    """The file's bytes in chunks."""
    for segment in segments:
        yield from read_segment(open_segment, segment)


def sha256_of(open_segment: OpenSegment, *, segments: Iterable[Segment]) -> str:
    """Hex digest of the file that the segments make up; ``open_segment`` is called from another thread.

    Raises:
        IntegrityError: a staged object is shorter than a segment says.
    """
    digest = hashlib.sha256()
    # Large blocks, since handing one over costs about as much as hashing 100 KB.
    for block in read_ahead(blocks(segment_chunks(open_segment, segments), _BLOCK_BYTES)):
        digest.update(block)
    return digest.hexdigest()
