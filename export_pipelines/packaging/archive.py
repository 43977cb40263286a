"""Finished parts to one ZIP file: segments of what is staged, and the few bytes that only the whole knows.

The file: every part's finished members, the spanning members (their runs joined), the archive's own manifest, the
central directory. No byte of a part is written again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from export_pipelines.core.frozen import Part, Segment, StagedObject
from export_pipelines.packaging.archive_manifest import DeflatedText, absent_text, head_text
from export_pipelines.packaging.central_directory import Listed, directory_line, write_listings
from export_pipelines.packaging.contents import place_contents
from export_pipelines.packaging.layout import Layout
from export_pipelines.packaging.member_names import encode_name
from export_pipelines.packaging.part_index import MemberEntry
from export_pipelines.packaging.sidecar import MemberFacts
from export_pipelines.packaging.staging import OpenSegment, Stage, whole
from export_pipelines.packaging.zip_records import DEFLATED, end_of_directory, local_header


@dataclass(frozen=True, kw_only=True)
class ArchiveLayout:
    """The archive, described but not yet joined.

    Attributes:
        segments: the whole file in order.
        members: how many, the archive's own manifest included.
        records: members that count as records.
        absent: rows without a member.
        manifest: the archive's own manifest.
        listing: all members by name; None when they are more than a sidecar lists.
    """

    segments: tuple[Segment, ...]
    size: int
    members: int
    records: int
    absent: int
    manifest: MemberFacts
    listing: tuple[MemberFacts, ...] | None


def assemble(
    open_segment: OpenSegment,
    stage: Stage,
    *,
    parts: Sequence[Part],
    manifest_name: str,
    manifest_head: Mapping[str, Any],
) -> ArchiveLayout:
    """Lay out the archive, staging its manifest, its directory and its frame; memory does not grow with members.

    Args:
        open_segment: reads staged bytes.
        stage: opens ``archive-manifest``, ``archive-directory`` and ``archive-frame``.
        parts: rendered parts, each with its index.
        manifest_name: where the archive's own manifest lies in it.
        manifest_head: facts of the data that the manifest begins with.

    Raises:
        IntegrityError: two members have one name (also when only their case differs), or staging is damaged.
    """
    layout = Layout()
    contents = place_contents(open_segment, layout, parts=parts)
    with stage("archive-manifest") as manifest_writer, stage("archive-directory") as directory_writer:
        text = DeflatedText(manifest_writer)
        text.write(head_text(manifest_head, members=contents.count, records=contents.records, absent=contents.absences))
        listed = write_listings(directory_writer, text, members=contents.members(), manifest_name=manifest_name)
        for line in absent_text(contents.absent()):
            text.write(line)
        text.end()
    contents.refuse_clashes(listed.suspects, manifest_name=manifest_name)
    manifest = _place_manifest(layout, text, name=manifest_name, staged=manifest_writer.staged)
    _place_directory(layout, listed, manifest, staged=directory_writer.staged)
    facts = MemberFacts(name=manifest.name, size=manifest.size, sha256=manifest.sha256)
    return ArchiveLayout(
        segments=layout.finish(stage, name="archive-frame"),
        size=layout.size,
        members=listed.count + 1,
        records=contents.records,
        absent=contents.absences,
        manifest=facts,
        listing=_with_manifest(listed.listing, facts),
    )


def _place_manifest(layout: Layout, text: DeflatedText, *, name: str, staged: StagedObject) -> MemberEntry:
    header = local_header(
        encode_name(name), method=DEFLATED, crc32=text.crc32, packed=text.packed, size=text.size
    )  # fmt: skip
    at = layout.place_bytes(header)
    layout.place(whole(staged))
    return MemberEntry(
        name=name,
        at=at,
        packed=text.packed,
        size=text.size,
        crc32=text.crc32,
        sha256=text.sha256,
        method=DEFLATED,
        record=False,
    )


def _place_directory(layout: Layout, listed: Listed, manifest: MemberEntry, *, staged: StagedObject) -> None:
    """Place the directory around the manifest's own entry, which is known last but has its place by name."""
    at = layout.place(Segment(key=staged.key, offset=0, size=listed.split))
    layout.place_bytes(directory_line(manifest))
    layout.place(Segment(key=staged.key, offset=listed.split, size=listed.size - listed.split))
    layout.place_bytes(end_of_directory(entries=listed.count + 1, size=layout.size - at, offset=at))


def _with_manifest(listing: tuple[MemberFacts, ...] | None, manifest: MemberFacts) -> tuple[MemberFacts, ...] | None:
    return None if listing is None else tuple(sorted((*listing, manifest), key=attrgetter("name")))
