"""A working step's report: row, shard and event in one transaction, fenced by the attempt.

Written as SQL, in as few statements as locking allows: every working step does this again and again, and what it
costs is taken from the work.
"""

from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from export_pipelines.core.jobs import ExportJob, JobRef, JobStatus
from export_pipelines.core.progress import Report, advanced
from export_pipelines.db import events
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.changes import superseded
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow

_HOLD = (
    select(ExportJobRow)
    .where(
        ExportJobRow.id == bindparam("job_id"),
        ExportJobRow.status == JobStatus.PROCESSING,
        ExportJobRow.attempt == bindparam("attempt"),
    )
    .with_for_update(key_share=True)
)

# The sums are of before the update, so the shard's own figures are taken from the report.
_SHARDS = """
WITH mine AS (
    UPDATE {exports}.export_shards
    SET rows_rendered = greatest(rows_rendered, :rows), bytes_rendered = greatest(bytes_rendered, :bytes)
    WHERE job_id = :job_id AND attempt = :attempt AND shard_index = :shard
), figures AS (
    SELECT rows, copy_bytes, state = 'RENDERED' AS rendered,
        greatest(rows_rendered, CASE WHEN shard_index = :shard THEN :rows END) AS rows_rendered,
        greatest(bytes_rendered, CASE WHEN shard_index = :shard THEN :bytes END) AS bytes_rendered
    FROM {exports}.export_shards WHERE job_id = :job_id AND attempt = :attempt
)
SELECT coalesce(sum(CASE WHEN rendered THEN rows ELSE least(rows_rendered, rows) END), 0)::bigint,
    coalesce(sum(CASE WHEN rendered THEN copy_bytes ELSE least(bytes_rendered, copy_bytes) END), 0)::bigint,
    coalesce(sum(copy_bytes), 0)::bigint
FROM figures
"""

_WRITE = """
WITH changed AS (
    UPDATE {exports}.export_jobs
    SET progress_percent = :progress_percent, phase = :phase, rows_done = :rows_done, rows_total = :rows_total,
        bytes_done = :bytes_done, bytes_per_second = :bytes_per_second, estimated_finish_at = :estimated_finish_at,
        updated_at = :at
    WHERE id = :job_id
), told AS (
    INSERT INTO {exports}.export_events (job_id, attempt, progress_percent, rows_done, bytes_done, message, at)
    VALUES (:job_id, :attempt, :progress_percent, :rows_done, :bytes_done, :message, :at)
)
SELECT count(*) FROM {exports}.export_events WHERE job_id = :job_id
"""


def report_progress(database: Database, ref: JobRef, report: Report, *, now: datetime) -> ExportJob:
    """Note how far the work has come (percent never falls), and that the worker lives; the row as it is then.

    Steps that render shards beside each other report one after the other, each holding the row, so that every event
    is of all shards' work.

    Raises:
        SupersededError: the job has moved on; stop working.
    """
    fence = {"job_id": ref.job_id, "attempt": ref.attempt}
    with database.transaction() as session:
        row = session.scalar(_HOLD, fence)
        if row is None:
            raise superseded(session, ref.job_id, attempt=ref.attempt)
        before = job_of(row)
        whole = report if report.shard is None else _of_all_shards(database, session, ref, report)
        values = asdict(advanced(before, whole, now=now))
        at = max(now, before.updated_at)
        told = session.scalar(text(database.sql(_WRITE)), {**fence, **values, "at": at, "message": report.message})
        if told is not None and told >= events.KEPT:
            events.thin(session, ref.job_id)
        return replace(before, **values, updated_at=at)


def _of_all_shards(database: Database, session: Session, ref: JobRef, report: Report) -> Report:
    """Note the shard's own figures, and report what all shards add up to.

    A shard that is rendered again keeps the figures of its first try until the second has come further: nothing
    counts twice, and nothing falls.
    """
    own = {
        "job_id": ref.job_id,
        "attempt": ref.attempt,
        "shard": report.shard,
        "rows": report.rows_done,
        "bytes": report.bytes_done,
    }
    rows_done, bytes_done, bytes_total = session.execute(text(database.sql(_SHARDS)), own).one()
    return replace(report, rows_done=rows_done, bytes_done=bytes_done, bytes_total=bytes_total)
