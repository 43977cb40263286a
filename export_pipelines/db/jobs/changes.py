"""The one way a job's row is changed: an update that names the status and attempt it expects to find."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.orm import Session

from export_pipelines.core.errors import SupersededError
from export_pipelines.core.jobs import ExportJob, JobRef, JobStatus
from export_pipelines.db.jobs.queries import row_of
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow

NO_ESTIMATE: Mapping[str, Any] = {"bytes_per_second": None, "estimated_finish_at": None}
"""Nobody works on the job, or somebody begins to: there is no rate to go by."""


def change(
    session: Session, job_id: str, *conditions: ColumnElement[bool], now: datetime, values: Mapping[str, Any]
) -> ExportJob | None:
    """Set the values where the conditions still hold; None when the row has moved on, or is gone.

    ``updated_at`` is the worker's heartbeat: it never goes back, whichever of two clocks is late.
    """
    row = session.scalars(
        update(ExportJobRow)
        .where(ExportJobRow.id == job_id, *conditions)
        .values(updated_at=func.greatest(ExportJobRow.updated_at, now), **values)
        .returning(ExportJobRow),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).one_or_none()
    return None if row is None else job_of(row)


def at_work(ref: JobRef) -> tuple[ColumnElement[bool], ...]:
    """That the job is being processed, by this attempt."""
    return (ExportJobRow.status == JobStatus.PROCESSING, ExportJobRow.attempt == ref.attempt)


def unchanged(job: ExportJob) -> tuple[ColumnElement[bool], ...]:
    """That nobody has taken the job since it was read, and whoever works on it has not been heard of since."""
    return (
        ExportJobRow.status == job.status,
        ExportJobRow.attempt == job.attempt,
        ExportJobRow.dagster_run_id.is_not_distinct_from(job.dagster_run_id),
        ExportJobRow.updated_at == job.updated_at,
    )


def superseded(session: Session, job_id: str, *, attempt: int) -> SupersededError:
    """The error for a change that came too late; it says how the row stands now.

    Raises:
        NotFoundError: the row is gone altogether.
    """
    row = row_of(session, job_id)
    return SupersededError(
        f"Export job {job_id} is {row.status} at attempt {row.attempt}; what was done for attempt {attempt} is "
        "dropped. Look at it with: export-pipelines jobs show"
    )
