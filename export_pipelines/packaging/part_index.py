"""A part's list of contents: what lies where in its body, one compact JSON object a line.

Order of lines: the head, then runs by name, absences by id, members by name (names compared as UTF-8, which is how
Python compares text without surrogates). What the whole archive needs first stands first, so that a reader can stop
early; members come last, and are merged with those of other parts as they stream by.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice

import msgspec
import orjson

from export_pipelines.core.archive import Absent
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import StagedObject
from export_pipelines.packaging.staging import OpenSegment, Writer, read_segment, whole
from export_pipelines.packaging.zip_records import DEFLATED

_FORMAT = 1
_FLUSH_LINES = 1000
_READ_BYTES = 32 * 1024
"""Read at once of each list: an archive of a million members merges a hundred of them side by side."""


@dataclass(frozen=True, kw_only=True)
class IndexHead:
    """What the part holds in all.

    Attributes:
        whole_bytes: length of the finished entries at the start of the body; the runs lie behind them.
        records: members that count as records.
    """

    whole_bytes: int
    members: int
    records: int
    runs: int
    absent: int


class MemberEntry(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """A finished member; its line is this as JSON, without what is usual (deflated, no record, no table).

    It is no dataclass, and not frozen, because a million of them are read and moved to their place in the file.

    Attributes:
        at: where its local header begins in the body.
        packed, size: bytes in the file, bytes of content.
        record, rows: as in :class:`~export_pipelines.core.archive.Member`.
    """

    name: str
    at: int
    packed: int
    size: int
    crc32: int
    sha256: str
    method: int = DEFLATED
    record: bool = False
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunEntry:
    """This part's share of a member that several parts make up: ``packed`` bytes of deflate from ``at`` of the body.

    Attributes:
        sha256_so_far: of the member's content up to the end of this run; None when the parts before were not known.
    """

    name: str
    at: int
    packed: int
    size: int
    crc32: int
    sha256_so_far: str | None = None


encode_member = msgspec.json.Encoder().encode
"""The member's line. Not by orjson, which leaves 4 KB reserved behind each; a part keeps all of its lines."""

_decode_member = msgspec.json.Decoder(MemberEntry).decode


def write_index(
    index: Writer,
    *,
    head: IndexHead,
    runs: list[RunEntry],
    absent: list[Absent],
    members: list[tuple[str, bytes]],
) -> None:
    """Write the whole list; ``members`` are ``(name, encoded line)`` in any order, and are sorted in place."""
    members.sort()
    lines = [orjson.dumps({"format": _FORMAT, **asdict(head)})]
    lines.extend(orjson.dumps(asdict(run)) for run in sorted(runs, key=lambda run: run.name))
    lines.extend(orjson.dumps(row._asdict()) for row in sorted(absent))
    index.write(b"\n".join(lines) + b"\n")
    for at in range(0, len(members), _FLUSH_LINES):
        index.write(b"".join(line + b"\n" for _, line in members[at : at + _FLUSH_LINES]))


class PartIndex:
    """Reads one part's list."""

    def __init__(self, open_segment: OpenSegment, *, staged: StagedObject) -> None:
        self._open = open_segment
        self._staged = staged
        lines = self._lines()
        self.head = self._read_head(next(lines, b""))
        self.runs = tuple(RunEntry(**orjson.loads(line)) for line in islice(lines, self.head.runs))

    def absent(self) -> Iterator[Absent]:
        """The rows without a member, by id."""
        for line in islice(self._lines(), 1 + self.head.runs, 1 + self.head.runs + self.head.absent):
            yield Absent(**orjson.loads(line))

    def members(self, *, base: int) -> Iterator[MemberEntry]:
        """The finished members, by name; ``base`` is where the part begins, and is added to each ``at``."""
        for text in islice(self._lines(), 1 + self.head.runs + self.head.absent, None):
            member = _decode_member(text)
            member.at += base
            yield member

    def _read_head(self, line: bytes) -> IndexHead:
        head = orjson.loads(line or b"{}")
        if head.pop("format", None) != _FORMAT:
            raise IntegrityError(f"{self._staged.key} is no list of contents of format {_FORMAT}; render it again.")
        return IndexHead(**head)

    def _lines(self) -> Iterator[bytes]:
        """Every line; who reads to the end knows that the list is what was written."""
        digest, rest = hashlib.sha256(), b""
        for chunk in read_segment(self._open, whole(self._staged), chunk_bytes=_READ_BYTES):
            digest.update(chunk)
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            yield from lines
        if rest or digest.hexdigest() != self._staged.sha256:
            raise IntegrityError(f"{self._staged.key} is not what was staged (SHA-256 differs); render it again.")
