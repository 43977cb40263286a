"""The messages that a job's end calls for, put into the outbox by the transaction that ends it."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from export_pipelines.core.deliveries import DeliveryEvent
from export_pipelines.core.errors import ContentError
from export_pipelines.core.ids import new_id
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import tables
from export_pipelines.db.jobs.records import request_of

_EVENTS = {JobStatus.COMPLETED: DeliveryEvent.COMPLETED, JobStatus.FAILED: DeliveryEvent.FAILED}


def announce(session: Session, job: ExportJob, *, now: datetime) -> None:
    """Write a pending delivery for each recipient of a job that has just become COMPLETED or FAILED.

    What is there already stays. A job whose request cannot be read tells nobody: that must not keep it from ending.
    """
    recipients = _recipients(job)
    if not recipients:
        return
    facts = facts_of(job)
    rows = [
        {
            "id": new_id(),
            "job_id": job.id,
            "attempt": job.attempt,
            "event": _EVENTS[job.status],
            "recipient": recipient,
            "data": facts,
            "next_try_at": now,
            "created_at": now,
        }
        for recipient in recipients
    ]
    # By its package's name, for it comes late: most jobs tell nobody.
    session.execute(insert(tables.ExportDelivery).values(rows).on_conflict_do_nothing())


def _recipients(job: ExportJob) -> tuple[str, ...]:
    """Each once, in their order; rows that somebody inserted by hand may say anything."""
    try:
        delivery = request_of(job).delivery
    except ContentError:
        return ()
    said = () if delivery is None else delivery.recipients
    return tuple(dict.fromkeys(recipient for recipient in said if isinstance(recipient, str) and recipient))


def facts_of(job: ExportJob) -> dict[str, Any]:
    """What a message says, as it is now: a retry, say, would clear the error before the message is sent."""
    return {
        "job_id": job.id,
        "type": job.type,
        "title": job.title,
        "status": job.status,
        "attempt": job.attempt,
        "file_name": None if job.output_path is None else PurePosixPath(job.output_path).name,
        "size": job.output_size_bytes,
        "rows": job.record_count,
        "checksum": job.checksum,
        "expires_at": None if job.expires_at is None else job.expires_at.isoformat(),
        "error": job.error,
    }
