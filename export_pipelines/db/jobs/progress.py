"""A working step's report: row, shard and event in one transaction, fenced by the attempt."""

from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from export_pipelines.core.jobs import ExportJob, JobRef
from export_pipelines.core.progress import Report, advanced
from export_pipelines.db import events
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.changes import at_work, change, superseded
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow, ExportShard, ShardState


def report_progress(database: Database, ref: JobRef, report: Report, *, now: datetime) -> ExportJob:
    """Note how far the work has come (percent never falls), and that the worker lives; the row as it is then.

    Steps that render shards beside each other report one after the other, each holding the row, so that every event
    is of all shards' work.

    Raises:
        SupersededError: the job has moved on; stop working.
    """
    with database.transaction() as session:
        before = _held(session, ref)
        whole = report if report.shard is None else _of_all_shards(session, ref, report)
        values = asdict(advanced(before, whole, now=now))
        job = change(session, ref.job_id, *at_work(ref), now=now, values=values)
        if job is None:
            raise superseded(session, ref.job_id, attempt=ref.attempt)
        events.append(session, job, report.message)
        return job


def _held(session: Session, ref: JobRef) -> ExportJob:
    """The row, kept from other reports until the transaction ends."""
    query = select(ExportJobRow).where(ExportJobRow.id == ref.job_id, *at_work(ref)).with_for_update(key_share=True)
    row = session.scalar(query)
    if row is None:
        raise superseded(session, ref.job_id, attempt=ref.attempt)
    return job_of(row)


def _of_all_shards(session: Session, ref: JobRef, report: Report) -> Report:
    """Note the shard's own figures, and report what all shards add up to.

    A shard that is rendered again keeps the figures of its first try until the second has come further: nothing
    counts twice, and nothing falls.
    """
    mine = (ExportShard.job_id == ref.job_id, ExportShard.attempt == ref.attempt)
    session.execute(
        update(ExportShard)
        .where(*mine, ExportShard.shard_index == report.shard)
        .values(
            rows_rendered=func.greatest(ExportShard.rows_rendered, report.rows_done),
            bytes_rendered=func.greatest(ExportShard.bytes_rendered, report.bytes_done),
        ),
        execution_options={"synchronize_session": False},
    )
    rendered = ExportShard.state == ShardState.RENDERED
    rows = case((rendered, ExportShard.rows), else_=func.least(ExportShard.rows_rendered, ExportShard.rows))
    size = case(
        (rendered, ExportShard.copy_bytes), else_=func.least(ExportShard.bytes_rendered, ExportShard.copy_bytes)
    )
    sums = (func.coalesce(func.sum(each), 0) for each in (rows, size, ExportShard.copy_bytes))
    rows_done, bytes_done, bytes_total = session.execute(select(*sums).where(*mine)).one()
    return replace(report, rows_done=int(rows_done), bytes_done=int(bytes_done), bytes_total=int(bytes_total))
