"""Render: one frozen shard to one part of the final file; knows no source table and may run anywhere."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context, Part, ShardTask, StagedObject
from export_pipelines.db import ledger
from export_pipelines.packaging.codecs import compress, decompress
from export_pipelines.packaging.segments import write_part
from export_pipelines.rendering.base import ArchiveFormat, FlatFormat, Row
from export_pipelines.rendering.frames import read_frames
from export_pipelines.steps import staging
from export_pipelines.steps.contexts import read_context
from export_pipelines.steps.progress import RENDERING, Progress
from export_pipelines.steps.services import Services
from export_pipelines.storage.store import ObjectStore

READ_BYTES = 1 << 17
"""Of a shard at once; it may unpack to ten times as many."""
ROWS_A_COUNT = 256
"""Rows that are counted at once."""


def render(services: Services, export_type: ExportType, task: ShardTask) -> Part:
    """Render the shard, or find its part rendered already.

    Raises:
        IntegrityError: the frozen bytes are damaged, or the rows do not add up.
        ContentError: a row's content cannot be read; the message names it.
        SupersededError: the job moved on meanwhile.
    """
    already = _rendered_before(services, task)
    if already is not None:
        return already
    if task.shard.staged is None:
        raise IntegrityError(
            f"shard {task.shard.index} of job {task.job.job_id} was rendered as it was read, and its part is gone; "
            f"`export-pipelines jobs retry {task.job.job_id}` begins again."
        )
    context = read_context(services.store, task.context)
    message = f"rendering shard {task.shard.index + 1} of {task.shards}"
    with Progress(
        services, task.job, RENDERING, message=message, rows_total=task.counted_rows, shard=task.shard.index
    ) as progress:
        rows = _CountedRows(services.store, task.shard.staged, progress)
        part = _render(services, export_type, task, rows, context)
        ledger.commit_rendered(services.database, task.job, part)
    return part


def _render(
    services: Services, export_type: ExportType, task: ShardTask, rows: "_CountedRows", context: Context
) -> Part:
    report = FidelityReport()
    if export_type.is_archive:
        part = _render_archive(services, cast("ArchiveFormat", export_type.format), task, rows, context, report)
    else:
        part = _render_flat(services, cast("FlatFormat", export_type.format), task, rows, context, report)
    if rows.count != task.shard.rows:
        raise IntegrityError(
            f"shard {task.shard.index} of job {task.job.job_id} holds {task.shard.rows} rows, but {rows.count} were "
            "rendered; nothing was published. Start the export again."
        )
    return part


def _rendered_before(services: Services, task: ShardTask) -> Part | None:
    part = ledger.reusable_part(services.database, task.job, task.shard.index)
    if part is None:
        return None
    staged = [part.body] if part.index is None else [part.body, part.index]
    for object_ in staged:
        facts = services.store.stat(object_.key)
        if facts is None or facts.size < object_.offset + object_.size:
            return None
    return part


def _render_flat(
    services: Services,
    format_: FlatFormat,
    task: ShardTask,
    rows: "_CountedRows",
    context: Context,
    report: FidelityReport,
) -> Part:
    codec = str(context["options"].get("compression", "none"))
    with services.store.writer(staging.part_key(task.job, task.shard.index)) as body:
        for chunk in compress(format_.body(iter(rows), context, report), codec):
            body.write(chunk)
    return _part(task, rows, records=rows.count, body=body.staged, index=None, report=report)


def _render_archive(
    services: Services,
    format_: ArchiveFormat,
    task: ShardTask,
    rows: "_CountedRows",
    context: Context,
    report: FidelityReport,
) -> Part:
    store, index_of = services.store, task.shard.index
    entries = format_.entries(iter(rows), context, report, shard=index_of)
    with (
        store.writer(staging.part_key(task.job, index_of)) as body,
        store.writer(staging.part_key(task.job, index_of, kind="index")) as index,
    ):
        totals = write_part(entries, body=body, index=index)
    return _part(task, rows, records=totals.records, body=body.staged, index=index.staged, report=report)


def _part(
    task: ShardTask,
    rows: "_CountedRows",
    *,
    records: int,
    body: StagedObject,
    index: StagedObject | None,
    report: FidelityReport,
) -> Part:
    return Part(
        shard_index=task.shard.index,
        rows=rows.count,
        records=records,
        body=body,
        index=index,
        fidelity=report.notes(),
    )


class _CountedRows:
    """The shard's rows, checked against its SHA-256 when the last has been read, counted for the progress."""

    def __init__(self, store: ObjectStore, staged: StagedObject, progress: Progress) -> None:
        self.count = 0
        self._store = store
        self._staged = staged
        self._progress = progress

    def __iter__(self) -> Iterator[Row]:
        staged = self._staged
        with self._store.open(staged.key) as stream:
            for row in read_frames(self._sized(decompress(_verified(stream, staged), "zstd"))):
                self.count += 1
                if self.count % ROWS_A_COUNT == 0:
                    self._progress.advance(rows=ROWS_A_COUNT)
                yield row
        self._progress.advance(rows=self.count % ROWS_A_COUNT)

    def _sized(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._progress.advance(size=len(chunk))
            yield chunk


def _verified(stream: BinaryIO, staged: StagedObject) -> Iterable[bytes]:
    digest = hashlib.sha256()
    while chunk := stream.read(READ_BYTES):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != staged.sha256:
        raise IntegrityError(f"{staged.key} is damaged (its SHA-256 differs); start the export again.")
