"""Render what the database holds now, as an export would, without being one: no job, no ledger, nothing published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context, Part, SnapshotFacts, StagedObject
from export_pipelines.core.jobs import JobRef
from export_pipelines.db.reading import rows_of
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.packaging.codecs import compress, decompress
from export_pipelines.packaging.segments import write_part
from export_pipelines.packaging.sidecar import MemberList
from export_pipelines.packaging.staging import chunks_of
from export_pipelines.rendering.base import ArchiveFormat, FlatFormat, Row
from export_pipelines.rendering.frames import read_frames
from export_pipelines.steps.contexts import context_of
from export_pipelines.steps.layout import lay_out
from export_pipelines.steps.services import Services
from export_pipelines.steps.staging import package_key, part_key, shard_key
from export_pipelines.storage.local import LocalStore


@dataclass(frozen=True, kw_only=True)
class RenderedNow:
    """The file as an export would give it now.

    Attributes:
        member_list: of an archive.
    """

    snapshot: SnapshotFacts
    path: Path
    member_list: MemberList | None


def render_now(
    services: Services, type_: ExportType, *, subject_id: str, options: Mapping[str, Any], folder: Path
) -> RenderedNow:
    """Freeze the rows into the folder, so that the snapshot is short, and render them there.

    Raises:
        NotFoundError, ValidationError: the subject is gone, or has nothing to export.
        IntegrityError: fewer or more rows came than the snapshot counted.
    """
    store, ref = LocalStore(folder), JobRef(job_id="now", attempt=1, type=type_.name, user_id="nobody")
    with open_snapshot(services.database) as snapshot:
        source = type_.read(snapshot, subject_id, options)
        with store.writer(shard_key(ref, 0)) as frozen:
            for chunk in compress(rows_of(snapshot, source, readers=services.settings.effective_readers), "zstd"):
                frozen.write(chunk)
        facts = snapshot.facts
    context = context_of(source, options)
    parts = tuple(_parts(store, type_, ref, context=context, limit=services.settings.shard_bytes))
    came = sum(part.rows for part in parts)
    if came != source.counted_rows:
        raise IntegrityError(f"the snapshot counted {source.counted_rows} rows, but {came} came; verify again.")
    laid = lay_out(store, type_, ref, parts=parts, context=context)
    key = package_key(ref, "file")
    store.compose(key, laid.segments, media_type=type_.media_type)
    return RenderedNow(snapshot=facts, path=folder / key, member_list=laid.member_list)


def _parts(store: LocalStore, type_: ExportType, ref: JobRef, *, context: Context, limit: int) -> Iterator[Part]:
    """Parts of about as many bytes as an export's, since an archive's list of contents grows with them."""
    with store.open(shard_key(ref, 0)) as stream:
        rows = read_frames(decompress(chunks_of(stream), "zstd"))
        ended = False
        for index in count():
            if ended:
                return
            cut = _Cut(rows, limit=limit)
            yield _render(store, type_, ref, cut, context=context, index=index)
            ended = cut.ended


def _render(store: LocalStore, type_: ExportType, ref: JobRef, rows: "_Cut", *, context: Context, index: int) -> Part:
    report = FidelityReport()
    listing: StagedObject | None = None
    with store.writer(part_key(ref, index)) as body:
        if type_.is_archive:
            entries = cast("ArchiveFormat", type_.format).entries(iter(rows), context, report, shard=index)
            with store.writer(part_key(ref, index, kind="index")) as index_writer:
                records = write_part(entries, body=body, index=index_writer).records
            listing = index_writer.staged
        else:
            for chunk in cast("FlatFormat", type_.format).body(iter(rows), context, report):
                body.write(chunk)
            records = rows.count
    return Part(shard_index=index, rows=rows.count, records=records, body=body.staged, index=listing, fidelity=())


class _Cut:
    """The next rows of a stream, about ``limit`` bytes of them, counted as they go by."""

    def __init__(self, rows: Iterator[Row], *, limit: int) -> None:
        self.count = 0
        self.ended = False
        self._rows = rows
        self._limit = limit

    def __iter__(self) -> Iterator[Row]:
        size = 0
        while size < self._limit:
            row = next(self._rows, None)
            if row is None:
                self.ended = True
                return
            self.count += 1
            size += sum(len(field) for field in row if field)
            yield row
