"""Entries of one shard to one part of a ZIP file: finished members at once, pieces of spanning members as runs."""

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, cast

from export_pipelines.core.archive import Absent, Entry, Member, Piece
from export_pipelines.packaging.deflate_runs import BLOCK_BYTES, RunDeflater
from export_pipelines.packaging.deflating import crc32, deflate_whole
from export_pipelines.packaging.member_names import encode_name
from export_pipelines.packaging.part_index import IndexHead, MemberEntry, RunEntry, encode_member, write_index
from export_pipelines.packaging.staging import CHUNK_BYTES, Writer, chunks_of
from export_pipelines.packaging.zip_records import DEFLATED, STORED, local_header

_RUN_IN_MEMORY = 512 * 1024
"""Deflated bytes of one run kept in memory; what is longer waits in an unnamed temporary file."""


@dataclass(frozen=True, kw_only=True)
class PartTotals:
    """What went into a part.

    Attributes:
        records: members that count as records of the export.
        members: finished members, records among them.
        runs: names of spanning members that this part has a share of.
        absent: rows without a member.
        content_bytes: bytes before deflating.
    """

    records: int
    members: int
    runs: int
    absent: int
    content_bytes: int


class SpanningDigests(defaultdict[str, "hashlib._Hash"]):
    """SHA-256 of every spanning member so far, for who writes an archive's parts one after the other."""

    def __init__(self) -> None:
        super().__init__(hashlib.sha256)


def write_part(
    entries: Iterable[Entry], *, body: Writer, index: Writer, digests: SpanningDigests | None = None
) -> PartTotals:
    """Write the part's bytes, and the list of what lies where; memory grows with the list only.

    Args:
        entries: in their order.
        body: takes the bytes.
        index: takes the list.
        digests: of the parts before, continued here; without them the whole archive has to be read for them later.

    Raises:
        IntegrityError: a name that no archive should hold.
    """
    with ExitStack() as stack:
        part = _Part(body, stack, digests)
        for entry in entries:
            if entry.__class__ is Piece:
                part.add_piece(entry.name, entry.data)
            elif entry.__class__ is Member:
                part.add_member(entry)
            else:
                part.absent.append(cast(Absent, entry))
        return part.finish(index)


class _Part:
    """The part as it grows."""

    def __init__(self, body: Writer, stack: ExitStack, digests: SpanningDigests | None) -> None:
        self._body = body
        self._waiting: list[bytes | bytearray] = []
        self._held = 0
        self._stack = stack
        self._digests = digests
        self._at = 0
        self._content = 0
        self._records = 0
        self._members: list[tuple[str, bytes]] = []
        self._runs: dict[str, _Run] = {}
        self.absent: list[Absent] = []

    def add_member(self, member: Member) -> None:
        """Append a member, deflated unless that gained nothing, as with text of a few bytes."""
        name, data = member.name, member.data
        deflated = b"" if member.stored else deflate_whole(data)
        packed, method = (deflated, DEFLATED) if 0 < len(deflated) < len(data) else (data, STORED)
        size, packed_size, crc = len(data), len(packed), crc32(data)
        header = local_header(encode_name(name), method=method, crc32=crc, packed=packed_size, size=size)
        entry = MemberEntry(
            name=name,
            at=self._at,
            packed=packed_size,
            size=size,
            crc32=crc,
            sha256=hashlib.sha256(data).hexdigest(),
            method=method,
            record=member.record,
            rows=member.rows,
        )
        self._members.append((name, encode_member(entry)))
        self._content += size
        self._records += member.records
        self._write(header)
        self._write(packed)

    def add_piece(self, name: str, data: bytes) -> None:
        run = self._runs.get(name)
        if run is None:
            encode_name(name)
            digest = None if self._digests is None else self._digests[name]
            run = self._runs[name] = _Run(self._stack, digest)
        run.add(data)

    def finish(self, index: Writer) -> PartTotals:
        whole_bytes = self._at
        runs = [self._append_run(name, self._runs[name]) for name in sorted(self._runs)]
        self._flush()
        head = IndexHead(
            whole_bytes=whole_bytes,
            members=len(self._members),
            records=self._records,
            runs=len(runs),
            absent=len(self.absent),
        )
        write_index(index, head=head, runs=runs, absent=self.absent, members=self._members)
        return PartTotals(
            records=head.records,
            members=head.members,
            runs=head.runs,
            absent=head.absent,
            content_bytes=self._content + sum(run.size for run in runs),
        )

    def _append_run(self, name: str, run: "_Run") -> RunEntry:
        at = self._at
        for chunk in run.finished():
            self._write(chunk)
        return RunEntry(
            name=name, at=at, packed=self._at - at, size=run.size, crc32=run.crc32, sha256_so_far=run.sha256_so_far
        )

    def _write(self, data: bytes | bytearray) -> None:
        self._waiting.append(data)
        self._at += len(data)
        self._held += len(data)
        if self._held >= CHUNK_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._body.write(b"".join(self._waiting))
        self._waiting.clear()
        self._held = 0


class _Run:
    """This part's share of one spanning member, deflated as it comes."""

    def __init__(self, stack: ExitStack, digest: "hashlib._Hash | None") -> None:
        spool = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=_RUN_IN_MEMORY))  # noqa: SIM115  # closed by it
        self._spool = cast(BinaryIO, spool)
        self._digest = digest
        self._deflater = RunDeflater()
        self._waiting: list[bytes] = []
        self._held = 0
        self.size = 0
        self.crc32 = 0

    @property
    def sha256_so_far(self) -> str | None:
        """Of the member up to the end of this run, when it is known."""
        return None if self._digest is None else self._digest.hexdigest()

    def add(self, data: bytes) -> None:
        """Take more of the member; everything but keeping it is done once a block."""
        self._waiting.append(data)
        self._held += len(data)
        if self._held >= BLOCK_BYTES:
            self._pass_on()

    def _pass_on(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._held = 0
        self.size += len(data)
        self.crc32 = crc32(data, self.crc32)
        if self._digest is not None:
            self._digest.update(data)
        self._spool.write(self._deflater.compress(data))

    def finished(self) -> Iterable[bytes]:
        self._pass_on()
        self._spool.write(self._deflater.end())
        self._spool.seek(0)
        return chunks_of(self._spool)
