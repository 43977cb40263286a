"""Joining staged runs of bytes into one S3 object: copied by the server where its rules allow it."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from export_pipelines.core.frozen import Segment
from export_pipelines.storage.s3_plan import (
    COPY_BYTES,
    MIN_PART_BYTES,
    PlannedPart,
    joined,
    pieces,
    plan_parts,
    size_of,
    with_tails,
)
from export_pipelines.storage.s3_upload import CopyUnsupportedError, Target, multipart, put
from export_pipelines.storage.s3_writer import PART_BYTES, s3_writer

logger = logging.getLogger(__name__)

Read = Callable[[Segment], bytes]
"""Fetches a run of bytes from the store, whole or not at all."""


def compose(
    target: Target,
    segments: Sequence[Segment],
    *,
    sizes: Mapping[str, int],
    read: Read,
    full_key: Callable[[str], str],
) -> None:
    """Publish the segments as one object, all at once.

    Args:
        target: the object.
        segments: checked to lie within their objects.
        sizes: of those objects, by key.
        read: for the runs too small to be copied.
        full_key: a segment's key as the bucket knows it.
    """
    runs = joined(segments)
    if size_of(runs) < MIN_PART_BYTES:
        put(target, b"".join(map(read, runs)))
        return
    try:
        whole = list(_with_tails_attached(target, runs, sizes=sizes, read=read, full_key=full_key))
        _copy(target, plan_parts(whole), read=read, full_key=full_key)
    except CopyUnsupportedError:
        logger.warning("the S3 server copies no parts, so %s passes through this process", target.key)
        _pass_through(target, segments, read=read)


def _with_tails_attached(
    target: Target, runs: Sequence[Segment], *, sizes: Mapping[str, int], read: Read, full_key: Callable[[str], str]
) -> Iterator[Segment]:
    """The same bytes in large runs, made by the server; what is made on the way lies beside the first run, in staging.

    As a last part the server copies the smallest run of objects of more than 5 MiB, and smaller objects as a whole;
    only runs of smaller ones pass through us.
    """
    folder = runs[0].key.rpartition("/")[0]
    for number, (run, tail) in enumerate(with_tails(runs)):
        whole = run
        units = [list(unit) for _, unit in groupby(tail, key=lambda small: _alone(small, sizes))]
        for place, unit in enumerate(units):
            key = f"{folder}/joined/{number:05d}-{place:02d}"
            with multipart(replace(target, key=full_key(key), media_type="application/octet-stream")) as upload:
                for piece in pieces(whole, maximum=COPY_BYTES):
                    upload.copy(full_key(piece.key), piece)
                first = unit[0]
                if _alone(first, sizes) is not None:
                    upload.copy(full_key(first.key), first, whole=first.size == sizes[first.key])
                else:
                    upload.send(_reader(tuple(unit), read))
            whole = Segment(key=key, offset=0, size=whole.size + size_of(unit))
        yield whole


def _alone(small: Segment, sizes: Mapping[str, int]) -> object:
    """What the run shares a part with: nothing, when the server can copy it."""
    size = sizes[small.key]
    return small if size > MIN_PART_BYTES or small.size == size else None


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
