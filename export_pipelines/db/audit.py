"""The audit log: written in the transaction that changes the job, read as small records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, true
from sqlalchemy.orm import Session

from export_pipelines.db.database import Database
from export_pipelines.db.tables import AuditLog, ExportJobRow


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who did something, as far as is known: a user, the address they came from, the program they used."""

    user_id: str | None = None
    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One event in the life of an export.

    Attributes:
        position: in the chain; None only inside the transaction that writes it.
        job_id: None for a refused link that named no job of ours, and for what happened to a schedule.
    """

    position: int | None
    job_id: str | None
    action: str
    at: datetime
    actor: Actor
    data: Mapping[str, Any]


def record(
    session: Session,
    *,
    job_id: str | None,
    action: str,
    at: datetime,
    actor: Actor | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry into the transaction that is under way; the database knows ``db.tables.ACTIONS`` and no other."""
    who = actor or Actor()
    session.add(
        AuditLog(
            job_id=job_id,
            action=action,
            at=at,
            user_id=who.user_id,
            address=who.address,
            user_agent=who.user_agent,
            additional_data=dict(data or {}),
        )
    )


def list_for_job(database: Database, job_id: str) -> tuple[AuditEntry, ...]:
    """Everything that happened to the job, in order; also of a job that is gone."""
    query = select(AuditLog).where(AuditLog.job_id == job_id).order_by(AuditLog.id)
    with database.transaction() as session:
        return tuple(_entry(row) for row in session.scalars(query))


def list_newest(
    database: Database, *, job_id: str | None = None, action: str | None = None, limit: int = 100
) -> tuple[AuditEntry, ...]:
    """The newest events, newest first, narrowed down by whatever is given."""
    of_job = true() if job_id is None else AuditLog.job_id == job_id
    of_action = true() if action is None else AuditLog.action == action
    query = select(AuditLog).where(of_job, of_action).order_by(AuditLog.id.desc()).limit(limit)
    with database.transaction() as session:
        return tuple(_entry(row) for row in session.scalars(query))


def page(
    database: Database,
    *,
    user_id: str | None = None,
    job_id: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int,
) -> tuple[AuditEntry, ...]:
    """At most so many events, the newest first, narrowed down by whatever is given.

    Args:
        database: where.
        user_id: only of jobs that are this user's.
        job_id: only of this job, whether or not its row is there still.
        action: only such.
        before: only those before this position in the chain.
        limit: how many.
    """
    row = AuditLog
    conditions: list[ColumnElement[bool]] = [row.position.is_not(None)]
    conditions += [column == value for column, value in ((row.job_id, job_id), (row.action, action)) if value]
    if user_id is not None:
        conditions.append(row.job_id.in_(select(ExportJobRow.id).where(ExportJobRow.user_id == user_id)))
    if before is not None:
        conditions.append(row.position < before)
    query = select(row).where(*conditions).order_by(row.position.desc()).limit(limit)
    with database.transaction() as session:
        return tuple(_entry(found) for found in session.scalars(query))


def owner_of_deleted(database: Database, job_id: str) -> str | None:
    """Whose job this was that has no row any more; None when it has one, or the log knows of none.

    The entries of how it ended say so; of a job that came to no end, the one of its making names who made it.
    """
    ended = AuditLog.additional_data["owner"].astext
    query = (
        select(func.coalesce(ended, AuditLog.user_id))
        .where(
            AuditLog.job_id == job_id,
            AuditLog.action.in_(("created", "completed", "failed")),
            ~exists().where(ExportJobRow.id == job_id),
        )
        .order_by(AuditLog.id.desc())
        .limit(1)
    )
    with database.transaction() as session:
        return session.scalar(query)


def _entry(row: AuditLog) -> AuditEntry:
    return AuditEntry(
        position=row.position,
        job_id=row.job_id,
        action=row.action,
        at=row.at.astimezone(UTC),
        actor=Actor(user_id=row.user_id, address=row.address, user_agent=row.user_agent),
        data=row.additional_data,
    )
