"""Finding jobs; nothing here changes a row."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow

_SHOWN = 5
"""How many of the jobs that a prefix fits an error names."""


def get(database: Database, job_id: str) -> ExportJob:
    """The job of this id.

    Raises:
        NotFoundError: there is none.
    """
    with database.transaction() as session:
        return job_of(row_of(session, job_id))


def row_of(session: Session, job_id: str) -> ExportJobRow:
    """The row of this id, read anew.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(ExportJobRow, job_id, populate_existing=True)
    if row is None:
        raise NotFoundError(f"There is no export job {job_id!r}. See: export-pipelines jobs")
    return row


def find(database: Database, id_or_prefix: str) -> ExportJob:
    """The one job whose id is, or begins with, what a person typed.

    Raises:
        NotFoundError: none does.
        ValidationError: several do.
    """
    fitting = ExportJobRow.id.startswith(id_or_prefix, autoescape=True)
    found = _select(database, fitting, limit=_SHOWN) if looks_like_id(id_or_prefix) else ()
    exact = [job for job in found if job.id == id_or_prefix]
    if not found:
        raise NotFoundError(f"There is no export job {id_or_prefix!r}. See: export-pipelines jobs")
    if len(found) > 1 and not exact:
        named = ", ".join(job.id for job in found)
        raise ValidationError(f"{id_or_prefix!r} begins the ids of several export jobs ({named}); type more of it.")
    return (exact or found)[0]


def list_jobs(
    database: Database,
    *,
    status: JobStatus | None = None,
    type: str | None = None,  # noqa: A002 - the column's own name
    user_id: str | None = None,
    limit: int = 100,
) -> tuple[ExportJob, ...]:
    """The newest jobs, newest first, narrowed down by whatever is given."""
    wanted = {"status": status, "type": type, "user_id": user_id}
    conditions = [getattr(ExportJobRow, name) == value for name, value in wanted.items() if value is not None]
    return _select(database, *conditions, limit=limit)


def by_ids(database: Database, job_ids: Iterable[str]) -> Mapping[str, ExportJob]:
    """Those of the jobs that exist, by their ids."""
    return {job.id: job for job in _select(database, ExportJobRow.id.in_(list(job_ids)))}


def find_by_dagster_runs(database: Database, run_ids: Iterable[str]) -> tuple[ExportJob, ...]:
    """The jobs that these Dagster runs work on, newest first."""
    return _select(database, ExportJobRow.dagster_run_id.in_(list(run_ids)))


def expired_candidates(database: Database, *, now: datetime) -> tuple[ExportJob, ...]:
    """Completed jobs whose file's time is over, the longest expired first."""
    over = (ExportJobRow.status == JobStatus.COMPLETED, ExportJobRow.expires_at <= now)
    return _select(database, *over, order=ExportJobRow.expires_at.asc())


def stale(database: Database, *, before: datetime) -> tuple[ExportJob, ...]:
    """Jobs being processed whose worker was last heard of before this moment, the longest silent first."""
    silent = (ExportJobRow.status == JobStatus.PROCESSING, ExportJobRow.updated_at < before)
    return _select(database, *silent, order=ExportJobRow.updated_at.asc())


def _select(
    database: Database,
    *conditions: ColumnElement[bool],
    order: ColumnElement[Any] | None = None,
    limit: int | None = None,
) -> tuple[ExportJob, ...]:
    first = ExportJobRow.created_at.desc() if order is None else order
    query = select(ExportJobRow).where(*conditions).order_by(first, ExportJobRow.id.desc()).limit(limit)
    with database.transaction() as session:
        return tuple(job_of(row) for row in session.scalars(query))
