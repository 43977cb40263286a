"""Pages of jobs: narrowed down, the newest first, each page going on where the one before ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, tuple_

from export_pipelines.core.cursors import Position
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import shares
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow, ExportShareRow


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs are wanted; what is None or empty narrows nothing down.

    Attributes:
        user_id: whose.
        shared_with: with which user they are shared, by a share that is in force.
        text: what title or id hold, in any case.
        since, until: made at or after the one, and before the other.
    """

    user_id: str | None = None
    shared_with: str | None = None
    statuses: tuple[JobStatus, ...] = ()
    type: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """A page, and where the next begins; None behind the last."""

    jobs: tuple[ExportJob, ...]
    next: Position | None


def page(database: Database, wanted: JobFilter, *, after: Position | None, limit: int, now: datetime) -> JobPage:
    """At most ``limit`` jobs, the newest first: an index has their order, so later pages cost what the first does."""
    row = ExportJobRow
    conditions = list(_conditions(wanted, now=now))
    if after is not None:
        conditions.append(tuple_(row.created_at, row.id) < (after.at, after.id))
    query = select(row).where(*conditions).order_by(row.created_at.desc(), row.id.desc()).limit(limit + 1)
    with database.transaction() as session:
        found = [job_of(each) for each in session.scalars(query)]
    more = len(found) > limit
    end = Position(at=found[limit - 1].created_at, id=found[limit - 1].id) if more else None
    return JobPage(jobs=tuple(found[:limit]), next=end)


def _conditions(wanted: JobFilter, *, now: datetime) -> Iterator[ColumnElement[bool]]:
    row = ExportJobRow
    if wanted.user_id is not None:
        yield row.user_id == wanted.user_id
    if wanted.shared_with is not None:
        granted = (ExportShareRow.job_id == row.id, ExportShareRow.user_id == wanted.shared_with)
        yield exists().where(*granted, *shares.in_force(now))
    if wanted.statuses:
        yield row.status.in_(wanted.statuses)
    if wanted.type is not None:
        yield row.type == wanted.type
    if wanted.text:
        yield or_(row.title.icontains(wanted.text, autoescape=True), row.id.icontains(wanted.text, autoescape=True))
    if wanted.since is not None:
        yield row.created_at >= wanted.since
    if wanted.until is not None:
        yield row.created_at < wanted.until
