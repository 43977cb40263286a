"""What people do to a schedule: add, pause, resume, remove."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, update
from sqlalchemy.orm import Session

from export_pipelines.core.errors import ConflictError, NotFoundError
from export_pipelines.core.schedules import Schedule, ScheduleRequest
from export_pipelines.db import audit
from export_pipelines.db.database import Database
from export_pipelines.db.schedules.queries import get
from export_pipelines.db.schedules.records import columns_of, row_of, schedule_of
from export_pipelines.db.tables import ExportScheduleRow


def add(database: Database, request: ScheduleRequest, *, next_run: datetime, now: datetime) -> Schedule:
    """Make the schedule's row, active.

    Raises:
        ConflictError: the user has a schedule of that name.
        ValidationError: the user does not exist, or a value cannot be stored.
    """
    row = row_of(request, next_run=next_run, now=now)
    try:
        with database.transaction() as session:
            session.add(row)
            session.flush()
            session.refresh(row)
            return schedule_of(row)
    except ConflictError as error:
        raise _taken(request.name) from error


def alter(
    database: Database, seen: Schedule, request: ScheduleRequest, *, next_run: datetime | None, now: datetime
) -> Schedule:
    """Have the schedule ask for something else, or at other times; a paused one stays paused.

    Args:
        database: where.
        seen: the schedule as it was when the change was thought out.
        request: what it shall be.
        next_run: its first slot at other times; None to leave that as it is.
        now: the present moment.

    Raises:
        ConflictError: it was changed or removed meanwhile, or the user has another of that name.
        ValidationError: a value cannot be stored.
    """
    values = columns_of(request)
    if next_run is not None:
        values["next_run"] = case((ExportScheduleRow.active, next_run))
    unchanged = ExportScheduleRow.updated_at == seen.updated_at
    try:
        with database.transaction() as session:
            altered = change(session, seen.id, unchanged, now=now, values=values)
    except ConflictError as error:
        raise _taken(request.name) from error
    if altered is None:
        raise ConflictError(f"schedule {seen.id} was changed meanwhile, perhaps by a slot of its own; try again.")
    return altered


def pause(database: Database, schedule_id: str, *, reason: str, now: datetime) -> Schedule:
    """Stop the schedule's slots from giving exports; one that is paused keeps the reason that it has.

    Raises:
        NotFoundError: there is no such schedule.
    """
    with database.transaction() as session:
        paused = pause_in(session, schedule_id, reason=reason, now=now)
    return paused or get(database, schedule_id)


def pause_in(session: Session, schedule_id: str, *, reason: str, now: datetime) -> Schedule | None:
    """As :func:`pause`, inside a transaction that also writes why; None when it is paused or gone."""
    # A paused schedule has no next slot.
    values = {"active": False, "paused_reason": reason, "next_run": None}
    paused = change(session, schedule_id, ExportScheduleRow.active.is_(True), now=now, values=values)
    if paused is not None:
        _note(session, "schedule_paused", paused, at=now, reason=reason)
    return paused


def resume(database: Database, schedule_id: str, *, next_run: datetime, now: datetime) -> Schedule:
    """Let the schedule go on from that slot; what failed before is forgiven. One that is active stays as it is.

    Raises:
        NotFoundError: there is no such schedule.
    """
    values = {"active": True, "paused_reason": None, "next_run": next_run, "resumed_at": now}
    with database.transaction() as session:
        resumed = change(session, schedule_id, ExportScheduleRow.active.is_(False), now=now, values=values)
        if resumed is not None:
            _note(session, "schedule_resumed", resumed, at=now)
    return resumed or get(database, schedule_id)


def remove(database: Database, schedule_id: str) -> None:
    """Delete the schedule and its slots; the exports that they gave stay.

    Raises:
        NotFoundError: there is no such schedule.
    """
    with database.transaction() as session:
        gone = delete(ExportScheduleRow).where(ExportScheduleRow.id == schedule_id).returning(ExportScheduleRow.id)
        if session.scalar(gone) is None:
            raise NotFoundError(f"There is no schedule {schedule_id!r}. See: export-pipelines schedules")


def change(
    session: Session, schedule_id: str, *conditions: ColumnElement[bool], now: datetime, values: Mapping[str, Any]
) -> Schedule | None:
    """Set the values where the conditions hold; None when they do not, or the schedule is gone."""
    row = session.scalars(
        update(ExportScheduleRow)
        .where(ExportScheduleRow.id == schedule_id, *conditions)
        .values(updated_at=now, **values)
        .returning(ExportScheduleRow),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).one_or_none()
    return None if row is None else schedule_of(row)


def _note(session: Session, action: str, schedule: Schedule, *, at: datetime, **more: str) -> None:
    """Write to the audit log what happened to the schedule; it concerns no job, or many."""
    data = {"schedule_id": schedule.id, "name": schedule.name, "owner": schedule.user_id, **more}
    audit.record(session, job_id=None, action=action, at=at, data=data)


def _taken(name: str) -> ConflictError:
    return ConflictError(f"there is a schedule {name!r} already; give another name, or remove that one first.")
