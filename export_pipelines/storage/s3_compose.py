"""Joining staged runs of bytes into one S3 object: copied by the server where its rules allow it."""

import logging
from collections.abc import Callable, Iterator, Sequence

from export_pipelines.core.frozen import Segment
from export_pipelines.storage.s3_plan import MIN_PART_BYTES, PlannedPart, joined, pieces, plan_parts, size_of
from export_pipelines.storage.s3_upload import CopyUnsupportedError, Target, multipart, put
from export_pipelines.storage.s3_writer import PART_BYTES, s3_writer

logger = logging.getLogger(__name__)

Read = Callable[[Segment], bytes]
"""Fetches a run of bytes from the store, whole or not at all."""


def compose(target: Target, segments: Sequence[Segment], *, read: Read, full_key: Callable[[str], str]) -> None:
    """Publish the segments as one object, all at once.

    Args:
        target: the object.
        segments: checked to lie within their objects.
        read: for the runs too small to be copied.
        full_key: a segment's key as the bucket knows it.
    """
    parts = plan_parts(segments)
    if len(parts) < 2 and size_of(segments) < MIN_PART_BYTES:
        put(target, b"".join(map(read, joined(segments))))
        return
    try:
        _copy(target, parts, read=read, full_key=full_key)
    except CopyUnsupportedError:
        logger.warning("the S3 server copies no parts, so %s passes through this process", target.key)
        _pass_through(target, segments, read=read)


def _copy(target: Target, parts: Sequence[PlannedPart], *, read: Read, full_key: Callable[[str], str]) -> None:
    with multipart(target) as upload:
        for part in parts:
            if len(part) == 1 and part[0].size >= MIN_PART_BYTES:
                upload.copy(full_key(part[0].key), part[0])
            else:
                upload.send(_reader(part, read))


def _reader(part: PlannedPart, read: Read) -> Callable[[], bytes]:
    return lambda: b"".join(map(read, part))


def _pass_through(target: Target, segments: Sequence[Segment], *, read: Read) -> None:
    with s3_writer(target, key=target.key) as writer:
        for piece in _small_pieces(segments):
            writer.write(read(piece))


def _small_pieces(segments: Sequence[Segment]) -> Iterator[Segment]:
    for run in joined(segments):
        yield from pieces(run, maximum=PART_BYTES)
