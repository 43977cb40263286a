"""Who may reach a file and for how long: links made, files shared, jobs deleted; each is in the audit log."""

from datetime import datetime

from sqlalchemy import delete as delete_from

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.queries import row_of
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow

_UNFINISHED = (JobStatus.PENDING, JobStatus.PROCESSING)


def note_link(
    database: Database,
    job_id: str,
    *,
    expires_at: datetime,
    person: str | None,
    now: datetime,
    actor: audit.Actor | None = None,
) -> ExportJob:
    """Write down that a further link to a job's file is made, for anybody or for one user.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: it has no file, or the file does not live as long as the link.
    """
    with database.transaction() as session:
        job = job_of(row_of(session, job_id))
        if job.status is not JobStatus.COMPLETED or job.expires_at is None or job.expires_at < expires_at:
            raise ConflictError(f"job {job_id} is {job.status} and has no file for so long; start a new export.")
        data = {"expires_at": expires_at.isoformat(), "person": person}
        audit.record(session, job_id=job_id, action="link_minted", at=now, actor=actor, data=data)
        if person is not None:
            audit.record(session, job_id=job_id, action="shared", at=now, actor=actor, data={"person": person})
        return job


def delete(database: Database, job_id: str, *, now: datetime, actor: audit.Actor | None = None) -> ExportJob:
    """Delete the row of a job that is over, with its events and shards; its history stays in the audit log.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: it is waiting or being worked on.
    """
    over = (ExportJobRow.id == job_id, ExportJobRow.status.not_in(_UNFINISHED))
    with database.transaction() as session:
        job = job_of(row_of(session, job_id))
        if session.scalar(delete_from(ExportJobRow).where(*over).returning(ExportJobRow.id)) is None:
            raise ConflictError(f"job {job_id} is {job.status}; cancel it first, with: export-pipelines jobs cancel")
        data = {"type": job.type, "status": str(job.status), "output_path": job.output_path}
        audit.record(session, job_id=job_id, action="deleted", at=now, actor=actor, data=data)
        return job
