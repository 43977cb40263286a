"""How a job ends, and what becomes of its file: completed, failed, downloaded, expired."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from export_pipelines.core.fidelity import PARTIAL_RUN, FidelityNote
from export_pipelines.core.frozen import StoredFile
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, events
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.announcing import announce
from export_pipelines.db.jobs.arrivals import note_arrival
from export_pipelines.db.jobs.changes import NO_ESTIMATE, at_work, change, superseded, unchanged
from export_pipelines.db.jobs.queries import row_of
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow

_UNFINISHED = (JobStatus.PENDING, JobStatus.PROCESSING)
_ERROR_LENGTH = 10_000
"""Characters of an error that the row keeps: a stack trace fits, a quoted document does not."""


def complete(database: Database, stored: StoredFile, *, url: str, expires_at: datetime, now: datetime) -> ExportJob:
    """PROCESSING to COMPLETED, with everything that is known of the file; the same file twice is no error.

    ``url`` is the download link that users get.

    Raises:
        SupersededError: the job has moved on; the file should be taken back.
    """
    ref = stored.job
    values = {
        "status": JobStatus.COMPLETED,
        "output_path": stored.key,
        "output_url": url,
        "output_size_bytes": stored.size,
        "record_count": stored.record_count,
        "checksum": stored.sha256,
        "fidelity": [note.as_json() for note in _notes(stored)],
        "progress_percent": 100,
        "bytes_done": stored.size,
        **NO_ESTIMATE,
        "expires_at": expires_at,
        "completed_at": now,
        "error": None,
    }
    with database.transaction() as session:
        job = change(session, ref.job_id, *at_work(ref), now=now, values=values)
        if job is None:
            return _completed_before(session, stored)
        file = {"size": stored.size, "sha256": stored.sha256, "partial": stored.partial}
        data = {"attempt": ref.attempt, **file, **_spent(job), "records": stored.record_count}
        audit.record(session, job_id=ref.job_id, action="completed", at=now, data=data)
        audit.record(
            session, job_id=ref.job_id, action="link_minted", at=now, data={"expires_at": expires_at.isoformat()}
        )
        events.append(session, job, "published")
        announce(session, job, now=now)
        return job


def fail(
    database: Database,
    *,
    job_id: str,
    attempt: int | None,
    error: str,
    now: datetime,
    seen: ExportJob | None = None,
) -> ExportJob | None:
    """PENDING or PROCESSING to FAILED; None, and nothing changed, when the job has moved on or is gone.

    An ``attempt`` of None means whichever is current. What PostgreSQL cannot store in ``error`` is replaced. With
    ``seen``, a job whose row is no longer as it was then has moved on too.
    """
    conditions: list[ColumnElement[bool]] = [ExportJobRow.status.in_(_UNFINISHED)]
    if attempt is not None:
        conditions.append(ExportJobRow.attempt == attempt)
    if seen is not None:
        conditions += unchanged(seen)
    text = _storable(error)
    with database.transaction() as session:
        values = {"status": JobStatus.FAILED, "error": text, **NO_ESTIMATE}
        job = change(session, job_id, *conditions, now=now, values=values)
        if job is not None:
            if job.admitted_at is None:
                note_arrival(session, job)
            data = {"attempt": job.attempt, "error": text, **_spent(job)}
            audit.record(session, job_id=job_id, action="failed", at=now, data=data)
            events.append(session, job, "failed")
            announce(session, job, now=now)
        return job


def expire(database: Database, job_id: str, *, now: datetime) -> ExportJob | None:
    """COMPLETED to EXPIRED once its time is over; None, and nothing changed, when it is not, or was expired before."""
    conditions = (ExportJobRow.status == JobStatus.COMPLETED, ExportJobRow.expires_at <= now)
    with database.transaction() as session:
        job = change(session, job_id, *conditions, now=now, values={"status": JobStatus.EXPIRED})
        if job is not None:
            audit.record(session, job_id=job_id, action="expired", at=now, data={"output_path": job.output_path})
        return job


def count_download(
    database: Database, job_id: str, *, now: datetime, actor: audit.Actor | None = None
) -> ExportJob | None:
    """Count and audit one download; None, and nothing changed, unless the file is there and its time is not over."""
    with database.transaction() as session:
        return count_download_in(session, job_id, now=now, actor=actor)


def count_download_in(
    session: Session,
    job_id: str,
    *,
    now: datetime,
    actor: audit.Actor | None = None,
    data: Mapping[str, Any] | None = None,
) -> ExportJob | None:
    """The same within a transaction that is under way; ``data`` is what the audit log says besides."""
    conditions = (ExportJobRow.status == JobStatus.COMPLETED, ExportJobRow.expires_at > now)
    values = {"download_count": ExportJobRow.download_count + 1}
    job = change(session, job_id, *conditions, now=now, values=values)
    if job is not None:
        audit.record(session, job_id=job_id, action="downloaded", at=now, actor=actor, data=data)
    return job


def _spent(job: ExportJob) -> dict[str, object]:
    """Whose export it was, and how long it took: usage is counted from the log, which outlives the row."""
    took = job.updated_at - (job.started_at or job.updated_at)
    return {"owner": job.user_id, "type": job.type, "duration_ms": round(took.total_seconds() * 1000)}


def _notes(stored: StoredFile) -> tuple[FidelityNote, ...]:
    """What the file could not keep; the row has no other place that says that it is of an unfinished run."""
    told = any(note.kind == PARTIAL_RUN.kind for note in stored.fidelity)
    return (PARTIAL_RUN, *stored.fidelity) if stored.partial and not told else stored.fidelity


def _completed_before(session: Session, stored: StoredFile) -> ExportJob:
    ref = stored.job
    job = job_of(row_of(session, ref.job_id))
    same = (job.attempt, job.checksum, job.output_path) == (ref.attempt, stored.sha256, stored.key)
    if job.status is JobStatus.COMPLETED and same:
        return job
    raise superseded(session, ref.job_id, attempt=ref.attempt)


def _storable(error: str) -> str:
    """The text without what would keep the failure itself from being recorded: NUL and lone surrogates."""
    text = error.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text[:_ERROR_LENGTH].strip() or "failed without a message"
