"""Definitions: made, forked, changed and deleted; how they hang together is ``definition_trees.py``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from export_pipelines.core import evaluation as records
from export_pipelines.core.definitions import CURRENT_VERSION, DefinitionContent, resolve, to_json
from export_pipelines.core.errors import ConflictError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.definition_trees import ancestors
from export_pipelines.db.evaluation.rows import changed, created, live, need_text, record_of, records_of
from export_pipelines.db.tables import Definition, Scenario


def create(database: Database, *, name: str, content: DefinitionContent, now: datetime) -> records.Definition:
    """A new definition without a parent, all fields its own.

    Raises:
        ValidationError: the name is empty.
    """
    with database.transaction() as session:
        return record_of(records.Definition, add(session, name=name, content=to_json(content), now=now))


def fork(
    database: Database, parent_id: str, *, name: str, overrides: Mapping[str, Any] | None = None, now: datetime
) -> records.Definition:
    """A child that inherits every field from its parent but those in ``overrides`` (stored form, by field name).

    Raises:
        NotFoundError: the parent does not exist or is deleted.
        ValidationError: the name is empty.
        ContentError: the overrides have a wrong shape.
    """
    with database.transaction() as session:
        parent = live(session, Definition, parent_id)
        content = {**(overrides or {}), "schema_version": CURRENT_VERSION}
        row = add(session, name=name, content=content, parent_id=parent.id, now=now)
        _check_content(row)
        return record_of(records.Definition, row)


def get(database: Database, definition_id: str) -> records.Definition:
    """The definition as stored.

    Raises:
        NotFoundError: it does not exist or is deleted.
        ContentError: its content has an unknown version.
    """
    with database.transaction() as session:
        return record_of(records.Definition, live(session, Definition, definition_id))


def list_all(database: Database, *, limit: int = 100) -> tuple[records.Definition, ...]:
    """Live definitions, the newest first."""
    query = select(Definition).where(Definition.deleted_at.is_(None))
    with database.transaction() as session:
        newest = query.order_by(Definition.created_at.desc(), Definition.id).limit(limit)
        return records_of(session, records.Definition, newest)


def resolved_content(database: Database, definition_id: str) -> DefinitionContent:
    """The definition's content with what it leaves open taken from its ancestors, also from deleted ones.

    Raises:
        NotFoundError: it does not exist or is deleted.
        ContentError: its content, or an ancestor's, has an unknown version or a wrong shape.
    """
    with database.transaction() as session:
        live(session, Definition, definition_id)
        return resolve([(row.id, row.content) for row, _ in ancestors(session, definition_id)])


def update_definition(
    database: Database,
    definition_id: str,
    *,
    name: str | None = None,
    content: Mapping[str, Any] | None = None,
    expected_version: int | None = None,
    now: datetime,
) -> records.Definition:
    """Change the name or the own content (stored form), and count the version up.

    Args:
        database: where.
        definition_id: which.
        name: new name, None to keep it.
        content: new content, None to keep it; it may be sparse.
        expected_version: refuse when somebody else changed the definition since this version was read.
        now: the moment of the change.

    Raises:
        NotFoundError: it does not exist or is deleted.
        ConflictError: it is not at the expected version any more.
        ContentError: the content has an unknown version or a wrong shape.
    """
    with database.transaction() as session:
        row = live(session, Definition, definition_id, lock=True)
        if expected_version not in (None, row.version):
            raise ConflictError(
                f"Definition {row.id} was changed meanwhile (version {row.version}, not {expected_version}); "
                "read it again and repeat the change."
            )
        clean = None if name is None else need_text(name, what="The definition's name")
        changed(row, name=clean, content=None if content is None else dict(content))
        _check_content(row)
        row.version, row.updated_at = row.version + 1, now
        return record_of(records.Definition, row)


def delete(database: Database, definition_id: str, *, now: datetime) -> None:
    """Mark the definition and its scenarios deleted; runs and transcripts stay.

    Raises:
        NotFoundError: it does not exist or is deleted already.
        ConflictError: live definitions were forked from it.
    """
    with database.transaction() as session:
        row = live(session, Definition, definition_id, lock=True)
        children = select(func.count()).where(Definition.parent_id == row.id, Definition.deleted_at.is_(None))
        count = session.scalar(children)
        if count:
            raise ConflictError(
                f"Definition {row.id} ({row.name}) has forks ({count}) that inherit from it; delete or move them first."
            )
        session.execute(
            update(Scenario)
            .where(Scenario.definition_id == row.id, Scenario.deleted_at.is_(None))
            .values(deleted_at=now, updated_at=now)
        )
        row.deleted_at = row.updated_at = now


def add(
    session: Session, *, name: str, content: Mapping[str, Any], parent_id: str | None = None, now: datetime
) -> Definition:
    """Insert a definition; building block, takes the open session."""
    row = Definition(
        name=need_text(name, what="The definition's name"),
        content=dict(content),
        parent_id=parent_id,
        created_at=now,
        updated_at=now,
    )
    return created(session, row)


def _check_content(row: Definition) -> None:
    """Refuse content that could not be read again."""
    resolve([(row.id, row.content)])
