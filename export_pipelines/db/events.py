"""The events of a job: written in the transaction that changes its row, read in order from any point on."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from export_pipelines.core.jobs import ExportJob
from export_pipelines.db.database import Database
from export_pipelines.db.tables import ExportEvent

KEPT = 1500
"""Events that one job has at most: half an hour of one worker's reports, and then fewer and fewer of older times."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One moment of a job.

    Attributes:
        id: greater than that of every earlier event of the job.
        rows_done, bytes_done: of the phase that the message names.
    """

    id: int
    job_id: str
    attempt: int
    progress_percent: int
    rows_done: int
    bytes_done: int
    message: str
    at: datetime


def append(session: Session, job: ExportJob, message: str) -> None:
    """Write an event of how the row stands, into the transaction that has just changed it.

    That transaction holds the row, so ids of one job's events become visible in their order: whoever has seen one has
    missed none before it.
    """
    session.add(
        ExportEvent(
            job_id=job.id,
            attempt=job.attempt,
            progress_percent=job.progress_percent,
            rows_done=job.rows_done,
            bytes_done=job.bytes_done,
            message=message,
            at=job.updated_at,
        )
    )
    session.flush()
    count = session.scalar(select(func.count()).where(ExportEvent.job_id == job.id))
    if count is not None and count > KEPT:
        thin(session, job.id)


def thin(session: Session, job_id: str) -> None:
    """Drop every second event of a job that has too many; the first stays, and of an odd number the newest."""
    place = func.row_number().over(order_by=ExportEvent.id).label("place")
    placed = select(ExportEvent.id, place).where(ExportEvent.job_id == job_id).subquery()
    even = select(placed.c.id).where(placed.c.place % 2 == 0)
    session.execute(
        delete(ExportEvent).where(ExportEvent.id.in_(even)), execution_options={"synchronize_session": False}
    )


def list_events(database: Database, job_id: str, *, after_id: int = 0) -> tuple[Event, ...]:
    """The job's events in order, those after ``after_id`` only; none for a job that is gone."""
    query = select(ExportEvent).where(ExportEvent.job_id == job_id, ExportEvent.id > after_id).order_by(ExportEvent.id)
    with database.transaction() as session:
        return tuple(_event(row) for row in session.scalars(query))


def last_event(database: Database, job_id: str) -> Event | None:
    """The newest of them."""
    query = select(ExportEvent).where(ExportEvent.job_id == job_id).order_by(ExportEvent.id.desc()).limit(1)
    with database.transaction() as session:
        row = session.scalar(query)
        return None if row is None else _event(row)


def _event(row: ExportEvent) -> Event:
    return Event(
        id=row.id,
        job_id=row.job_id,
        attempt=row.attempt,
        progress_percent=row.progress_percent,
        rows_done=row.rows_done,
        bytes_done=row.bytes_done,
        message=row.message,
        at=row.at.astimezone(UTC),
    )
