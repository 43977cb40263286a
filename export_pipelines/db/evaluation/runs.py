"""Runs: started, followed and deleted; which runs a tree of definitions has is in ``definition_trees.py``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import changed, created, live, record_of, records_of
from export_pipelines.db.tables import Definition, Experiment, Run

FINISHED = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED})


def create(
    database: Database,
    *,
    definition_id: str,
    config: Mapping[str, Any],
    name: str | None = None,
    experiment_id: str | None = None,
    now: datetime,
) -> records.Run:
    """A new run, PENDING.

    Raises:
        NotFoundError: the definition or the experiment does not exist or is deleted.
    """
    with database.transaction() as session:
        live(session, Definition, definition_id)
        if experiment_id is not None:
            live(session, Experiment, experiment_id)
        row = Run(
            definition_id=definition_id,
            experiment_id=experiment_id,
            name=name,
            status=RunStatus.PENDING,
            config=dict(config),
            created_at=now,
            updated_at=now,
        )
        return record_of(records.Run, created(session, row))


def get(database: Database, run_id: str) -> records.Run:
    """The run.

    Raises:
        NotFoundError: it does not exist or is deleted.
    """
    with database.transaction() as session:
        return record_of(records.Run, live(session, Run, run_id))


def list_all(
    database: Database, *, definition_id: str | None = None, status: RunStatus | None = None, limit: int = 100
) -> tuple[records.Run, ...]:
    """Live runs, the newest first; of one definition itself, or of one status, when asked."""
    query = select(Run).where(Run.deleted_at.is_(None))
    if definition_id is not None:
        query = query.where(Run.definition_id == definition_id)
    if status is not None:
        query = query.where(Run.status == status)
    with database.transaction() as session:
        return records_of(session, records.Run, query.order_by(Run.created_at.desc(), Run.id).limit(limit))


def latest_completed(database: Database, *, definition_id: str | None = None) -> records.Run:
    """The live run that was completed last; of one definition itself, when asked.

    Raises:
        NotFoundError: none was completed yet.
    """
    query = select(Run).where(
        Run.deleted_at.is_(None), Run.status == RunStatus.COMPLETED, Run.completed_at.is_not(None)
    )
    if definition_id is not None:
        query = query.where(Run.definition_id == definition_id)
    order = (Run.completed_at.desc(), Run.id.collate("C").desc())
    with database.transaction() as session:
        row = session.scalars(query.order_by(*order).limit(1)).one_or_none()
        if row is None:
            of = "" if definition_id is None else f" of definition {definition_id}"
            raise NotFoundError(f"No run{of} was completed yet; wait for one, or name a run.")
        return record_of(records.Run, row)


def update_run(
    database: Database,
    run_id: str,
    *,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    progress: Mapping[str, Any] | None = None,
    now: datetime,
) -> records.Run:
    """Change what is given.

    Raises:
        NotFoundError: it does not exist or is deleted.
    """
    with database.transaction() as session:
        row = live(session, Run, run_id, lock=True)
        changed(
            row,
            name=name,
            config=None if config is None else dict(config),
            progress=None if progress is None else dict(progress),
            updated_at=now,
        )
        return record_of(records.Run, row)


def set_status(database: Database, run_id: str, *, status: RunStatus, now: datetime) -> records.Run:
    """Move the run on, and note when it started and when it ended; the status it has already changes nothing.

    Raises:
        NotFoundError: it does not exist or is deleted.
        ValidationError: it is finished, which is for good.
    """
    with database.transaction() as session:
        row = live(session, Run, run_id, lock=True)
        if row.status is status:
            return record_of(records.Run, row)
        if row.status in FINISHED:
            raise ValidationError(f"Run {run_id} is {row.status} and cannot become {status}; start a new run.")
        row.status, row.updated_at = status, now
        if status is RunStatus.RUNNING:
            row.started_at = row.started_at or now
        if status in FINISHED:
            row.completed_at = now
        return record_of(records.Run, row)


def delete(database: Database, run_id: str, *, now: datetime) -> None:
    """Mark the run deleted; its transcripts stay with it and are not to be found any more.

    Raises:
        NotFoundError: it does not exist or is deleted already.
    """
    with database.transaction() as session:
        row = live(session, Run, run_id, lock=True)
        row.deleted_at = row.updated_at = now
