"""Stream: render rows as PostgreSQL sends them, where rendering is about as quick, or one process does all of it.

Freezing rows first would then only write and read them once more. What freezing is for still holds: one snapshot, and a
crash costs no more than it would while freezing, for a snapshot that was lost has to be read anew either way.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import cast

from export_pipelines.catalog.export_type import ExportType, Streamed
from export_pipelines.core.archive import Entry, Member, Piece
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context, Part, Shard, StagedObject
from export_pipelines.core.jobs import JobRef
from export_pipelines.db import ledger
from export_pipelines.packaging.codecs import compress
from export_pipelines.packaging.segments import PartTotals, SpanningDigests, write_part
from export_pipelines.rendering.base import ArchiveFormat, FlatFormat
from export_pipelines.rendering.frames import read_frames
from export_pipelines.steps import staging
from export_pipelines.steps.behind import taken_behind
from export_pipelines.steps.cutting import Cut, RowStream, cuts
from export_pipelines.steps.services import Services
from export_pipelines.storage.store import ObjectWriter

BATCH_BYTES = 64 * 1024
"""Less than a socket holds: while a batch is rendered, PostgreSQL goes on filling the socket."""

Rendered = tuple[tuple[Shard, ...], tuple[StagedObject, ...]]


def stream(services: Services, type_: ExportType, ref: JobRef, *, rows: RowStream, context: Context) -> Rendered:
    """Render the rows and note each shard's part in the ledger.

    Returns:
        The shards, and what is staged of them: the whole file, or an archive's parts and their indexes.

    Raises:
        ContentError: a row's content cannot be read; the message names it.
        SupersededError: the job moved on meanwhile.
    """
    each = enumerate(cuts(rows, limit=services.settings.shard_bytes, batch_bytes=BATCH_BYTES))
    if type_.is_archive:
        digests = SpanningDigests()
        done = [
            _render_archive(services, type_, ref, cut, index=index, context=context, digests=digests)
            for index, cut in each
        ]
        staged = tuple(object_ for _, part in done for object_ in (part.body, part.index) if object_ is not None)
    else:
        key = staging.package_key(ref, "streamed")
        with services.store.writer(key, media_type=type_.media_type, read_soon=False) as writer:
            file = _File(writer, cast("FlatFormat", type_.format), context, key=key)
            file.add_head()
            done = [file.render(cut, index=index) for index, cut in each]
            file.add_tail()
        staged = (writer.staged,)
    ledger.commit_streamed(services.database, ref, done)
    return tuple(shard for shard, _ in done), staged


class _File:
    """A flat file as it grows, head to tail, in one object; knows where each part lies in it."""

    def __init__(self, writer: ObjectWriter, format_: FlatFormat, context: Context, *, key: str) -> None:
        self._writer = writer
        self._key = key
        self._size = 0
        self._format = format_
        self._context = context
        self._codec = str(context["options"].get("compression", "none"))

    def add_head(self) -> None:
        """What comes before the first row."""
        self._write_edge(self._format.head(self._context))

    def add_tail(self) -> None:
        """What comes after the last."""
        self._write_edge(self._format.tail(self._context))

    def render(self, cut: Cut, *, index: int) -> tuple[Shard, Part]:
        """One shard's rows: rendered here, compressed and written behind."""
        report = FidelityReport()
        body = taken_behind(self._format.body(read_frames(cut), self._context, report), self._write, size=len)
        return _done(cut, index, records=cut.rows, body=body, listing=None, report=report)

    def _write_edge(self, data: bytes) -> None:
        # Nothing for nothing: an empty head is no member or frame of its own.
        if data:
            self._write([data])

    def _write(self, chunks: Iterable[bytes]) -> StagedObject:
        begin, digest = self._size, hashlib.sha256()
        for chunk in compress(chunks, self._codec):
            self._size += self._writer.write(chunk)
            digest.update(chunk)
        return StagedObject(key=self._key, offset=begin, size=self._size - begin, sha256=digest.hexdigest())


def _render_archive(
    services: Services,
    type_: ExportType,
    ref: JobRef,
    cut: Cut,
    *,
    index: int,
    context: Context,
    digests: SpanningDigests,
) -> tuple[Shard, Part]:
    """One shard's part of an archive: its members are made here, and put into the part behind."""
    report, format_ = FidelityReport(), cast("ArchiveFormat", type_.format)
    with (
        services.store.writer(staging.part_key(ref, index)) as body,
        services.store.writer(staging.part_key(ref, index, kind="index")) as listing,
    ):
        entries = format_.entries(read_frames(cut), context, report, shard=index)

        def write(entries: Iterator[Entry]) -> PartTotals:
            return write_part(entries, body=body, index=listing, digests=digests)

        # To hand over every one of many small members costs more than a second thread would bring.
        totals = write(entries) if type_.streamed is Streamed.ALONE else taken_behind(entries, write, size=_size)
    return _done(cut, index, records=totals.records, body=body.staged, listing=listing.staged, report=report)


def _size(entry: Entry) -> int:
    # Also what has no content takes some memory.
    return 256 + (len(entry.data) if isinstance(entry, Member | Piece) else 0)


def _done(
    cut: Cut, index: int, *, records: int, body: StagedObject, listing: StagedObject | None, report: FidelityReport
) -> tuple[Shard, Part]:
    shard = Shard(index=index, rows=cut.rows, copy_bytes=cut.bytes, staged=None)
    notes = report.notes()
    return shard, Part(shard_index=index, rows=cut.rows, records=records, body=body, index=listing, fidelity=notes)
