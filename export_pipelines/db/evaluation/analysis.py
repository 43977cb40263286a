"""Analysis results: of each type a run has one CURRENT result, and the superseded ones before it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.evaluation import AnalysisStatus
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import created, live, record_of, records_of
from export_pipelines.db.tables import AnalysisResult, Run

# It becomes a file name in run bundles.
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,62}")


def supersede_and_create(
    database: Database,
    *,
    run_id: str,
    analysis_type: str,
    input_hash: str,
    code_version: str,
    output: Mapping[str, Any],
    now: datetime,
) -> records.AnalysisResult:
    """Put a new result in force; the one that was, is superseded in the same transaction.

    The run's row is locked meanwhile, so two that analyse at once come one after the other and the later one wins.

    Raises:
        NotFoundError: the run does not exist or is deleted.
        ValidationError: the type's name has another shape than ``basic`` or ``inter_model``.
    """
    if not _TYPE.fullmatch(analysis_type):
        raise ValidationError(
            f"{analysis_type!r} cannot be a type of analysis; use small letters, digits and _, a letter first."
        )
    with database.transaction() as session:
        live(session, Run, run_id, lock=True)
        session.execute(
            update(AnalysisResult)
            .where(
                AnalysisResult.run_id == run_id,
                AnalysisResult.analysis_type == analysis_type,
                AnalysisResult.status == AnalysisStatus.CURRENT,
            )
            .values(status=AnalysisStatus.SUPERSEDED)
        )
        row = AnalysisResult(
            run_id=run_id,
            analysis_type=analysis_type,
            input_hash=input_hash,
            code_version=code_version,
            output=dict(output),
            status=AnalysisStatus.CURRENT,
            created_at=now,
        )
        return record_of(records.AnalysisResult, created(session, row))


def get(database: Database, result_id: str) -> records.AnalysisResult:
    """One result, in force or superseded.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        return record_of(records.AnalysisResult, live(session, AnalysisResult, result_id))


def current(database: Database, run_id: str, *, analysis_type: str) -> records.AnalysisResult:
    """The result in force.

    Raises:
        NotFoundError: the run was never analysed so.
    """
    query = select(AnalysisResult).where(
        AnalysisResult.run_id == run_id,
        AnalysisResult.analysis_type == analysis_type,
        AnalysisResult.status == AnalysisStatus.CURRENT,
    )
    with database.transaction() as session:
        row = session.scalar(query)
        if row is None:
            raise NotFoundError(f"Run {run_id} has no current {analysis_type} analysis; analyse it first.")
        return record_of(records.AnalysisResult, row)


def history(database: Database, run_id: str, *, analysis_type: str | None = None) -> tuple[records.AnalysisResult, ...]:
    """The run's results, the newest first, superseded ones too; of one type when asked."""
    query = select(AnalysisResult).where(AnalysisResult.run_id == run_id)
    if analysis_type is not None:
        query = query.where(AnalysisResult.analysis_type == analysis_type)
    with database.transaction() as session:
        newest = query.order_by(AnalysisResult.created_at.desc(), AnalysisResult.id.desc())
        return records_of(session, records.AnalysisResult, newest)


def delete(database: Database, result_id: str) -> None:
    """Remove a result; when it was the one in force, the run has none until it is analysed again.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        session.delete(live(session, AnalysisResult, result_id, lock=True))
