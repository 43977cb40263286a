"""Tags, and which definitions they are on."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import ConflictError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import created, live, need_text, record_of, records_of
from export_pipelines.db.tables import Definition, DefinitionTag, Tag


def create(database: Database, *, name: str, now: datetime) -> records.Tag:
    """A new tag.

    Raises:
        ConflictError: there is one of that name.
        ValidationError: the name is empty.
    """
    with database.transaction() as session:
        clean = _free_name(session, name)
        return record_of(records.Tag, created(session, Tag(name=clean, created_at=now)))


def list_all(database: Database) -> tuple[records.Tag, ...]:
    """All tags by name, compared bytewise."""
    with database.transaction() as session:
        return records_of(session, records.Tag, select(Tag).order_by(Tag.name.collate("C")))


def get(database: Database, tag_id: str) -> records.Tag:
    """The tag.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        return record_of(records.Tag, live(session, Tag, tag_id))


def rename(database: Database, tag_id: str, *, name: str) -> records.Tag:
    """Another name for the tag, on all definitions that have it.

    Raises:
        NotFoundError: it does not exist.
        ConflictError: another tag has that name.
    """
    with database.transaction() as session:
        row = live(session, Tag, tag_id, lock=True)
        if name.strip() != row.name:
            row.name = _free_name(session, name)
        return record_of(records.Tag, row)


def delete(database: Database, tag_id: str) -> None:
    """Remove the tag, also from the definitions that have it.

    Raises:
        NotFoundError: it does not exist.
    """
    with database.transaction() as session:
        session.delete(live(session, Tag, tag_id, lock=True))


def of_definition(database: Database, definition_id: str) -> tuple[records.Tag, ...]:
    """The tags of a definition by name, compared bytewise; the first of them is its category in exports.

    Raises:
        NotFoundError: the definition does not exist or is deleted.
    """
    query = select(Tag).join(DefinitionTag).where(DefinitionTag.definition_id == definition_id)
    with database.transaction() as session:
        live(session, Definition, definition_id)
        return records_of(session, records.Tag, query.order_by(Tag.name.collate("C")))


def definitions_with(database: Database, name: str) -> tuple[records.Definition, ...]:
    """The live definitions that have a tag of this name, the newest first."""
    query = select(Definition).join(DefinitionTag).join(Tag).where(Tag.name == name, Definition.deleted_at.is_(None))
    with database.transaction() as session:
        return records_of(session, records.Definition, query.order_by(Definition.created_at.desc(), Definition.id))


def put_on(database: Database, definition_id: str, *, names: Sequence[str], now: datetime) -> None:
    """Put tags on a definition, making those that are new; tags it has already stay where they are.

    Raises:
        NotFoundError: the definition does not exist or is deleted.
        ValidationError: a name is empty.
    """
    with database.transaction() as session:
        add(session, live(session, Definition, definition_id).id, names=names, now=now)


def take_off(database: Database, definition_id: str, *, name: str) -> None:
    """Take a tag off a definition; nothing happens when it has no such tag."""
    tag = select(Tag.id).where(Tag.name == name).scalar_subquery()
    with database.transaction() as session:
        session.execute(
            delete_rows(DefinitionTag).where(DefinitionTag.definition_id == definition_id, DefinitionTag.tag_id == tag)
        )


def add(session: Session, definition_id: str, *, names: Sequence[str], now: datetime) -> None:
    """Put tags on a definition; building block, takes the open session."""
    for name in names:
        clean = need_text(name, what="A tag's name")
        session.execute(insert(Tag).values(name=clean, created_at=now).on_conflict_do_nothing())
        tag_id = session.scalars(select(Tag.id).where(Tag.name == clean)).one()
        link = insert(DefinitionTag).values(definition_id=definition_id, tag_id=tag_id, created_at=now)
        session.execute(link.on_conflict_do_nothing())


def _free_name(session: Session, name: str) -> str:
    clean = need_text(name, what="A tag's name")
    if session.scalar(select(Tag.id).where(Tag.name == clean)) is not None:
        raise ConflictError(f"There is a tag {clean!r} already; use that, or choose another name.")
    return clean
