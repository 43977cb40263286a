"""Making a job out of a request."""

from datetime import datetime

from export_pipelines.core.ids import new_id
from export_pipelines.core.jobs import ExportJob, ExportRequest
from export_pipelines.db import audit
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.queries import row_of
from export_pipelines.db.jobs.queue import rows_of
from export_pipelines.db.jobs.records import input_of, job_of
from export_pipelines.db.tables import ExportJobRow


def create(
    database: Database,
    request: ExportRequest,
    *,
    now: datetime,
    dagster_run_id: str | None = None,
    claimed_by: str | None = None,
    actor: audit.Actor | None = None,
) -> ExportJob:
    """Make the request's row, PENDING, and its first audit entry.

    It waits in the queue for a run, unless somebody has one for it already: ``dagster_run_id``, or ``claimed_by``.

    Raises:
        ValidationError: the user does not exist, or a value cannot be stored.
    """
    row = ExportJobRow(
        id=new_id(),
        user_id=request.user_id,
        type=request.type,
        input=input_of(request),
        title=request.title,
        dagster_run_id=dagster_run_id,
        created_at=now,
        updated_at=now,
    )
    if claimed_by or dagster_run_id:
        row.claimed_at, row.claimed_by = now, claimed_by or f"Dagster run {dagster_run_id}"
    who = actor or audit.Actor(user_id=request.user_id)
    with database.transaction() as session:
        row.size_hint = rows_of(database, session, request.subject_id)
        session.add(row)
        session.flush()
        audit.record(session, job_id=row.id, action="created", at=now, actor=who, data={"type": request.type})
        return job_of(row_of(session, row.id))
