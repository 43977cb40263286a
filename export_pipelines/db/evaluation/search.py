"""Runs and definitions as people look for them: by a part of a name, or by the beginning of an id; the newest first."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import or_, select

from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.database import Database
from export_pipelines.db.tables import Definition, Run


@dataclass(frozen=True, kw_only=True)
class Match:
    """Something that fits.

    Attributes:
        name: its own; of a run without one, the id.
        definition: of a run, its definition's name.
        status: of a run.
        at: when it was made.
    """

    id: str
    name: str
    at: datetime
    definition: str | None = None
    status: RunStatus | None = None


def search_runs(database: Database, text: str, *, limit: int) -> tuple[Match, ...]:
    """Live runs whose name, or whose definition's, holds the text in any case, or whose id begins with it."""
    wanted = _searchable(text)
    query = select(Run, Definition.name).join(Definition, Run.definition_id == Definition.id)
    if wanted:
        fits = (Run.name.icontains(wanted, autoescape=True), Definition.name.icontains(wanted, autoescape=True))
        query = query.where(or_(*fits, Run.id.startswith(wanted, autoescape=True)))
    query = query.where(Run.deleted_at.is_(None)).order_by(Run.created_at.desc(), Run.id).limit(limit)
    with database.transaction() as session:
        return tuple(
            Match(
                id=run.id,
                name=run.name or run.id,
                at=run.created_at.astimezone(UTC),
                definition=definition,
                status=run.status,
            )
            for run, definition in session.execute(query)
        )


def search_definitions(database: Database, text: str, *, limit: int) -> tuple[Match, ...]:
    """Live definitions whose name holds the text in any case, or whose id begins with it."""
    wanted = _searchable(text)
    query = select(Definition).where(Definition.deleted_at.is_(None))
    if wanted:
        fits = (Definition.name.icontains(wanted, autoescape=True), Definition.id.startswith(wanted, autoescape=True))
        query = query.where(or_(*fits))
    with database.transaction() as session:
        found = session.scalars(query.order_by(Definition.created_at.desc(), Definition.id).limit(limit))
        return tuple(Match(id=row.id, name=row.name, at=row.created_at.astimezone(UTC)) for row in found)


def _searchable(text: str) -> str:
    """The text without what PostgreSQL's text cannot hold, and so no name does."""
    return text.strip().replace("\x00", "").encode("utf-8", "ignore").decode()
