"""Definitions, their tree, and their tags."""

from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables.base import EVALUATION, Base, CreatedAt, DeletedAt, Id, UpdatedAt, references


class Definition(Base):
    """A definition; ``content`` may be sparse and inherit from its parent (see ``core.definitions``).

    That the tree has no cycle is kept by the trigger ``definitions_no_cycle``.

    Attributes:
        version: counts the changes of name, content and parent, from 1; for optimistic updates.
    """

    __tablename__ = "definitions"
    __table_args__ = (
        CheckConstraint("parent_id <> id", name="not_own_parent"),
        CheckConstraint("name <> ''", name="has_name"),
        CheckConstraint("jsonb_typeof(content) = 'object'", name="content_is_object"),
        CheckConstraint("version >= 1", name="version_counts_from_one"),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    # No cascade: a parent holds content that its children inherit, so it cannot go before them.
    parent_id: Mapped[str | None] = mapped_column(references(f"{EVALUATION}.definitions.id"), index=True)
    name: Mapped[str] = mapped_column(index=True)
    content: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]


class Tag(Base):
    """A word that definitions are filed under."""

    __tablename__ = "tags"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("name <> ''", name="has_name"),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    name: Mapped[str]
    created_at: Mapped[CreatedAt]


class DefinitionTag(Base):
    """One tag of one definition."""

    __tablename__ = "definition_tags"
    __table_args__ = ({"schema": EVALUATION},)

    definition_id: Mapped[str] = mapped_column(
        references(f"{EVALUATION}.definitions.id", on_delete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[str] = mapped_column(
        references(f"{EVALUATION}.tags.id", on_delete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[CreatedAt]
