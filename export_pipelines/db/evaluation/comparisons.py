"""Comparisons: what came of setting one run against another."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import created, live, record_of, records_of
from export_pipelines.db.tables import Experiment, Run, RunComparison


def create(
    database: Database,
    *,
    baseline_run_id: str,
    comparison_run_id: str,
    result: Mapping[str, Any],
    experiment_id: str | None = None,
    now: datetime,
) -> records.RunComparison:
    """A new comparison of two runs.

    Raises:
        NotFoundError: a run or the experiment does not exist or is deleted.
        ValidationError: it is the same run twice.
    """
    if baseline_run_id == comparison_run_id:
        raise ValidationError(f"Run {baseline_run_id} cannot be compared with itself; give two runs.")
    with database.transaction() as session:
        live(session, Run, baseline_run_id)
        live(session, Run, comparison_run_id)
        if experiment_id is not None:
            live(session, Experiment, experiment_id)
        row = RunComparison(
            experiment_id=experiment_id,
            baseline_run_id=baseline_run_id,
            comparison_run_id=comparison_run_id,
            result=dict(result),
            created_at=now,
        )
        return record_of(records.RunComparison, created(session, row))


def get(database: Database, comparison_id: str) -> records.RunComparison:
    """The comparison.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        return record_of(records.RunComparison, live(session, RunComparison, comparison_id))


def list_for_run(database: Database, run_id: str) -> tuple[records.RunComparison, ...]:
    """The comparisons that the run takes part in, on either side, the newest first."""
    sides = or_(RunComparison.baseline_run_id == run_id, RunComparison.comparison_run_id == run_id)
    return _list(database, sides)


def list_for_experiment(database: Database, experiment_id: str) -> tuple[records.RunComparison, ...]:
    """The experiment's comparisons, the newest first."""
    return _list(database, RunComparison.experiment_id == experiment_id)


def update_result(database: Database, comparison_id: str, *, result: Mapping[str, Any]) -> records.RunComparison:
    """Replace what was found.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        row = live(session, RunComparison, comparison_id, lock=True)
        row.result = dict(result)
        return record_of(records.RunComparison, row)


def delete(database: Database, comparison_id: str) -> None:
    """Remove the comparison.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        session.delete(live(session, RunComparison, comparison_id, lock=True))


def _list(database: Database, condition: Any) -> tuple[records.RunComparison, ...]:  # noqa: ANN401 - any SQL condition
    query = select(RunComparison).where(condition).order_by(RunComparison.created_at.desc(), RunComparison.id)
    with database.transaction() as session:
        return records_of(session, records.RunComparison, query)
