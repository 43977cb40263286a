"""Entries of one shard to one part of a ZIP file: finished members at once, pieces of spanning members as runs."""

import hashlib
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, cast

from export_pipelines.core.archive import Absent, Entry, Member, Piece, Twofold
from export_pipelines.packaging.deflate_runs import RunDeflater, run_of
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


def write_part(entries: Iterable[Entry], *, body: Writer, index: Writer) -> PartTotals:
    """Write the part's bytes, and the list of what lies where; memory grows with the list only.

    Raises:
        IntegrityError: a name that no archive should hold.
    """
    with ExitStack() as stack:
        part = _Part(body, stack)
        for entry in entries:
            if isinstance(entry, Twofold):
                part.add_twofold(entry)
            elif isinstance(entry, Piece):
                part.add_piece(entry.name, entry.data)
            elif isinstance(entry, Member):
                part.add_member(entry)
            else:
                part.absent.append(entry)
        return part.finish(index)


class _Part:
    """The part as it grows."""

    def __init__(self, body: Writer, stack: ExitStack) -> None:
        self._body = body
        self._buffer = bytearray()
        self._stack = stack
        self._at = 0
        self._content = 0
        self._records = 0
        self._members: list[tuple[str, bytes]] = []
        self._runs: dict[str, _Run] = {}
        self.absent: list[Absent] = []

    def add_member(self, member: Member) -> None:
        self._records += member.records
        deflated = b"" if member.stored else deflate_whole(member.data)
        self._add(member.name, member.data, deflated, record=member.record, rows=member.rows)

    def add_twofold(self, both: Twofold) -> None:
        """The text is deflated once; in the member it ends the stream, in the spanning one more follows."""
        text = both.text
        stream = deflate_whole(text)
        run = self._run(both.spanning)
        run.add(both.block_above)
        run.splice(text, stream)
        run.add(both.block_below)
        self._records += 1
        self._add(both.name, both.above + text, run_of(both.above) + stream, record=True)

    def add_piece(self, name: str, data: bytes) -> None:
        self._run(name).add(data)

    def _run(self, name: str) -> "_Run":
        run = self._runs.get(name)
        if run is None:
            encode_name(name)
            run = self._runs[name] = _Run(self._stack)
        return run

    def _add(
        self, name: str, data: bytes, deflated: bytes | bytearray, *, record: bool, rows: int | None = None
    ) -> None:
        """Append a member, deflated unless that gained nothing, as with text of a few bytes."""
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
            record=record,
            rows=rows,
        )
        self._members.append((name, encode_member(entry)))
        self._content += size
        self._write(header)
        self._write(packed)

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
            content_bytes=self._content + sum(run.size for run in self._runs.values()),
        )

    def _append_run(self, name: str, run: "_Run") -> RunEntry:
        at = self._at
        for chunk in run.finished():
            self._write(chunk)
        return RunEntry(name=name, at=at, packed=self._at - at, size=run.size, crc32=run.crc32)

    def _write(self, data: bytes | bytearray) -> None:
        self._at += len(data)
        if len(data) >= CHUNK_BYTES:
            self._flush()
            self._body.write(data)
            return
        self._buffer += data
        if len(self._buffer) >= CHUNK_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._body.write(bytes(self._buffer))
        self._buffer.clear()


class _Run:
    """This part's share of one spanning member, deflated as it comes."""

    def __init__(self, stack: ExitStack) -> None:
        spool = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=_RUN_IN_MEMORY))  # noqa: SIM115  # closed by it
        self._spool = cast(BinaryIO, spool)
        self._deflater = RunDeflater()
        self.size = 0
        self.crc32 = 0

    def add(self, data: bytes) -> None:
        """Take data that is still to be deflated."""
        self._take(data, self._deflater.compress(data))

    def splice(self, data: bytes, stream: bytes | bytearray) -> None:
        """Take data that is deflated already, to that complete stream."""
        self._take(data, self._deflater.splice(data, stream))

    def _take(self, data: bytes, ready: bytes) -> None:
        if ready:
            self._spool.write(ready)
        self.crc32 = crc32(data, self.crc32)
        self.size += len(data)

    def finished(self) -> Iterable[bytes]:
        self._spool.write(self._deflater.end())
        self._spool.seek(0)
        return chunks_of(self._spool)
