"""Requests that make a job: counted, made at most once for each key, and all of it in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.jobs import ExportJob, ExportRequest, JobStatus
from export_pipelines.db import audit, counting, events, repeats
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.changes import NO_ESTIMATE, change
from export_pipelines.db.jobs.creation import create_in
from export_pipelines.db.jobs.queue import size_hint
from export_pipelines.db.jobs.records import input_of, job_of
from export_pipelines.db.repeats import RequestKey
from export_pipelines.db.tables import ExportJobRow


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks, and how often they may.

    Attributes:
        user_id: whose requests are counted, and whose key it is; not always the owner of the job.
        key: None for a request that makes another job each time it is sent.
        most: creating requests of one user in any hour.
    """

    user_id: str
    actor: audit.Actor
    key: RequestKey | None
    most: int


@dataclass(frozen=True, kw_only=True)
class Made:
    """The job that a request made; ``replayed`` when an earlier one of the same key had made it already."""

    job: ExportJob
    replayed: bool


def made_before(database: Database, asking: Asking, *, now: datetime) -> ExportJob | None:
    """The job that the same request made before: a look without waiting for anybody.

    Raises:
        KeyReusedError: the key was another request's.
        ConflictError: the job is deleted.
    """
    with database.transaction() as session:
        return _earlier(session, asking, now=now)


def create_once(
    database: Database, request: ExportRequest, asking: Asking, *, now: datetime, retry_of: str | None = None
) -> Made:
    """Make the request's PENDING job, which waits in the queue; of requests with one key, the first makes it.

    Raises:
        TooManyRequestsError: the user has to wait.
        KeyReusedError, ConflictError: as :func:`made_before`.
        ValidationError: a value cannot be stored.
    """

    def make(session: Session) -> ExportJob:
        return create_in(database, session, request, now=now, actor=asking.actor, retry_of=retry_of)

    return _once(database, asking, make, now=now)


def requeue_once(database: Database, job: ExportJob, request: ExportRequest, asking: Asking, *, now: datetime) -> Made:
    """Have a FAILED job taken up again by the queue, under its next run key; what it had finished is used.

    Raises:
        ConflictError: the job has moved on since it was read; or as :func:`made_before`.
        TooManyRequestsError, KeyReusedError: as :func:`create_once`.
    """

    def make(session: Session) -> ExportJob:
        return _requeue(database, session, job, request, actor=asking.actor, now=now)

    return _once(database, asking, make, now=now)


def _once(database: Database, asking: Asking, make: Callable[[Session], ExportJob], *, now: datetime) -> Made:
    with database.transaction() as session:
        counting.take_turn(session, asking.user_id)
        earlier = _earlier(session, asking, now=now)
        if earlier is not None:
            return Made(job=earlier, replayed=True)
        counting.count(session, who=asking.user_id, most=asking.most, now=now)
        job = make(session)
        if asking.key is not None:
            repeats.remember(session, asking.key, user_id=asking.user_id, job_id=job.id, now=now)
        return Made(job=job, replayed=False)


def _earlier(session: Session, asking: Asking, *, now: datetime) -> ExportJob | None:
    if asking.key is None:
        return None
    job_id = repeats.find(session, asking.key, user_id=asking.user_id, now=now)
    if job_id is None:
        return None
    row = session.get(ExportJobRow, job_id, populate_existing=True)
    if row is None:
        raise ConflictError(f"job {job_id}, which this request made, was deleted; ask again with a new key.")
    return job_of(row)


def _requeue(
    database: Database,
    session: Session,
    job: ExportJob,
    request: ExportRequest,
    *,
    actor: audit.Actor,
    now: datetime,
) -> ExportJob:
    same = (
        ExportJobRow.status == JobStatus.FAILED,
        ExportJobRow.attempt == job.attempt,
        ExportJobRow.launch == job.launch,
    )
    values = {
        "status": JobStatus.PROCESSING,
        "error": None,
        "launch": job.launch + 1,
        "launch_after": now,
        "claimed_at": None,
        "claimed_by": None,
        # Of a row that plain SQL made, and that was refused before anybody had looked what it comes to.
        "input": input_of(request),
        "title": request.title,
        "size_hint": size_hint(database, session, request.subject_id),
        **NO_ESTIMATE,
    }
    changed = change(session, job.id, *same, now=now, values=values)
    if changed is None:
        raise ConflictError(f"job {job.id} has moved on meanwhile; look at it again before you retry it.")
    data = {"type": job.type, "attempt": job.attempt}
    audit.record(session, job_id=job.id, action="retried", at=now, actor=actor, data=data)
    events.append(session, changed, "waits to be taken up again")
    return changed
