"""What all parts of an archive hold together, in order of name."""

import heapq
from collections.abc import Iterator, Sequence
from operator import attrgetter

from export_pipelines.core.archive import Absent
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Part, Segment, StagedObject
from export_pipelines.packaging.layout import Layout
from export_pipelines.packaging.member_names import SuspectNames
from export_pipelines.packaging.part_index import MemberEntry, PartIndex
from export_pipelines.packaging.spanning import place_spanning
from export_pipelines.packaging.staging import OpenSegment


def place_contents(open_segment: OpenSegment, layout: Layout, *, parts: Sequence[Part]) -> "Contents":
    """Append everything in the parts to the file: finished members part by part, then the spanning ones.

    Raises:
        IntegrityError: a part has no list of contents, or staging is damaged.
    """
    ordered = sorted(parts, key=lambda part: part.shard_index)
    indexes = [PartIndex(open_segment, staged=_index_of(part)) for part in ordered]
    bodies = [part.body for part in ordered]
    bases = [
        layout.place(Segment(key=body.key, offset=0, size=index.head.whole_bytes))
        for index, body in zip(indexes, bodies, strict=True)
    ]
    spanning = place_spanning(open_segment, layout, indexes=indexes, bodies=bodies)
    return Contents(indexes=indexes, bases=bases, spanning=spanning)


class Contents:
    """Everything but the archive's own manifest; may be gone through more than once.

    Attributes:
        count: members.
        records: members that count as records.
        absences: rows without a member.
    """

    def __init__(self, *, indexes: Sequence[PartIndex], bases: Sequence[int], spanning: Sequence[MemberEntry]) -> None:
        self._indexes = indexes
        self._bases = bases
        self._spanning = spanning
        self.count = sum(index.head.members for index in indexes) + len(spanning)
        self.records = sum(index.head.records for index in indexes)
        self.absences = sum(index.head.absent for index in indexes)

    def members(self) -> Iterator[MemberEntry]:
        """By name, each with its place in the file."""
        streams = [index.members(base=base) for index, base in zip(self._indexes, self._bases, strict=True)]
        return heapq.merge(*streams, self._spanning, key=attrgetter("name"))

    def absent(self) -> Iterator[Absent]:
        """By id."""
        return heapq.merge(*(index.absent() for index in self._indexes), key=attrgetter("id", "reason"))

    def refuse_clashes(self, suspects: frozenset[int], *, manifest_name: str) -> None:
        """Raise ``IntegrityError`` when names with these hashes are one file on Windows and macOS."""
        if not suspects:
            return
        names = SuspectNames(suspects)
        names.add(manifest_name)
        for member in self.members():
            names.add(member.name)
        if clashes := names.clashes():
            raise IntegrityError(
                f"The archive would hold members that are one file on Windows and macOS: {'; '.join(clashes[:5])}. "
                "Every member needs a name of its own.",
                problems=clashes,
            )


def _index_of(part: Part) -> StagedObject:
    if part.index is None:
        raise IntegrityError(f"Part {part.shard_index} has no list of contents, so it is no part of an archive.")
    return part.index
