"""Finding schedules; nothing here changes a row."""

from datetime import datetime

from sqlalchemy import or_, select, true, tuple_

from export_pipelines.core.cursors import Position
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.core.schedules import Schedule
from export_pipelines.db.database import Database
from export_pipelines.db.schedules.records import schedule_of
from export_pipelines.db.tables import ExportScheduleRow

_SEE = "See: export-pipelines schedules"


def get(database: Database, schedule_id: str) -> Schedule:
    """The schedule of this id.

    Raises:
        NotFoundError: there is none.
    """
    with database.transaction() as session:
        row = session.get(ExportScheduleRow, schedule_id)
        if row is None:
            raise NotFoundError(f"There is no schedule {schedule_id!r}. {_SEE}")
        return schedule_of(row)


def find(database: Database, text: str) -> Schedule:
    """The one schedule with this id, name, or beginning of an id; an id goes before a name, a name before a beginning.

    Raises:
        NotFoundError: there is none.
        ValidationError: the text fits several.
    """
    # PostgreSQL's text has no NUL, so no name or id has one.
    wanted = text.strip() if "\x00" not in text else ""
    begins = [ExportScheduleRow.id.startswith(wanted)] if looks_like_id(wanted) else []
    query = select(ExportScheduleRow).where(or_(ExportScheduleRow.name == wanted, *begins))
    with database.transaction() as session:
        fitting = [schedule_of(row) for row in session.scalars(query.order_by(ExportScheduleRow.created_at))]
    exact = [schedule for schedule in fitting if schedule.id == wanted]
    found = exact or [schedule for schedule in fitting if schedule.name == wanted] or fitting
    if not found:
        raise NotFoundError(f"There is no schedule {text!r}. {_SEE}")
    if len(found) > 1:
        named = ", ".join(f"{schedule.id} ({schedule.name})" for schedule in found[:5])
        raise ValidationError(f"{text!r} fits several schedules ({named}); give the id, or more of it.")
    return found[0]


def list_schedules(database: Database, *, user_id: str | None = None) -> tuple[Schedule, ...]:
    """All schedules, or one user's, by name."""
    query = select(ExportScheduleRow).order_by(ExportScheduleRow.name.collate("C"), ExportScheduleRow.id)
    if user_id is not None:
        query = query.where(ExportScheduleRow.user_id == user_id)
    with database.transaction() as session:
        return tuple(schedule_of(row) for row in session.scalars(query))


def page(
    database: Database, *, user_id: str | None = None, after: Position | None = None, limit: int
) -> tuple[Schedule, ...]:
    """At most so many schedules, the newest first, one user's when asked, and behind a place in that order."""
    row = ExportScheduleRow
    conditions = [true() if user_id is None else row.user_id == user_id]
    if after is not None:
        conditions.append(tuple_(row.created_at, row.id) < (after.at, after.id))
    query = select(row).where(*conditions).order_by(row.created_at.desc(), row.id.desc()).limit(limit)
    with database.transaction() as session:
        return tuple(schedule_of(found) for found in session.scalars(query))


def due(database: Database, *, now: datetime, limit: int) -> tuple[Schedule, ...]:
    """Active schedules whose next slot has come, the longest due first."""
    over = (ExportScheduleRow.active, ExportScheduleRow.next_run <= now)
    query = select(ExportScheduleRow).where(*over).order_by(ExportScheduleRow.next_run, ExportScheduleRow.id)
    with database.transaction() as session:
        return tuple(schedule_of(row) for row in session.scalars(query.limit(limit)))
