"""Scenarios: the prompts of a definition."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from export_pipelines.core import evaluation as records
from export_pipelines.core.ids import new_id
from export_pipelines.core.scenarios import ScenarioContent, to_json
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import changed, created, live, need_text, record_of, records_of
from export_pipelines.db.tables import Definition, Scenario


def create(
    database: Database, *, definition_id: str, name: str, content: ScenarioContent, now: datetime
) -> records.Scenario:
    """A new scenario of a definition.

    Raises:
        NotFoundError: the definition does not exist or is deleted.
        ValidationError: the name is empty.
    """
    with database.transaction() as session:
        live(session, Definition, definition_id)
        row = Scenario(
            definition_id=definition_id,
            name=need_text(name, what="The scenario's name"),
            content=to_json(content),
            created_at=now,
            updated_at=now,
        )
        return record_of(records.Scenario, created(session, row))


def get(database: Database, scenario_id: str) -> records.Scenario:
    """The scenario.

    Raises:
        NotFoundError: it does not exist or is deleted.
        ContentError: its content has an unknown version.
    """
    with database.transaction() as session:
        return record_of(records.Scenario, live(session, Scenario, scenario_id))


def list_for_definition(database: Database, definition_id: str) -> tuple[records.Scenario, ...]:
    """The live scenarios of a definition itself, oldest id first."""
    query = select(Scenario).where(Scenario.definition_id == definition_id, Scenario.deleted_at.is_(None))
    with database.transaction() as session:
        return records_of(session, records.Scenario, query.order_by(Scenario.id.collate("C")))


def count_for_definition(database: Database, definition_id: str) -> int:
    """How many live scenarios the definition itself has."""
    query = select(func.count()).where(Scenario.definition_id == definition_id, Scenario.deleted_at.is_(None))
    with database.transaction() as session:
        return session.scalar(query) or 0


def update_scenario(
    database: Database,
    scenario_id: str,
    *,
    name: str | None = None,
    content: ScenarioContent | None = None,
    now: datetime,
) -> records.Scenario:
    """Change what is given; transcripts keep what was asked.

    Raises:
        NotFoundError: it does not exist or is deleted.
    """
    with database.transaction() as session:
        row = live(session, Scenario, scenario_id, lock=True)
        changed(
            row,
            name=None if name is None else need_text(name, what="The scenario's name"),
            content=None if content is None else to_json(content),
            updated_at=now,
        )
        return record_of(records.Scenario, row)


def delete(database: Database, scenario_id: str, *, now: datetime) -> None:
    """Mark the scenario deleted; its transcripts stay.

    Raises:
        NotFoundError: it does not exist or is deleted already.
    """
    with database.transaction() as session:
        row = live(session, Scenario, scenario_id, lock=True)
        row.deleted_at = row.updated_at = now


def add_all(
    session: Session, contents: Sequence[tuple[str, ScenarioContent]], *, definition_id: str, now: datetime
) -> tuple[str, ...]:
    """Insert ``(name, content)`` pairs with ids that ascend in their order; building block, takes the open session."""
    ids = sorted(new_id() for _ in contents)
    rows = [
        {
            "id": row_id,
            "definition_id": definition_id,
            "name": name,
            "content": to_json(content),
            "created_at": now,
            "updated_at": now,
        }
        for row_id, (name, content) in zip(ids, contents, strict=True)
    ]
    if rows:
        session.execute(insert(Scenario), rows)
    return tuple(ids)
