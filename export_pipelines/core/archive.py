"""What a renderer hands over for an archive: members, pieces of members that span shards, absences.

They are named tuples, since a transcript brings three of them, and a frozen dataclass takes four times as long to make.
"""

from typing import NamedTuple


class Member(NamedTuple):
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


class Piece(NamedTuple):
    """A run of bytes of a member that several shards contribute to; pieces join in order of shard, then of emission."""

    name: str
    data: bytes


class Absent(NamedTuple):
    """A row that has no member, and why: listed in the archive's own manifest.

    Attributes:
        id: the row's id.
        reason: a stable code, like ``expired``.
    """

    id: str
    reason: str


Entry = Member | Piece | Absent
