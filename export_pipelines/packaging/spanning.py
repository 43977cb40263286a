"""Members that several parts make up: their runs joined into one deflate stream, without deflating again."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Segment, StagedObject
from export_pipelines.packaging.deflating import END_OF_STREAM, crc32_combine, inflate
from export_pipelines.packaging.layout import Layout
from export_pipelines.packaging.part_index import MemberEntry, PartIndex, RunEntry
from export_pipelines.packaging.staging import OpenSegment, read_segment
from export_pipelines.packaging.zip_records import DEFLATED, local_header

_INFLATED_AT_ONCE = 4
"""Members whose SHA-256 is taken side by side; inflating and hashing both leave the interpreter to others."""


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One part's share, and where it lies in staging."""

    entry: RunEntry
    segment: Segment


def place_spanning(
    open_segment: OpenSegment, layout: Layout, *, indexes: Sequence[PartIndex], bodies: Sequence[StagedObject]
) -> list[MemberEntry]:
    """Append every spanning member to the file; their entries by name, with ``at`` counted from the file's start.

    Runs join in the order of the parts. ``open_segment`` is called from several threads.

    Raises:
        IntegrityError: the runs do not inflate to what the parts said of them.
    """
    found: dict[str, list[_Run]] = {}
    for index, body in zip(indexes, bodies, strict=True):
        for entry in index.runs:
            segment = Segment(key=body.key, offset=entry.at, size=entry.packed)
            found.setdefault(entry.name, []).append(_Run(entry=entry, segment=segment))
    members = sorted(found.items())
    with ThreadPoolExecutor(max_workers=_INFLATED_AT_ONCE) as pool:
        digests = pool.map(lambda member: _known(member[1]) or _sha256(open_segment, *member), members)
        return [
            _place(layout, name, runs, sha256) for (name, runs), sha256 in zip(members, digests, strict=True)
        ]  # fmt: skip


def _place(layout: Layout, name: str, runs: Sequence[_Run], sha256: str) -> MemberEntry:
    size, packed, crc = _totals(runs)
    header = local_header(name.encode(), method=DEFLATED, crc32=crc, packed=packed, size=size)
    at = layout.place_bytes(header)
    for run in runs:
        layout.place(run.segment)
    layout.place_bytes(END_OF_STREAM)
    return MemberEntry(
        name=name, at=at, packed=packed, size=size, crc32=crc, sha256=sha256, method=DEFLATED, record=False
    )


def _totals(runs: Iterable[_Run]) -> tuple[int, int, int]:
    """Content size, size in the file, and CRC-32 of the whole member."""
    size, packed, crc = 0, len(END_OF_STREAM), 0
    for run in runs:
        size += run.entry.size
        packed += run.entry.packed
        crc = crc32_combine(crc, run.entry.crc32, run.entry.size)
    return size, packed, crc


def _known(runs: Sequence[_Run]) -> str | None:
    """SHA-256 of the content, where the parts were written one after the other."""
    return runs[-1].entry.sha256_so_far


def _sha256(open_segment: OpenSegment, name: str, runs: Sequence[_Run]) -> str:
    """SHA-256 of the content; a run's own cannot be joined, so the content is inflated once, in a stream."""
    digest, size = hashlib.sha256(), 0
    try:
        for chunk in inflate(chain(_packed(open_segment, runs), [END_OF_STREAM])):
            digest.update(chunk)
            size += len(chunk)
    except IntegrityError as error:
        raise IntegrityError(f"Archive member {name} cannot be joined: {error}; render its parts again.") from error
    expected = sum(run.entry.size for run in runs)
    if size != expected:
        raise IntegrityError(f"Archive member {name} has {size} bytes, its parts say {expected}; render them again.")
    return digest.hexdigest()


def _packed(open_segment: OpenSegment, runs: Iterable[_Run]) -> Iterator[bytes]:
    for run in runs:
        yield from read_segment(open_segment, run.segment)
