"""Turning a slot into an export, once: the slot's row, the job and the schedule's own figures in one transaction."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from export_pipelines.core.jobs import ExportJob, ExportRequest
from export_pipelines.core.schedules import Schedule
from export_pipelines.core.slots import Slot
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.db.schedules.changes import change
from export_pipelines.db.schedules.outcomes import FAILED, pause_when_failing
from export_pipelines.db.tables import ExportScheduleRow, ExportScheduleSlot


def fire(
    database: Database, schedule_id: str, slot: Slot, request: ExportRequest, *, following: datetime, now: datetime
) -> ExportJob | None:
    """Make the slot's job, PENDING, and move the schedule on to the slot that follows.

    Returns:
        The job; None when the slot has given one before, or the schedule was paused or removed meanwhile.
    """
    with database.transaction() as session:
        if not _take(session, schedule_id, slot, following=following, now=now):
            return None
        job = jobs.create_in(database, session, request, now=now)
        row = session.get_one(ExportScheduleSlot, (schedule_id, slot.local, slot.fold))
        row.job_id = job.id
        return job


def refuse(
    database: Database, schedule_id: str, slot: Slot, *, error: str, following: datetime, now: datetime
) -> Schedule | None:
    """Note that the slot gave no job because its order was wrong, which is a failure, and move the schedule on.

    Returns:
        The schedule, which may have paused itself over it; None as for :func:`fire`.
    """
    with database.transaction() as session:
        if not _take(session, schedule_id, slot, following=following, now=now, outcome=FAILED, error=error):
            return None
        failures = ExportScheduleRow.failure_count + 1
        counted = change(session, schedule_id, now=now, values={"failure_count": failures})
        return pause_when_failing(session, schedule_id, now=now) or counted


def skip_to(database: Database, schedule_id: str, *, seen: datetime, following: datetime, now: datetime) -> None:
    """Move the schedule on over slots that were missed, unless somebody else has moved it already."""
    conditions = (ExportScheduleRow.active.is_(True), ExportScheduleRow.next_run == seen)
    with database.transaction() as session:
        change(session, schedule_id, *conditions, now=now, values={"next_run": following})


def _take(
    session: Session, schedule_id: str, slot: Slot, *, following: datetime, now: datetime, **outcome: str
) -> bool:
    """Whether the slot is ours to fire; two that try wait for each other at the schedule's row, or the slot's key."""
    row = ExportScheduleRow
    # A schedule that was given other times since it was read has its next slot later than this one, which is none now.
    held = select(row.id).where(row.id == schedule_id, row.active, row.next_run <= slot.at)
    if session.scalar(held.with_for_update()) is None:
        return False
    key = {"schedule_id": schedule_id, "local_time": slot.local, "fold": slot.fold}
    taken = insert(ExportScheduleSlot).values(**key, at=slot.at, created_at=now, **outcome).on_conflict_do_nothing()
    is_ours = session.scalar(taken.returning(ExportScheduleSlot.fold)) is not None
    figures = {"run_count": ExportScheduleRow.run_count + 1, "last_run": now} if is_ours else {}
    moved_on = {"next_run": func.greatest(ExportScheduleRow.next_run, following)}
    change(session, schedule_id, now=now, values={**moved_on, **figures})
    return is_ours
