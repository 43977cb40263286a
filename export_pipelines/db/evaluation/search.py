"""Searching runs and definitions by what people remember of them: a piece of a name, or the beginning of an id."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_

from export_pipelines.core.cursors import Position
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.database import Database
from export_pipelines.db.tables import Definition, Run, Scenario, Transcript

COUNTED_TO = 10_000
"""Rows of one run or definition after which nobody counts on: a list has to be there at once."""

Table = TypeVar("Table", type[Run], type[Definition])


@dataclass(frozen=True, kw_only=True)
class FoundRun:
    """A run as lists of choices show it.

    Attributes:
        transcripts: those that are not deleted, at most :data:`COUNTED_TO`.
    """

    id: str
    name: str | None
    status: RunStatus
    definition_id: str
    definition_name: str
    created_at: datetime
    completed_at: datetime | None
    transcripts: int


@dataclass(frozen=True, kw_only=True)
class FoundDefinition:
    """A definition as lists of choices show it.

    Attributes:
        scenarios, runs: those that are not deleted, at most :data:`COUNTED_TO` each.
    """

    id: str
    name: str
    version: int
    created_at: datetime
    updated_at: datetime
    scenarios: int
    runs: int


def search_runs(
    database: Database, text: str, *, status: RunStatus | None = None, after: Position | None, limit: int
) -> tuple[FoundRun, ...]:
    """At most ``limit`` live runs whose name, or whose definition's, holds the text, or whose id begins with it."""
    wanted = [Run.deleted_at.is_(None), *([] if status is None else [Run.status == status])]
    if text:
        wanted.append(or_(_fits(Run, text), Definition.name.icontains(text, autoescape=True)))
    transcripts = _count(Transcript.id, Transcript.run_id == Run.id, Transcript.deleted_at.is_(None))
    query = select(
        Run.id,
        Run.name,
        Run.status,
        Run.definition_id,
        Definition.name.label("definition_name"),
        Run.created_at,
        Run.completed_at,
        transcripts.label("transcripts"),
    ).join(Definition, Definition.id == Run.definition_id)
    with database.transaction() as session:
        found = session.execute(_page(query.where(*wanted), Run, after=after, limit=limit))
        return tuple(FoundRun(**row._mapping) for row in found)


def search_definitions(
    database: Database, text: str, *, after: Position | None, limit: int
) -> tuple[FoundDefinition, ...]:
    """At most ``limit`` live definitions whose name holds the text, or whose id begins with it."""
    wanted = [Definition.deleted_at.is_(None), *([_fits(Definition, text)] if text else [])]
    scenarios = _count(Scenario.id, Scenario.definition_id == Definition.id, Scenario.deleted_at.is_(None))
    runs = _count(Run.id, Run.definition_id == Definition.id, Run.deleted_at.is_(None))
    query = select(
        Definition.id,
        Definition.name,
        Definition.version,
        Definition.created_at,
        Definition.updated_at,
        scenarios.label("scenarios"),
        runs.label("runs"),
    )
    with database.transaction() as session:
        found = session.execute(_page(query.where(*wanted), Definition, after=after, limit=limit))
        return tuple(FoundDefinition(**row._mapping) for row in found)


def _fits(table: Table, text: str) -> ColumnElement[bool]:
    return or_(table.name.icontains(text, autoescape=True), table.id.startswith(text, autoescape=True))


def _count(column: Any, of: ColumnElement[bool], live: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a subquery as a value
    few = select(column).where(of, live).limit(COUNTED_TO).correlate(Run, Definition).subquery()
    return select(func.count()).select_from(few).scalar_subquery()


def _page(query: Select[Any], table: Table, *, after: Position | None, limit: int) -> Select[Any]:
    if after is not None:
        query = query.where(tuple_(table.created_at, table.id) < (after.at, after.id))
    return query.order_by(table.created_at.desc(), table.id.desc()).limit(limit)
