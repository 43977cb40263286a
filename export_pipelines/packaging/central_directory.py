"""The central directory and the archive's manifest, written side by side as all members stream by in order of name."""

from collections.abc import Iterable
from dataclasses import dataclass

from export_pipelines.packaging.archive_manifest import DeflatedText, member_text
from export_pipelines.packaging.member_names import NameClashes
from export_pipelines.packaging.part_index import MemberEntry
from export_pipelines.packaging.sidecar import LISTED_MEMBERS_MAX, MemberFacts
from export_pipelines.packaging.staging import CHUNK_BYTES, Writer
from export_pipelines.packaging.zip_records import central_entry


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a pass over all members found.

    Attributes:
        count: members, the manifest itself not among them.
        split: bytes of the directory before the place of the manifest's own entry.
        size: bytes of the directory without that entry.
        suspects: hashes of names that may clash.
        listing: the members, None when they are more than a sidecar lists.
    """

    count: int
    split: int
    size: int
    suspects: frozenset[int]
    listing: tuple[MemberFacts, ...] | None


def write_listings(
    directory: Writer, manifest: DeflatedText, *, members: Iterable[MemberEntry], manifest_name: str
) -> Listed:
    """Write a line of directory and a line of manifest for every member, in constant memory."""
    lines = _Lines(directory)
    clashes = NameClashes()
    clashes.add(manifest_name)
    listing: list[MemberFacts] = []
    split: int | None = None
    count = 0
    for count, member in enumerate(members, start=1):
        if split is None and member.name > manifest_name:
            split = lines.size
        lines.add(member)
        clashes.add(member.name)
        manifest.write(member_text(member))
        if count < LISTED_MEMBERS_MAX:
            listing.append(_facts(member))
    lines.flush()
    return Listed(
        count=count,
        split=lines.size if split is None else split,
        size=lines.size,
        suspects=clashes.suspects(),
        listing=tuple(listing) if len(listing) == count else None,
    )


def _facts(member: MemberEntry) -> MemberFacts:
    return MemberFacts(
        name=member.name, size=member.size, sha256=member.sha256, record=member.record, rows=member.rows
    )  # fmt: skip


class _Lines:
    """The directory's lines, passed on in large pieces."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting = bytearray()
        self.size = 0

    def add(self, member: MemberEntry) -> None:
        line = directory_line(member)
        self._waiting += line
        self.size += len(line)
        if len(self._waiting) >= CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        self._writer.write(bytes(self._waiting))
        self._waiting.clear()


def directory_line(member: MemberEntry) -> bytes:
    """The member's line, ``at`` being counted from the start of the file."""
    return central_entry(
        member.name.encode(),
        method=member.method,
        crc32=member.crc32,
        packed=member.packed,
        size=member.size,
        offset=member.at,
    )
