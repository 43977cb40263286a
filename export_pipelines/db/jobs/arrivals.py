"""The first audit entry of a job that plain SQL inserted, written by whoever first does something about it."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import audit
from export_pipelines.db.tables import AuditLog


def note_arrival(session: Session, job: ExportJob) -> None:
    """Record that the job was created, unless that is recorded; the transaction has to hold its row."""
    noted = exists().where(AuditLog.job_id == job.id, AuditLog.action == "created")
    if not session.scalar(select(noted)):
        data = {"by": "a row that was inserted by plain SQL", "type": job.type}
        audit.record(session, job_id=job.id, action="created", at=job.created_at, data=data)
