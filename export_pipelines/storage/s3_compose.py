"""Joining staged runs of bytes into one S3 object: copied by the server where its rules allow it."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from export_pipelines.storage.store import Proceed

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The objects that segments lie in.

    Attributes:
        sizes: of the objects, by key.
        read: fetches a run of bytes, whole or not at all; for the runs too small to be copied.
        full_key: a segment's key as the bucket knows it.
    """

    sizes: Mapping[str, int]
    read: Callable[[Segment], bytes]
    full_key: Callable[[str], str]

    def reader(self, part: PlannedPart) -> Callable[[], bytes]:
        """Fetches the runs of one part, when it is called."""
        return lambda: b"".join(map(self.read, part))

    def alone(self, small: Segment) -> object:
        """What the run shares a part with: nothing, when the server can copy it."""
        size = self.sizes[small.key]
        return small if size > MIN_PART_BYTES or small.size == size else None


def compose(target: Target, segments: Sequence[Segment], sources: Sources, *, proceed: Proceed) -> None:
    """Publish the segments, which are checked to lie within their objects, as one object, all at once.

    What ``proceed`` raises, asked before every part and before the object appears, aborts the upload.
    """
    runs = joined(segments)
    if size_of(runs) < MIN_PART_BYTES:
        body = b"".join(map(sources.read, runs))
        proceed()
        put(target, body)
        return
    try:
        whole = list(_with_tails_attached(target, runs, sources, proceed=proceed))
        _copy(target, plan_parts(whole), sources, proceed=proceed)
    except CopyUnsupportedError:
        logger.warning("the S3 server copies no parts, so %s passes through this process", target.key)
        _pass_through(target, segments, sources, proceed=proceed)


def _with_tails_attached(
    target: Target, runs: Sequence[Segment], sources: Sources, *, proceed: Proceed
) -> Iterator[Segment]:
    """The same bytes in large runs, made by the server; what is made on the way lies beside the first run, in staging.

    As a last part the server copies the smallest run of objects of more than 5 MiB, and smaller objects as a whole;
    only runs of smaller ones pass through us.
    """
    folder = runs[0].key.rpartition("/")[0]
    for number, (run, tail) in enumerate(with_tails(runs)):
        whole = run
        units = [list(unit) for _, unit in groupby(tail, key=sources.alone)]
        for place, unit in enumerate(units):
            key = f"{folder}/joined/{number:05d}-{place:02d}"
            with multipart(replace(target, key=sources.full_key(key), media_type="application/octet-stream")) as upload:
                for piece in pieces(whole, maximum=COPY_BYTES):
                    proceed()
                    upload.copy(sources.full_key(piece.key), piece)
                first = unit[0]
                if sources.alone(first) is not None:
                    upload.copy(sources.full_key(first.key), first, whole=first.size == sources.sizes[first.key])
                else:
                    upload.send(sources.reader(tuple(unit)))
            whole = Segment(key=key, offset=0, size=whole.size + size_of(unit))
        yield whole


def _copy(target: Target, parts: Sequence[PlannedPart], sources: Sources, *, proceed: Proceed) -> None:
    with multipart(target) as upload:
        for part in parts:
            proceed()
            if len(part) == 1 and part[0].size >= MIN_PART_BYTES:
                upload.copy(sources.full_key(part[0].key), part[0])
            else:
                upload.send(sources.reader(part))
        upload.wait()
        proceed()


def _pass_through(target: Target, segments: Sequence[Segment], sources: Sources, *, proceed: Proceed) -> None:
    with s3_writer(target, key=target.key) as writer:
        for piece in _small_pieces(segments):
            proceed()
            writer.write(sources.read(piece))
        proceed()


def _small_pieces(segments: Sequence[Segment]) -> Iterator[Segment]:
    for run in joined(segments):
        yield from pieces(run, maximum=PART_BYTES)
