"""Definitions as trees: what one descends from, what descends from it, and the runs of a whole tree.

The walks are recursive queries. They carry their path and stop where it would close: our own database refuses cycles,
but an application's tables that a deployment points us at need not.
"""

from datetime import datetime

from sqlalchemy import ARRAY, CTE, Select, Text, all_, func, literal, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session, aliased

from export_pipelines.core import evaluation as records
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import live, record_of, records_of
from export_pipelines.db.tables import Definition, Run


def ancestry(database: Database, definition_id: str) -> tuple[records.Related, ...]:
    """The definition (depth 0), its parent (1) and so on up to the root; deleted ancestors are among them.

    Raises:
        NotFoundError: the definition does not exist or is deleted.
    """
    with database.transaction() as session:
        live(session, Definition, definition_id)
        return tuple(_related(row, depth) for row, depth in ancestors(session, definition_id))


def descendants(database: Database, definition_id: str) -> tuple[records.Related, ...]:
    """The live definitions forked from this one (depth 1), from those (2) and so on; nearest first, then by age.

    A deleted definition is left out, but not what descends from it.

    Raises:
        NotFoundError: the definition does not exist or is deleted.
    """
    with database.transaction() as session:
        live(session, Definition, definition_id)
        walk = _walk(definition_id, upward=False)
        found = session.execute(
            select(Definition, walk.c.depth)
            .join(walk, walk.c.id == Definition.id)
            .where(walk.c.depth > 0, Definition.deleted_at.is_(None))
            .order_by(walk.c.depth, Definition.created_at, Definition.id)
        )
        return tuple(_related(row, depth) for row, depth in found)


def runs_below(database: Database, definition_id: str) -> tuple[records.Run, ...]:
    """The live runs of the definition and of everything that descends from it, the newest first.

    Raises:
        NotFoundError: the definition does not exist or is deleted.
    """
    with database.transaction() as session:
        live(session, Definition, definition_id)
        return records_of(session, records.Run, _runs_below(definition_id))


def runs_of_tree(database: Database, definition_id: str) -> tuple[records.Run, ...]:
    """The live runs of the whole tree that the definition is part of, from its root down, the newest first.

    Raises:
        NotFoundError: the definition does not exist or is deleted.
    """
    with database.transaction() as session:
        live(session, Definition, definition_id)
        root, _ = ancestors(session, definition_id)[-1]
        return records_of(session, records.Run, _runs_below(root.id))


def move(database: Database, definition_id: str, *, parent_id: str | None, now: datetime) -> records.Definition:
    """Hang the definition, with all below it, under another parent; None makes it a root.

    Raises:
        NotFoundError: either does not exist or is deleted.
        ValidationError: the parent is the definition itself or descends from it; the database refuses that.
    """
    with database.transaction() as session:
        row = live(session, Definition, definition_id, lock=True)
        if parent_id is not None:
            live(session, Definition, parent_id)
        row.parent_id = parent_id
        row.version, row.updated_at = row.version + 1, now
        session.flush()
        return record_of(records.Definition, row)


def ancestors(session: Session, definition_id: str) -> list[tuple[Definition, int]]:
    """Rows from the definition up to its root, with their depth; building block, takes the open session."""
    walk = _walk(definition_id, upward=True)
    query = select(Definition, walk.c.depth).join(walk, walk.c.id == Definition.id).order_by(walk.c.depth)
    return [(row, depth) for row, depth in session.execute(query)]


def _walk(definition_id: str, *, upward: bool) -> CTE:
    """The recursive query: ids with their depth and the path that led there."""
    start = (
        select(
            Definition.id,
            Definition.parent_id,
            literal(0).label("depth"),
            array([Definition.id]).label("path"),
        )
        .where(Definition.id == definition_id)
        .cte("walk", recursive=True)
    )
    next_ = aliased(Definition)
    link = next_.id == start.c.parent_id if upward else next_.parent_id == start.c.id
    step = (
        select(
            next_.id,
            next_.parent_id,
            start.c.depth + 1,
            func.array_append(start.c.path, next_.id, type_=ARRAY(Text)),
        )
        .join(start, link)
        .where(next_.id != all_(start.c.path))
    )
    return start.union_all(step)


def _runs_below(definition_id: str) -> Select[Run]:
    walk = _walk(definition_id, upward=False)
    return (
        select(Run)
        .where(Run.definition_id.in_(select(walk.c.id)), Run.deleted_at.is_(None))
        .order_by(Run.created_at.desc(), Run.id)
    )


def _related(row: Definition, depth: int) -> records.Related:
    return records.Related(definition=record_of(records.Definition, row), depth=depth)
