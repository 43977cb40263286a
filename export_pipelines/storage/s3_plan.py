"""How a file made of segments becomes the parts of one multipart upload; no network here.

S3's rules (Amazon S3 multipart upload limits): 1 to 10 000 parts, each at least 5 MiB except the last, each at most
5 GiB. A part that is one run of an object is copied by the server; a part of several runs has to pass through us.
"""

from collections.abc import Iterable, Iterator, Sequence

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.frozen import Segment

MIB = 1024 * 1024
MIN_PART_BYTES = 5 * MIB
MAX_PARTS = 10_000
COPY_BYTES = 256 * MIB
"""Longest run asked for in one copy: the server answers when it is done, and must do so before we stop waiting."""
_DOUBLINGS = 4
"""Merged parts are held in memory: up to 5 MiB times two to this power, times two."""

PlannedPart = tuple[Segment, ...]


def joined(segments: Iterable[Segment]) -> list[Segment]:
    """The same bytes in as few segments as possible: neighbours in one object become one, empty ones vanish."""
    runs: list[Segment] = []
    for segment in segments:
        last = runs[-1] if runs else None
        if not segment.size:
            continue
        if last is not None and (last.key, last.offset + last.size) == (segment.key, segment.offset):
            runs[-1] = Segment(key=last.key, offset=last.offset, size=last.size + segment.size)
        else:
            runs.append(segment)
    return runs


def with_tails(runs: Sequence[Segment]) -> Iterator[tuple[Segment, tuple[Segment, ...]]]:
    """Each run in order, with the small ones behind it that keep it from the next large one.

    S3 takes a part below 5 MiB as an upload's last only. So run and tail are best made an object of their own, which
    then is a large run; in between they would take what they lack from a neighbour, all of it through us. Tails that
    are no smaller than a part make one by themselves, and stay runs.
    """
    at = 0
    while at < len(runs):
        run, at = runs[at], at + 1
        end = at
        while end < len(runs) and runs[end].size < MIN_PART_BYTES:
            end += 1
        tail = tuple(runs[at:end])
        if run.size >= MIN_PART_BYTES and end < len(runs) and size_of(tail) < MIN_PART_BYTES:
            at = end
            yield run, tail
        else:
            yield run, ()


def plan_parts(segments: Iterable[Segment]) -> list[PlannedPart]:
    """The parts, in order; every part but the last is at least 5 MiB.

    Raises:
        ValidationError: more parts than S3 takes, even when they are made larger.
    """
    runs = joined(segments)
    for doubling in range(_DOUBLINGS + 1):
        parts = list(_parts(runs, minimum=MIN_PART_BYTES << doubling, maximum=COPY_BYTES << doubling))
        if len(parts) <= MAX_PARTS:
            return parts
    raise ValidationError(
        f"The file has {sum(run.size for run in runs)} bytes in {len(runs)} runs, more than S3 joins from "
        f"{MAX_PARTS} parts; export fewer rows at a time, or set a larger EXPORT_PIPELINES_SHARD_BYTES."
    )


def size_of(part: Sequence[Segment]) -> int:
    """Bytes in the part."""
    return sum(segment.size for segment in part)


def split(segment: Segment, *, at: int) -> tuple[Segment, Segment]:
    """The segment's first ``at`` bytes, and the rest."""
    head = Segment(key=segment.key, offset=segment.offset, size=at)
    return head, Segment(key=segment.key, offset=segment.offset + at, size=segment.size - at)


def pieces(segment: Segment, *, maximum: int) -> Iterator[Segment]:
    """The segment in about equal pieces, none above the maximum."""
    count = -(-segment.size // maximum)
    left = segment
    for remaining in range(count, 1, -1):
        piece, left = split(left, at=-(-left.size // remaining))
        yield piece
    yield left


def _parts(runs: list[Segment], *, minimum: int, maximum: int) -> Iterator[PlannedPart]:
    waiting: list[Segment] = []
    for run in runs:
        rest = run
        missing = minimum - size_of(waiting)
        if waiting and run.size > missing:
            # The small ones before take what they lack from this one's beginning; the server copies the rest.
            head, rest = split(run, at=missing)
            yield (*waiting, head)
            waiting = []
        if not waiting and rest.size >= minimum:
            yield from ((piece,) for piece in pieces(rest, maximum=maximum))
            continue
        waiting.append(rest)
        if size_of(waiting) >= minimum:
            yield tuple(waiting)
            waiting = []
    if waiting:
        yield tuple(waiting)
