"""The changes of a job that is being worked on, or is about to be: claim, reopen, cancel."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.jobs import UNFINISHED, ExportJob, JobRef, JobStatus
from export_pipelines.db import audit, events
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.arrivals import note_arrival
from export_pipelines.db.jobs.changes import NO_ESTIMATE, at_work, change, superseded, unchanged
from export_pipelines.db.jobs.queries import row_of
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow

_RESUMABLE = (JobStatus.FAILED, JobStatus.PROCESSING)
_UNAUDITED = """
SELECT id FROM {exports}.export_jobs AS jobs WHERE status = 'CANCELLED' AND created_at > :since AND NOT EXISTS (
    SELECT FROM {exports}.export_audit_logs AS logs WHERE logs.job_id = jobs.id AND logs.action = 'cancelled'
) FOR UPDATE SKIP LOCKED
"""
_FROM_NOTHING = {"progress_percent": 0, "phase": None, "rows_done": 0, "rows_total": None, "bytes_done": 0}


def claim(database: Database, job_id: str, *, dagster_run_id: str | None, now: datetime) -> ExportJob:
    """PENDING to PROCESSING, for one claimant only; the same Dagster run may claim again and gets the job back.

    Raises:
        NotFoundError: there is no such job.
        SupersededError: somebody else has it, or it is over.
    """
    values: dict[str, Any] = {"status": JobStatus.PROCESSING, "started_at": now, "error": None, "launch_after": None}
    if dagster_run_id is not None:
        values["dagster_run_id"] = dagster_run_id
    with database.transaction() as session:
        job = change(session, job_id, ExportJobRow.status == JobStatus.PENDING, now=now, values=values)
        if job is None:
            return _taken_by_same_run(session, job_id, dagster_run_id)
        audit.record(session, job_id=job_id, action="started", at=now, data=_run_data(job))
        events.append(session, job, "started")
        return job


def reopen(
    database: Database, job_id: str, *, dagster_run_id: str | None, now: datetime, new_attempt: bool
) -> ExportJob:
    """Take up a FAILED job again, or a PROCESSING one whose worker the caller knows to be dead.

    With ``new_attempt`` it begins from nothing under the next attempt, which fences off whatever the old one still
    does; otherwise it goes on with what the same attempt has frozen and rendered. Of two that try at once one gets
    it; steps of one Dagster run count as one.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: the job is not FAILED or PROCESSING.
        SupersededError: somebody else took it up meanwhile.
    """
    with database.transaction() as session:
        before = job_of(row_of(session, job_id))
        if before.status not in _RESUMABLE:
            raise ConflictError(f"Export job {job_id} is {before.status} and cannot be continued; start a new export.")
        values: dict[str, Any] = {"status": JobStatus.PROCESSING, "error": None, "dagster_run_id": dagster_run_id}
        values |= {"launch_after": None, **NO_ESTIMATE}
        if new_attempt:
            values |= {"attempt": before.attempt + 1, "started_at": now, **_FROM_NOTHING}
        job = change(session, job_id, *unchanged(before), now=now, values=values)
        if job is None:
            return _taken_by_same_run(session, job_id, dagster_run_id)
        how = {"continued": not new_attempt}
        audit.record(session, job_id=job_id, action="started", at=now, data=_run_data(job) | how)
        events.append(session, job, _afresh(before) if new_attempt else "continued")
        return job


def require_current(database: Database, ref: JobRef) -> None:
    """Look whether the job is still being processed by this attempt, before something that cannot be undone.

    Raises:
        SupersededError: it is not; stop working.
    """
    with database.transaction() as session:
        fence(session, ref)


def fence(session: Session, ref: JobRef) -> None:
    """Hold the job's row, being processed by this attempt, until the transaction ends.

    Raises:
        SupersededError: the job has moved on.
    """
    held = select(ExportJobRow.id).where(ExportJobRow.id == ref.job_id, *at_work(ref)).with_for_update(read=True)
    if session.scalar(held) is None:
        raise superseded(session, ref.job_id, attempt=ref.attempt)


def cancel(
    database: Database,
    job_id: str,
    *,
    now: datetime,
    actor: audit.Actor | None = None,
    seen: ExportJob | None = None,
) -> ExportJob:
    """PENDING or PROCESSING to CANCELLED; a job that is over stays what it is, as the returned record shows.

    With ``seen``, so does one that is no longer as it was then.

    Raises:
        NotFoundError: there is no such job.
    """
    values = {"status": JobStatus.CANCELLED, **NO_ESTIMATE}
    conditions = (ExportJobRow.status.in_(UNFINISHED), *(unchanged(seen) if seen else ()))
    with database.transaction() as session:
        job = change(session, job_id, *conditions, now=now, values=values)
        if job is None:
            return job_of(row_of(session, job_id))
        if job.admitted_at is None:
            note_arrival(session, job)
        audit.record(session, job_id=job_id, action="cancelled", at=now, actor=actor)
        events.append(session, job, "cancelled")
        return job


def audit_cancellations(database: Database, *, now: datetime) -> tuple[str, ...]:
    """Give jobs that plain SQL set to CANCELLED in the last month their entry in the audit log.

    Returns:
        Their ids.
    """
    with database.transaction() as session:
        ids = tuple(session.scalars(text(database.sql(_UNAUDITED)), {"since": now - timedelta(days=30)}))
        for job_id in ids:
            note_arrival(session, job_of(row_of(session, job_id)))
            audit.record(session, job_id=job_id, action="cancelled", at=now, data={"by": "plain SQL"})
    return ids


def _taken_by_same_run(session: Session, job_id: str, dagster_run_id: str | None) -> ExportJob:
    """The row as it is now, when the same run has it already: a step that is retried, or its neighbour."""
    row = row_of(session, job_id)
    if row.status is JobStatus.PROCESSING and dagster_run_id is not None and row.dagster_run_id == dagster_run_id:
        return job_of(row)
    raise superseded(session, job_id, attempt=row.attempt)


def _afresh(before: ExportJob) -> str:
    return f"started again from nothing: what attempt {before.attempt} read is not, or no longer, all in staging"


def _run_data(job: ExportJob) -> dict[str, object]:
    return {"attempt": job.attempt, "dagster_run_id": job.dagster_run_id}
