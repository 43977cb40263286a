"""Rubrics: the rules that decisions are read by, in versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import NotFoundError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import created, live, need_text, record_of, records_of
from export_pipelines.db.tables import Rubric


def create_version(database: Database, *, name: str, content: Mapping[str, Any], now: datetime) -> records.Rubric:
    """The next version of the rubric of this name, version 1 when there is none as yet.

    Raises:
        ValidationError: the name is empty.
    """
    clean = need_text(name, what="The rubric's name")
    with database.transaction() as session:
        # Two that make a version at once take their turns, and get two numbers.
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"rubric {clean}", 0))))
        newest = session.scalar(select(func.max(Rubric.version)).where(Rubric.name == clean)) or 0
        row = Rubric(name=clean, version=newest + 1, content=dict(content), created_at=now)
        return record_of(records.Rubric, created(session, row))


def get(database: Database, rubric_id: str) -> records.Rubric:
    """The rubric.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        return record_of(records.Rubric, live(session, Rubric, rubric_id))


def latest(database: Database, name: str) -> records.Rubric:
    """The newest version of the rubric of this name.

    Raises:
        NotFoundError: there is none.
    """
    query = select(Rubric).where(Rubric.name == name).order_by(Rubric.version.desc()).limit(1)
    with database.transaction() as session:
        row = session.scalar(query)
        if row is None:
            raise NotFoundError(f"There is no rubric called {name!r}; check the name (capitals count).")
        return record_of(records.Rubric, row)


def list_all(database: Database) -> tuple[records.Rubric, ...]:
    """All rubrics by name, each name's newest version first."""
    with database.transaction() as session:
        return records_of(
            session, records.Rubric, select(Rubric).order_by(Rubric.name.collate("C"), Rubric.version.desc())
        )


def update_content(database: Database, rubric_id: str, *, content: Mapping[str, Any]) -> records.Rubric:
    """Correct a version in place; a change of meaning deserves a new version instead.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        row = live(session, Rubric, rubric_id, lock=True)
        row.content = dict(content)
        return record_of(records.Rubric, row)


def delete(database: Database, rubric_id: str) -> None:
    """Remove one version.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        session.delete(live(session, Rubric, rubric_id, lock=True))
