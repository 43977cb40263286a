"""Load: freeze what an export reads, from one snapshot, into shards in staging; the only step that reads sources."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import FrozenShards, Shard, StagedObject
from export_pipelines.core.jobs import ExportJob, JobRef
from export_pipelines.db import ledger
from export_pipelines.db.jobs import ref_of, request_of
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources.source import Source
from export_pipelines.packaging.codecs import compress
from export_pipelines.steps import staging
from export_pipelines.steps.progress import FREEZING, Progress
from export_pipelines.steps.services import Services

BATCH_BYTES = 1 << 20
"""Rows are handed to the compressor in runs of about this size: one call a row costs more than the compression."""


def load(services: Services, export_type: ExportType, job: ExportJob) -> FrozenShards:
    """Freeze the job's rows, or find them frozen already by an interrupted run of the same attempt.

    Raises:
        NotFoundError, ValidationError: the subject is gone or cannot be exported.
        IntegrityError: fewer or more rows came than the snapshot counted.
        SupersededError: the job moved on meanwhile.
    """
    ref = ref_of(job)
    already = frozen_before(services, ref)
    if already is not None:
        return already
    request = request_of(job)
    with open_snapshot(services.database) as snapshot:
        source = export_type.read(snapshot, request.subject_id, request.options)
        context = _stage_context(services, ref, source, request.options)
        with Progress(services, ref, FREEZING, rows_total=source.counted_rows) as progress:
            shards = tuple(_freeze(services, ref, progress, snapshot.copy(source.sql, source.params)))
        facts = snapshot.facts
    _check_count(source, shards)
    frozen = FrozenShards(
        job=ref,
        snapshot=facts,
        context=context,
        shards=shards,
        counted_rows=source.counted_rows,
        partial=source.partial,
    )
    staging.stage_record(services.store, staging.frozen_key(ref), frozen)
    return frozen


def frozen_before(services: Services, ref: JobRef) -> FrozenShards | None:
    """What this attempt froze before it was interrupted, when all of it is still there."""
    store = services.store
    if store.stat(staging.frozen_key(ref)) is None:
        return None
    frozen = staging.read_record(store, staging.frozen_key(ref), FrozenShards)
    needed = (frozen.context, *(shard.staged for shard in frozen.shards))
    return frozen if all(_is_there(services, staged) for staged in needed) else None


def _is_there(services: Services, staged: StagedObject) -> bool:
    facts = services.store.stat(staged.key)
    return facts is not None and facts.size == staged.size


def _stage_context(services: Services, ref: JobRef, source: Source, options: Mapping[str, Any]) -> StagedObject:
    context = {**source.context, "columns": source.columns, "options": dict(options)}
    data = msgspec.json.encode(context)
    with services.store.writer(staging.context_key(ref)) as writer:
        for chunk in compress([data], "zstd"):
            writer.write(chunk)
    return writer.staged


def _freeze(services: Services, ref: JobRef, progress: Progress, tuples: Iterable[bytes]) -> Iterator[Shard]:
    """Cut the stream at row boundaries; even an export without rows has one, empty, shard."""
    stream = iter(tuples)
    index, more = 0, True
    while more or index == 0:
        cutter = _Cutter(stream, progress, limit=services.settings.shard_bytes)
        with services.store.writer(staging.shard_key(ref, index)) as writer:
            for chunk in compress(cutter, "zstd"):
                writer.write(chunk)
        more = not cutter.ended
        if cutter.rows == 0 and index > 0:
            services.store.delete(staging.shard_key(ref, index))
            return
        shard = Shard(index=index, rows=cutter.rows, copy_bytes=cutter.bytes, staged=writer.staged)
        ledger.commit_frozen(services.database, ref, shard)
        yield shard
        index += 1


class _Cutter:
    """One shard's worth of the stream, in runs of :data:`BATCH_BYTES`."""

    def __init__(self, stream: Iterator[bytes], progress: Progress, *, limit: int) -> None:
        self.rows = 0
        self.bytes = 0
        self.ended = False
        self._stream = stream
        self._progress = progress
        self._limit = limit

    def __iter__(self) -> Iterator[bytes]:
        batch: list[bytes] = []
        held = 0
        while self.bytes < self._limit:
            row = next(self._stream, None)
            if row is None:
                self.ended = True
                break
            batch.append(row)
            held += len(row)
            self.rows += 1
            self.bytes += len(row)
            if held >= BATCH_BYTES:
                yield self._flush(batch)
                held = 0
        yield self._flush(batch)

    def _flush(self, batch: list[bytes]) -> bytes:
        data = b"".join(batch)
        self._progress.advance(rows=len(batch), size=len(data))
        batch.clear()
        return data


def _check_count(source: Source, shards: tuple[Shard, ...]) -> None:
    came = sum(shard.rows for shard in shards)
    if came != source.counted_rows:
        raise IntegrityError(
            f"the snapshot counted {source.counted_rows} rows, but {came} came; nothing was published. "
            "Start the export again, and report this if it stays."
        )
