"""What a renderer hands over for an archive: members, pieces of members that span shards, both at once, absences."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """A complete member of the archive.

    Attributes:
        name: path inside the archive, ``/`` between folders, no leading slash; unique case-insensitively.
        data: its uncompressed bytes.
        record: whether it counts as one record of the export.
        rows: how many records it holds when it is a Parquet table, None for anything else.
        stored: whether to leave it as it is, since it is compressed already and some read it in place.
    """

    name: str
    data: bytes
    record: bool = False
    rows: int | None = None
    stored: bool = False

    @property
    def records(self) -> int:
        """How many records of the export it brings."""
        return int(self.record) if self.rows is None else self.rows


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of bytes of a member that several shards contribute to; pieces join in order of shard, then of emission."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Twofold:
    """A record's member and its block in a spanning member, which hold the same text: it is deflated once.

    Attributes:
        name: of the member, as in :class:`Member`.
        above: what the member begins with.
        text: what follows there, and ends it; nothing when the two have nothing in common.
        spanning: name of the spanning member.
        block_above: what the block begins with.
        block_below: what ends it, behind the text.
    """

    name: str
    above: bytes
    text: bytes
    spanning: str
    block_above: bytes
    block_below: bytes


@dataclass(frozen=True, slots=True)
class Absent:
    """A row that has no member, and why: listed in the archive's own manifest.

    Attributes:
        id: the row's id.
        reason: a stable code, like ``expired``.
    """

    id: str
    reason: str


Entry = Member | Piece | Twofold | Absent
