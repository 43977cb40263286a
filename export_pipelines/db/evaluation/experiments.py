"""Experiments, which hold runs together; what sets two runs against each other is ``comparisons.py``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from export_pipelines.core import evaluation as records
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import changed, created, live, need_text, record_of, records_of
from export_pipelines.db.tables import Experiment, Run


def create(
    database: Database,
    *,
    name: str,
    hypothesis: str | None = None,
    plan: Mapping[str, Any] | None = None,
    now: datetime,
) -> records.Experiment:
    """A new experiment, without runs as yet.

    Raises:
        ValidationError: the name is empty.
    """
    with database.transaction() as session:
        row = Experiment(
            name=need_text(name, what="The experiment's name"),
            hypothesis=hypothesis,
            plan=None if plan is None else dict(plan),
            created_at=now,
            updated_at=now,
        )
        return record_of(records.Experiment, created(session, row))


def get(database: Database, experiment_id: str) -> records.Experiment:
    """The experiment.

    Raises:
        NotFoundError: it does not exist or is deleted.
    """
    with database.transaction() as session:
        return record_of(records.Experiment, live(session, Experiment, experiment_id))


def list_all(database: Database) -> tuple[records.Experiment, ...]:
    """Live experiments, the newest first."""
    query = select(Experiment).where(Experiment.deleted_at.is_(None))
    with database.transaction() as session:
        return records_of(session, records.Experiment, query.order_by(Experiment.created_at.desc(), Experiment.id))


def runs_of(database: Database, experiment_id: str) -> tuple[records.Run, ...]:
    """The experiment's live runs, the oldest first.

    Raises:
        NotFoundError: the experiment does not exist or is deleted.
    """
    query = select(Run).where(Run.experiment_id == experiment_id, Run.deleted_at.is_(None))
    with database.transaction() as session:
        live(session, Experiment, experiment_id)
        return records_of(session, records.Run, query.order_by(Run.created_at, Run.id))


def assign_run(database: Database, run_id: str, *, experiment_id: str | None, now: datetime) -> records.Run:
    """Put the run into an experiment, or with None into none.

    Raises:
        NotFoundError: the run or the experiment does not exist or is deleted.
    """
    with database.transaction() as session:
        row = live(session, Run, run_id, lock=True)
        if experiment_id is not None:
            live(session, Experiment, experiment_id)
        row.experiment_id, row.updated_at = experiment_id, now
        return record_of(records.Run, row)


def update_experiment(
    database: Database,
    experiment_id: str,
    *,
    name: str | None = None,
    hypothesis: str | None = None,
    plan: Mapping[str, Any] | None = None,
    now: datetime,
) -> records.Experiment:
    """Change what is given.

    Raises:
        NotFoundError: it does not exist or is deleted.
        ValidationError: the new name is empty.
    """
    with database.transaction() as session:
        row = live(session, Experiment, experiment_id, lock=True)
        changed(
            row,
            name=None if name is None else need_text(name, what="The experiment's name"),
            hypothesis=hypothesis,
            plan=None if plan is None else dict(plan),
            updated_at=now,
        )
        return record_of(records.Experiment, row)


def delete(database: Database, experiment_id: str, *, now: datetime) -> None:
    """Mark the experiment deleted; its runs stay, and so do its comparisons.

    Raises:
        NotFoundError: it does not exist or is deleted already.
    """
    with database.transaction() as session:
        row = live(session, Experiment, experiment_id, lock=True)
        row.deleted_at = row.updated_at = now
