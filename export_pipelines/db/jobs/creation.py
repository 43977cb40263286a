"""Making a job out of a request."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from export_pipelines.core.ids import new_id
from export_pipelines.core.jobs import ExportJob, ExportRequest
from export_pipelines.db import audit
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.queue import size_hint
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
    with database.transaction() as session:
        row = _row(request, now=now, dagster_run_id=dagster_run_id)
        if claimed_by or dagster_run_id:
            row.claimed_at, row.claimed_by = now, claimed_by or f"Dagster run {dagster_run_id}"
        return _inserted(database, session, [row], now=now, actor=actor)[0]


def create_in(
    database: Database,
    session: Session,
    request: ExportRequest,
    *,
    now: datetime,
    actor: audit.Actor | None = None,
    retry_of: str | None = None,
) -> ExportJob:
    """As :func:`create`, inside a transaction that also writes why the job was made.

    ``retry_of`` is the job whose request this is once more; the audit entry says so.
    """
    why = {} if retry_of is None else {"retry_of": retry_of}
    return _inserted(database, session, [_row(request, now=now)], now=now, actor=actor, why=why)[0]


def create_all_in(
    database: Database, session: Session, requests: Iterable[ExportRequest], *, now: datetime
) -> tuple[ExportJob, ...]:
    """As :func:`create_in` for many at once, each asked for by its own user; in as few statements as can be."""
    return _inserted(database, session, [_row(request, now=now) for request in requests], now=now)


def _row(request: ExportRequest, *, now: datetime, dagster_run_id: str | None = None) -> ExportJobRow:
    return ExportJobRow(
        id=new_id(),
        user_id=request.user_id,
        type=request.type,
        input=input_of(request),
        title=request.title,
        dagster_run_id=dagster_run_id,
        created_at=now,
        updated_at=now,
    )


def _inserted(
    database: Database,
    session: Session,
    rows: Sequence[ExportJobRow],
    *,
    now: datetime,
    actor: audit.Actor | None = None,
    why: Mapping[str, str] | None = None,
) -> tuple[ExportJob, ...]:
    """Insert rows and audit entries; the jobs, with the database's defaults in them."""
    hints: dict[str, int] = {}
    for row in rows:
        subject = row.input["subject_id"]
        if subject not in hints:
            hints[subject] = size_hint(database, session, subject)
        row.size_hint = hints[subject]
    session.add_all(rows)
    session.flush()
    for row in rows:
        # No INSERT can say so, lest one of somebody else's did.
        row.admitted_at = now
        who = actor or audit.Actor(user_id=row.user_id)
        audit.record(
            session, job_id=row.id, action="created", at=now, actor=who, data={"type": row.type, **(why or {})}
        )
    session.flush()
    return tuple(job_of(row) for row in rows)
