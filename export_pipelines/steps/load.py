"""Load: freeze what an export reads, from one snapshot, into shards in staging; the only step that reads sources."""

from collections.abc import Iterator, Mapping
from typing import Any

from export_pipelines.catalog.export_type import ExportType, Streamed
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import FrozenShards, Shard, StagedObject
from export_pipelines.core.jobs import ExportJob, JobRef
from export_pipelines.db import ledger
from export_pipelines.db.jobs import ref_of, request_of
from export_pipelines.db.reading import rows_of
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources.source import Source
from export_pipelines.packaging.codecs import compress
from export_pipelines.steps import staging
from export_pipelines.steps.behind import taken_behind
from export_pipelines.steps.contexts import context_json, read_context
from export_pipelines.steps.cutting import Cut, RowStream, cuts
from export_pipelines.steps.progress import FREEZING, STREAMING, Progress
from export_pipelines.steps.services import Services
from export_pipelines.steps.stream import stream

BATCH_BYTES = 1 << 20
"""Rows are handed to the compressor in runs of about this size: one call a row costs more than the compression."""


def load(services: Services, export_type: ExportType, job: ExportJob, *, alone: bool = False) -> FrozenShards:
    """Freeze the job's rows, or find them frozen already by an interrupted run of the same attempt.

    Args:
        services: collaborators.
        export_type: the job's.
        job: begun.
        alone: whether this process will do the other steps too, so that nobody waits for shards to render.

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
    streams = export_type.streamed is Streamed.ALWAYS or (alone and export_type.streamed is Streamed.ALONE)
    phase = STREAMING if streams else FREEZING
    with open_snapshot(services.database) as snapshot:
        with Progress(services, ref, phase, interrupt=snapshot.cancel) as progress:
            source = export_type.read(snapshot, request.subject_id, request.options)
            progress.rows_total = source.counted_rows
            context = _stage_context(services, ref, source, request.options)
            found = rows_of(snapshot, source, readers=services.settings.effective_readers)
            rows = RowStream(found, on_batch=progress.advance)
            if streams:
                parsed = read_context(services.store, context)
                shards, streamed = stream(services, export_type, ref, rows=rows, context=parsed)
            else:
                shards, streamed = tuple(_freeze(services, ref, rows)), ()
        facts = snapshot.facts
    _check_count(source, shards)
    frozen = FrozenShards(
        job=ref,
        snapshot=facts,
        context=context,
        shards=shards,
        counted_rows=source.counted_rows,
        partial=source.partial,
        streamed=streamed,
    )
    staging.stage_record(services.store, staging.frozen_key(ref), frozen)
    return frozen


def frozen_before(services: Services, ref: JobRef) -> FrozenShards | None:
    """What this attempt froze before it was interrupted, when all of it is still there."""
    store = services.store
    if store.stat(staging.frozen_key(ref)) is None:
        return None
    frozen = staging.read_record(store, staging.frozen_key(ref), FrozenShards)
    return frozen if all(_is_there(services, staged) for staged in frozen.staged()) else None


def _is_there(services: Services, staged: StagedObject) -> bool:
    facts = services.store.stat(staged.key)
    return facts is not None and facts.size == staged.size


def _stage_context(services: Services, ref: JobRef, source: Source, options: Mapping[str, Any]) -> StagedObject:
    with services.store.writer(staging.context_key(ref)) as writer:
        for chunk in compress([context_json(source, options)], "zstd"):
            writer.write(chunk)
    return writer.staged


def _freeze(services: Services, ref: JobRef, rows: RowStream) -> Iterator[Shard]:
    """Stage the rows as they came, one object a shard."""
    for index, cut in enumerate(cuts(rows, limit=services.settings.shard_bytes, batch_bytes=BATCH_BYTES)):
        staged = _stage(services, ref, cut, index=index)
        shard = Shard(index=index, rows=cut.rows, copy_bytes=cut.bytes, staged=staged)
        ledger.commit_frozen(services.database, ref, shard)
        yield shard


def _stage(services: Services, ref: JobRef, cut: Cut, *, index: int) -> StagedObject:
    with services.store.writer(staging.shard_key(ref, index)) as writer:

        def write(chunks: Iterator[bytes]) -> None:
            for chunk in compress(chunks, "zstd"):
                writer.write(chunk)

        taken_behind(cut, write, size=len)
    return writer.staged


def _check_count(source: Source, shards: tuple[Shard, ...]) -> None:
    came = sum(shard.rows for shard in shards)
    if came != source.counted_rows:
        raise IntegrityError(
            f"the snapshot counted {source.counted_rows} rows, but {came} came; nothing was published. "
            "Start the export again, and report this if it stays."
        )
